"""compare.py on small evaluations: what is set side by side, against which first, and what cannot be compared."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.comparison.compare import check_free, compare
from pipeline.report.error_tables import chip_table
from pipeline.report.numbers import Numbers
from pipeline.stages.evaluate import evaluate
from refinedet.boxes import as_boxes
from refinedet.config import Radiometry
from refinedet.data.coco import Annotated, build_record, read_record, write_record
from refinedet.detections import Detections
from refinedet.errors import FileError, InputError
from refinedet.files import write_json

SHIP, AWAY = (10.0, 10.0, 30.0, 26.0), (50.0, 40.0, 60.0, 50.0)


class Told:
    """A predictor that knows each chip by its first pixel."""

    radiometry, classes = Radiometry(), ("ship",)

    def __init__(self, hits: set[int]) -> None:
        self.hits = hits

    def predict(self, chips: list[np.ndarray]) -> list[Detections]:
        """The ship on chips in `hits`, something else on all others."""
        return [Detections.of([SHIP if int(c[0, 0]) in self.hits else AWAY], [0.9], [0]) for c in chips]


def outputs(folder: Path, hits: set[int], chips: int = 8) -> Path:
    """An outputs folder with tile and evaluate: a ship on each chip, found on those in `hits`."""
    (folder / "tile" / "test").mkdir(parents=True)
    annotated = []
    for index in range(chips):
        Image.fromarray(np.full((64, 80), index, np.uint8)).save(folder / "tile" / "test" / f"{index}.png")
        zero, extra = np.zeros(1, np.int64), {"scene": f"test/{index}.jpg"}
        annotated.append(Annotated(f"test/{index}.png", 80, 64, as_boxes([SHIP]), zero, zero.astype(bool), extra))
    write_record(folder / "tile" / "test.json", build_record(annotated, ("ship",)))
    write_json(folder / "convert" / "subsets.json", {"inshore": ["test/0.jpg", "test/1.jpg"]})
    evaluate(Told(hits), folder / "tile", folder / "convert", folder / "evaluate")
    return folder


@pytest.fixture
def two(tmp_path: Path) -> tuple[str, str]:
    """Words for a weaker and a stronger evaluation on the same chips."""
    return f"weak={outputs(tmp_path / 'a', {0, 1, 2, 3})}", f"strong={outputs(tmp_path / 'b', set(range(7)))}"


def text_of(page: Path) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]*>", " ", page.read_text(), flags=re.DOTALL).split())


def test_two_evaluations_side_by_side(two: tuple[str, str], tmp_path: Path) -> None:
    content = compare(two, tmp_path / "page.html")
    assert json.loads((tmp_path / "page.json").read_text()) == json.loads(json.dumps(content))
    aps = {label: n["metrics"]["test"]["AP50"] for label, n in content["experiments"].items()}
    difference = content["differences"]["strong"]["AP50"]
    assert difference["value"] == pytest.approx(aps["strong"] - aps["weak"])
    low, high = difference["interval"]
    assert 0 <= low < difference["value"] < high, "better on every chip, so never worse in a draw"
    page, text = (tmp_path / "page.html").read_text(), text_of(tmp_path / "page.html")
    assert f"{aps['weak']:.2f}" in text
    assert "Against weak" in text
    assert "on the same 8 test chips with 8 ships" in text
    assert "do not compare like with like" not in text
    assert text.count("found 0 of 1, detections that hit nothing: 1") == text.count("found 1 of 1") == 3
    assert page.count("data:image/png;base64,") == 2 * 3, "the three chips that differ, for each"
    assert set(re.findall(r"(?:src|href)=\"(.{5})", page.replace("xlink:href", ""))) == {"data:"}


def test_equal_input_gives_equal_bytes(two: tuple[str, str], tmp_path: Path) -> None:
    for name in ("one", "two"):
        compare(two, tmp_path / name / "page.html")
    contents = [(tmp_path / n / f"page.{kind}").read_bytes() for kind in ("html", "json") for n in ("one", "two")]
    assert contents[0] == contents[1]
    assert contents[2] == contents[3]


def test_an_evaluation_alone_is_compared_without_pictures(two: tuple[str, str], tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "a" / "evaluate", tmp_path / "kept")
    compare((f"kept={tmp_path / 'kept'}", two[1], f"inside={tmp_path / 'a' / 'evaluate'}"), tmp_path / "page.html")
    text = text_of(tmp_path / "page.html")
    assert "Against kept" in text, "the truth of one is that of all"
    assert "Where they differ most" in text, "and its chips too"
    compare((f"kept={tmp_path / 'kept'}", str(tmp_path / "kept")), tmp_path / "page2.html")
    assert "Against" not in text_of(tmp_path / "page2.html")


def test_an_older_evaluation_has_what_it_has(two: tuple[str, str], tmp_path: Path) -> None:
    for name in ("score_calibration", "detection_errors", "chips"):
        (tmp_path / "a" / "evaluate" / f"{name}.json").unlink()
    assert compare(two, tmp_path / "page.html")["same_test"]
    assert "strong" in text_of(tmp_path / "page.html")


def test_other_chips_are_not_like_for_like(
    two: tuple[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = compare((two[0], str(outputs(tmp_path / "c", {0}, chips=5))), tmp_path / "page.html")
    assert content["differences"] == {}
    assert "do not compare like with like" in text_of(tmp_path / "page.html")
    assert "the figures do not compare like with like" in caplog.text
    assert not content["same_test"]


def test_moved_truth_is_not_like_for_like_either(two: tuple[str, str], tmp_path: Path) -> None:
    truth = read_record(tmp_path / "b" / "tile" / "test.json")
    truth.boxes[1][0, 2] += 1
    write_record(tmp_path / "b" / "tile" / "test.json", truth)
    assert compare(two, tmp_path / "page.html")["differences"] == {}
    assert "do not compare like with like" in text_of(tmp_path / "page.html")


def test_settings_that_differ_are_listed_from_reports(tmp_path: Path) -> None:
    for name, rate in (("a", 0.1), ("b", 0.2)):
        facts = {"Training": {"lr": rate, "epochs": 3}}
        numbers = Numbers({"test": {"AP": 1.0}}, {}, [], {}, [], dataset="ssdd", facts=facts)
        write_json(tmp_path / name / "numbers.json", numbers.to_dict())
    compare((str(tmp_path / "a"), str(tmp_path / "b")), tmp_path / "page.html")
    text = text_of(tmp_path / "page.html")
    assert "Training: lr 0.1 0.2" in text
    assert "epochs" not in text
    assert "62.94" in text, "published figures of the data set that both are on"


def test_refusals(two: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2 to 6"):
        compare(two[:1], tmp_path / "page.html")
    with pytest.raises(InputError, match="different names"):
        compare((two[0], two[0]), tmp_path / "page.html")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="results of an evaluation"):
        compare((two[0], str(tmp_path / "empty")), tmp_path / "page.html")
    write_json(tmp_path / "b" / "report" / "numbers.json", {"metrics": {"test": {}}})
    with pytest.raises(InputError, match=r"curves. in .*: expected a value, found none"):
        compare(two, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
    (tmp_path / "page.json").write_text("mine")
    with pytest.raises(FileError, match="set `overwrite`"):
        check_free(tmp_path / "page.html", overwrite=False)
    check_free(tmp_path / "page.html", overwrite=True)


def test_a_word_that_is_nothing(two: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileError, match="expected 'no-such' to be a folder, a DVC experiment or a git revision"):
        compare((two[0], "no-such"), tmp_path / "page.html")


@pytest.mark.slow
def test_revisions_of_a_dvc_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    for key, value in {"AUTHOR": "t", "COMMITTER": "t"}.items():
        monkeypatch.setenv(f"GIT_{key}_NAME", value)
        monkeypatch.setenv(f"GIT_{key}_EMAIL", "t@example.org")
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")

    def run(*words: str) -> None:
        subprocess.run(words, check=True, capture_output=True)

    run("git", "init", "-q")
    run("python", "-m", "dvc", "init", "-q")
    for tag, hits in (("first", {0}), ("second", {0, 1, 2})):
        shutil.rmtree("outputs", ignore_errors=True)
        outputs(root / "outputs", hits)
        run("python", "-m", "dvc", "add", "-q", "outputs")
        run("git", "add", "-A")
        run("git", "commit", "-qm", tag)
        run("git", "tag", tag)
    shutil.rmtree("outputs")
    content = compare(("first", "now=HEAD"), tmp_path / "page.html")
    found = {label: [row["hits"] for row in n["chips"]] for label, n in content["experiments"].items()}
    assert found == {"first": [1] + [0] * 7, "now": [1] * 3 + [0] * 5}
    assert content["differences"]["now"]["AP"]["value"] > 0
    assert "Where they differ most" in text_of(tmp_path / "page.html"), "chips come from the cache too"
    with pytest.raises(FileError, match="none of that name"):
        compare(("first", "no-such"), tmp_path / "page.html")
    shutil.rmtree(root / ".dvc" / "cache")
    with pytest.raises(FileError, match="dvc pull"):
        compare(("first", "HEAD"), tmp_path / "page.html")


def test_a_table_of_chips_is_in_the_order_of_the_record(two: tuple[str, str], tmp_path: Path) -> None:
    assert two
    truth = read_record(tmp_path / "a" / "tile" / "test.json")
    assert [row["chip"] for row in chip_table(truth, {})] == [image.file_name for image in truth.images]


def test_a_report_of_another_checkpoint_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("a", "b"):
        write_json(outputs(tmp_path / name, {0}) / "report" / "numbers.json", _numbers(tmp_path / name))
    (tmp_path / "a" / "train").mkdir()
    for content, told in ((b"old", False), (b"new", True)):
        caplog.clear()
        (tmp_path / "a" / "train" / "model.safetensors").write_bytes(content)
        compare((str(tmp_path / "a"), str(tmp_path / "b")), tmp_path / f"{told}.html")
        assert (f"the report in {tmp_path / 'a'} is of another checkpoint than" in caplog.text) is told


def _numbers(folder: Path) -> dict[str, object]:
    """Numbers of a report on an evaluation in `folder`, of the checkpoint with the bytes `old`."""

    def read(name: str) -> object:
        path = folder / "evaluate" / name
        return json.loads(path.read_text()) if path.is_file() else None

    facts = {"SHA-256": {"checkpoint": hashlib.sha256(b"old").hexdigest()}}
    return replace(Numbers.of_evaluation(read, str(folder)), facts=facts).to_dict()
