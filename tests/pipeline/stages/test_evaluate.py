"""evaluate.py with a predictor that answers what a test tells it."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pipeline.stages.evaluate import DETECTIONS, evaluate, parts
from refinedet.boxes import as_boxes
from refinedet.config import Radiometry
from refinedet.data.coco import Annotated, Record, build_record, write_record
from refinedet.detections import Detections
from refinedet.errors import FileError, InputError

BOX = (10.0, 10.0, 30.0, 26.0)
SHIPS = {"a": [BOX], "b": [BOX, (40.0, 40.0, 60.0, 50.0)], "c": [], "d": [BOX]}


class Told:
    """A predictor that recognises a chip by its first pixel."""

    radiometry = Radiometry()

    def __init__(self, answers: Sequence[Detections], classes: tuple[str, ...] = ("ship",)) -> None:
        self.answers, self.classes = answers, classes

    def predict(self, chips: Sequence[np.ndarray]) -> list[Detections]:
        """The answer for each chip."""
        return [self.answers[int(chip[0, 0])] for chip in chips]


@pytest.fixture
def chips(tmp_path: Path) -> Path:
    """Output of stage tile: four grey chips; a to d stand for scenes test/a.jpg to test/d.jpg."""
    annotated = []
    (tmp_path / "tile" / "test").mkdir(parents=True)
    for index, (name, boxes) in enumerate(SHIPS.items()):
        Image.fromarray(np.full((64, 80), index, np.uint8)).save(tmp_path / "tile" / "test" / f"{name}.png")
        zeros, extra = np.zeros(len(boxes), np.int64), {"scene": f"test/{name}.jpg", "window": [0, 0, 80, 64]}
        annotated.append(Annotated(f"test/{name}.png", 80, 64, as_boxes(boxes), zeros, zeros.astype(bool), extra))
    write_record(tmp_path / "tile" / "test.json", build_record(annotated, ("ship",)))
    (tmp_path / "convert").mkdir()
    return tmp_path


def answers() -> list[Detections]:
    """Perfect on a; one of two ships and a false alarm on b; a weak false alarm on c; nothing on d."""
    return [
        Detections.of([BOX], [0.9], [0]),
        Detections.of([BOX, [0, 0, 8, 8]], [0.8, 0.7], [0, 0]),
        Detections.of([[1, 1, 9, 9]], [0.2], [0]),
        Detections.empty(),
    ]


def test_parts_and_counts(chips: Path) -> None:
    subsets = {
        "inshore": ["test/b.jpg", "test/d.jpg"],
        "offshore": ["test/a.jpg", "test/c.jpg"],
        "leaked": ["test/d.jpg"],
    }
    (chips / "convert" / "subsets.json").write_text(json.dumps(subsets))
    metrics = evaluate(Told(answers()), chips / "tile", chips / "convert", chips / "out")
    assert json.loads((chips / "out" / "metrics.json").read_text()) == metrics
    assert set(metrics) == {"test", "test_inshore", "test_offshore", "test_without_leaked"}
    assert {n: (m["chips"], m["ships"]) for n, m in metrics.items()} == {
        "test": (4, 4),
        "test_inshore": (2, 3),
        "test_offshore": (2, 1),
        "test_without_leaked": (3, 3),
    }
    whole = metrics["test"]  # 2 hits, 2 misses, 1 false alarm at score 0.5
    assert (whole["precision"], whole["recall"], whole["F1"]) == pytest.approx((200 / 3, 50, 400 / 7))
    assert metrics["test_offshore"]["AP"] == pytest.approx(100), "a weaker false alarm after all ships costs no AP"
    assert metrics["test_without_leaked"]["recall"] == pytest.approx(200 / 3)
    assert "AP_large" not in whole, "no large ship: undefined, not -100 and not null"


def test_files_are_for_pycocotools_and_dvc_plots(chips: Path) -> None:
    metrics = evaluate(Told(answers()), chips / "tile", chips / "convert", chips / "out")
    assert set(metrics) == {"test"}
    with redirect_stdout(io.StringIO()):
        truth = COCO(str(chips / "tile" / "test.json"))
        judge = COCOeval(truth, truth.loadRes(str(chips / "out" / "detections.coco.json")), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    assert metrics["test"]["AP"] == pytest.approx(100 * judge.stats[0])
    table = json.loads((chips / "out" / "pr_75.json").read_text())
    assert [row["recall"] for row in table] == [i / 100 for i in range(101)]
    assert 100 * np.mean([row["precision"] for row in table]) == pytest.approx(metrics["test"]["AP75"])


def test_equal_input_gives_equal_bytes(chips: Path) -> None:
    contents = []
    for out in (chips / "one", chips / "two"):
        evaluate(Told(answers()), chips / "tile", chips / "convert", out)
        contents.append({f.name: f.read_bytes() for f in out.iterdir()})
    assert contents[0] == contents[1]
    assert set(contents[0]) == {
        *("metrics.json", "detections.coco.json", "pr_50.json", "pr_75.json"),
        *("score_calibration.json", "detection_errors.json", "chips.json"),
    }


def test_calibration_and_detection_errors_are_tables(chips: Path) -> None:
    (chips / "convert" / "subsets.json").write_text(json.dumps({"inshore": ["test/b.jpg"]}))
    metrics = evaluate(Told(answers()), chips / "tile", chips / "convert", chips / "out")
    tables = {
        n: json.loads((chips / "out" / f"{n}.json").read_text())
        for n in ("score_calibration", "detection_errors", "chips")
    }
    assert [(row["from"], row["count"], row["precision"]) for row in tables["score_calibration"]] == [
        (0.2, 1, 0),
        (0.7, 1, 0),
        (0.8, 1, 1),
        (0.9, 1, 1),
    ]
    # means of the bins are the scores: 0.2 and 0.7 too bold, 0.8 and 0.9 too modest
    assert metrics["test"]["ECE"] == pytest.approx(100 * (0.2 + 0.7 + 0.2 + 0.1) / 4, abs=1e-4)
    assert {kind: row["count"] for kind, row in tables["detection_errors"]["test"].items()} == {
        "missed": 2,
        "badly_placed": 0,
        "double": 0,
        "false_alarm": 1,
    }
    assert tables["detection_errors"]["test"]["false_alarm"]["count_all"] == 2
    assert tables["detection_errors"]["test_inshore"]["missed"]["count"] == 1
    assert tables["detection_errors"]["test"]["missed"]["AP50_cost"] == pytest.approx(100 - metrics["test"]["AP50"])
    assert tables["chips"][1] == {"chip": "test/b.png", "hits": 1, "misses": 1, "false_alarms": 1}


def test_a_multi_scale_test_stands_beside_the_other(chips: Path) -> None:
    (chips / "convert" / "subsets.json").write_text(json.dumps({"inshore": ["test/b.jpg"]}))
    better = answers()
    better[3] = Detections.of([BOX], [0.6], [0])
    folders = (chips / "tile", chips / "convert", chips / "out")
    metrics = evaluate(Told(answers()), *folders, multiscale=Told(better))
    assert set(metrics) == {"test", "test_inshore", "test_multiscale", "test_multiscale_inshore"}
    assert (metrics["test"]["recall"], metrics["test_multiscale"]["recall"]) == (50, 75)
    found = [json.loads((chips / "out" / name).read_text()) for name in DETECTIONS.values()]
    assert [len(rows) for rows in found] == [4, 5]
    assert json.loads((chips / "out" / "metrics.json").read_text()) == metrics


def test_an_interval_over_images_stands_beside_ap(chips: Path) -> None:
    whole = evaluate(Told(answers()), chips / "tile", chips / "convert", chips / "out")["test"]
    for measure in ("AP", "AP50"):
        assert 0 <= whole[f"{measure}_low"] < whole[measure] < whole[f"{measure}_high"] <= 100
    sea = [Detections.empty()] * 4
    nothing = evaluate(Told(sea), chips / "tile", chips / "convert", chips / "out")["test"]
    assert (nothing["AP_low"], nothing["AP_high"]) == (0, 0)


def test_nothing_found_at_all(chips: Path) -> None:
    metrics = evaluate(Told([Detections.empty()] * 4), chips / "tile", chips / "convert", chips / "out")["test"]
    assert (metrics["AP"], metrics["recall"], metrics["F1"]) == (0, 0, 0)
    assert "precision" not in metrics


def test_part_without_chips_is_left_out() -> None:
    truth = Record((), {}, {}, {}, ("ship",))
    assert set(parts(truth, {"inshore": ["x"], "leaked": []})) == {""}


def test_no_chips_to_test_on_are_one_sentence(chips: Path) -> None:
    write_record(chips / "tile" / "test.json", build_record([], ("ship",)))
    with pytest.raises(InputError, match=r"expected chips to test on in .*, found none; raise `scenes\.test`"):
        evaluate(Told([]), chips / "tile", chips / "convert", chips / "out")
    assert not (chips / "out").exists()


def test_refusals(chips: Path) -> None:
    with pytest.raises(InputError, match="classes"):
        evaluate(Told(answers(), ("buoy",)), chips / "tile", chips / "convert", chips / "out")
    (chips / "tile" / "test" / "b.png").write_bytes(b"no picture")
    with pytest.raises(FileError, match=r"b\.png"):
        evaluate(Told(answers()), chips / "tile", chips / "convert", chips / "out")
    assert not (chips / "out").exists(), "no half-written results"
