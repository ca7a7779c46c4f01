"""report.py on four small chips: a page that holds everything and fetches nothing, equal bytes, and true pictures."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.report.contact_sheet import CELL_PX, LEGEND, close_up, whole_chip
from pipeline.report.error_tables import calibration_table, chip_table, detection_error_table
from pipeline.report.errors_by_chip import Judged
from pipeline.report.numbers import Numbers
from pipeline.report.page import Page, render
from pipeline.stages.report import Sources, read_results, report
from refinedet.boxes import as_boxes
from refinedet.config import ModelConfig, PostprocessConfig, Radiometry, TrainConfig
from refinedet.data.coco import Annotated, ImageRecord, Record, build_record, read_record, write_record
from refinedet.detections import Detections
from refinedet.errors import FileError, InputError
from refinedet.evaluation.metrics import coco_results
from refinedet.files import sha256_file, write_json
from refinedet.model.checkpoint import Header, save_checkpoint

SHIP = (20.0, 20.0, 40.0, 30.0)
RGB = {kind: tuple(bytes.fromhex(colour[1:])) for kind, (colour, _) in LEGEND.items()}

RESULT = {"image_id": 1, "category_id": 1, "bbox": [1.0, 2.0, 3.0, 4.0], "score": 0.5}


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    """Outputs of the stages before: a chip with a hit, one with a miss, one with a false alarm, one RGB and empty."""
    tile, train, evaluate = tmp_path / "tile", tmp_path / "train", tmp_path / "evaluate"
    (tile / "test").mkdir(parents=True)
    chips = []
    for index, count in enumerate((1, 1, 0, 0)):
        shape = (64, 80, 3) if index == 3 else (64, 80)
        Image.fromarray(np.full(shape, 40, np.uint8)).save(tile / "test" / f"{index}.png")
        zeros = np.zeros(count, np.int64)
        chips.append(Annotated(f"test/{index}.png", 80, 64, as_boxes([SHIP] * count), zeros, zeros.astype(bool)))
    write_record(tile / "test.json", build_record(chips, ("ship",)))
    found = {1: Detections.of([SHIP], [0.9], [0]), 3: Detections.of([SHIP], [0.8], [0])}
    write_json(evaluate / "detections.coco.json", coco_results(found))
    truth = read_record(tile / "test.json")
    tables = {"score_calibration": calibration_table(truth, found), "chips": chip_table(truth, found)}
    errors = {"test": detection_error_table(truth, found)}
    for name, table in {**tables, "detection_errors": errors}.items():
        write_json(evaluate / f"{name}.json", table)
    measures = {"AP": 45.678, "AP50": 50.0, "precision": 50.0, "recall": 50.0, "F1": 50.0, "chips": 4, "ships": 2}
    write_json(evaluate / "metrics.json", {"test": measures, "test_inshore": measures})
    for name in ("pr_50.json", "pr_75.json"):
        write_json(evaluate / name, [{"recall": r / 100, "precision": 1 - r / 100} for r in range(101)])
    history = [{"epoch": e, "lr": 0.1, "loss": 2.0 / e, "arm_class": 1.0 / e, "val_AP": 9.0 * e} for e in (1.0, 2.0)]
    write_json(train / "history.json", history)
    provenance = {
        "inputs_sha256": {"train.json": "e" * 64},
        "train": TrainConfig().to_dict(),
        "val": {"AP": 18.0},
        "chips": {"train": 9, "val": 3},
    }
    header = Header(ModelConfig(), ("ship",), Radiometry(), provenance)
    save_checkpoint(train / "model.safetensors", {"w": torch.zeros(1)}, header)
    return Sources(tile, train, evaluate)


class _Links(HTMLParser):
    """Everything that a browser would fetch, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "iframe", "object", "embed")
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]

    def handle_data(self, data: str) -> None:
        self.texts += data.split()


def test_page_is_self_contained_and_complete(sources: Sources, tmp_path: Path) -> None:
    report(sources, "ssdd", PostprocessConfig(), tmp_path / "out")
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    parsed = _Links()
    parsed.feed(html)
    text = " ".join(parsed.texts)
    assert len(parsed.fetched) == 3 + 2 + 2, "three events, two chips with ships, two with errors"
    assert all(link.startswith("data:image/png;base64,") for link in parsed.fetched)
    assert set(re.findall(r"url\(.|xlink:href=..", html)) <= {"url(#", 'xlink:href="#'}, "within the page"
    assert html.count("<svg") == html.count('role="img"') == 8, "curves, parts, sizes, calibration, errors, training"
    drawn = "".join(re.findall(r"<svg.*?</svg>", html, re.DOTALL))
    assert not re.search(r"#[0-9a-f]{6}\b", drawn), "colours come from the theme"
    assert "@import" not in html
    for expected in ("45.68", "Test, inshore", "Hits: 1 of 1", "Misses: 1 of 1", "False alarms: 1 of 1", "e" * 64):
        assert expected in text
    weights = sha256_file(sources.checkpoint)
    trained = TrainConfig()
    made = f"9 training chips, {trained.epochs} epochs, seed {trained.seed}, checkpoint {weights[:12]}"
    assert made in text, "a page alone leads to its run"
    assert text.count("published") >= 4, "figures of others are marked one by one"
    assert "62.94" in text


def test_equal_input_gives_equal_bytes_and_no_figures_of_others_for_other_data(
    sources: Sources, tmp_path: Path
) -> None:
    outs = [tmp_path / "one", tmp_path / "two"]
    for out in outs:
        report(sources, "simulated", PostprocessConfig(), out)
    contents = [{f.relative_to(out).as_posix(): f.read_bytes() for f in out.rglob("*") if f.is_file()} for out in outs]
    assert contents[0] == contents[1]
    assert set(contents[0]) == {
        "report.html",
        "numbers.json",
        "pr_curve.png",
        "losses.png",
        "contact_sheet.png",
        "samples/0.png",
        "samples/1.png",
    }
    assert b"62.94" not in contents[0]["report.html"]
    assert b"Software" not in contents[0]["pr_curve.png"], "no version of matplotlib in hashed bytes"


def test_text_is_escaped() -> None:
    numbers = Numbers({"test": {}}, {}, [], {}, [], facts={"<b>": {"<i>": "<u>"}})
    html = render(Page("<script>alert(1)</script>", "&", numbers, {}, (), [], {}, (), ()))
    assert not re.search(r"<script|<b>alert|<i>|<u>", html)
    assert "&lt;script&gt;" in html


def test_pictures_show_truth_and_outcome_in_their_colours(sources: Sources) -> None:
    truth = read_record(sources.tile / "test.json")
    judged = Judged.of(truth, read_results(sources.evaluate / "detections.coco.json"))
    events = judged.events()
    scale = CELL_PX / 56
    corner = (round((20 - 30 + 28) * scale), round((20 - 25 + 28) * scale))
    for outcome, event_list in events.items():
        picture = close_up(judged, event_list[0], lambda _: np.full((64, 80), 40, np.uint8)).pixels
        assert picture.size == (CELL_PX, CELL_PX)
        assert picture.getpixel(corner) == RGB[outcome], "the detection lies on the truth that it hits"
        assert picture.getpixel((CELL_PX // 2, CELL_PX // 2)) == (40, 40, 40), "pixels are shown as they are"
    chip = whole_chip(judged, truth.images[1], lambda _: np.full((64, 80), 40, np.uint8))
    assert (chip.title, chip.caption) == ("1", "found 0 of 1, detections that hit nothing: 0")
    assert max(chip.pixels.size) == 420


def test_results_come_back_as_they_were_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 500, (40, 2)).astype(np.float32)
    boxes = np.hstack([corners, corners + rng.uniform(1, 90, (40, 2)).astype(np.float32)])
    written = {7: Detections.of(boxes, rng.random(40).astype(np.float32), rng.integers(0, 2, 40))}
    write_json(tmp_path / "r.json", coco_results(written))
    read = read_results(tmp_path / "r.json")[7]
    np.testing.assert_allclose(read.boxes_xyxy, written[7].boxes_xyxy, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(read.scores, written[7].scores)
    np.testing.assert_array_equal(read.labels, written[7].labels)


def test_nothing_found_and_nothing_to_find(sources: Sources, tmp_path: Path) -> None:
    empty = Record((ImageRecord(1, "test/0.png", 80, 64),), *({1: a} for a in _nothing()), ("ship",))
    write_record(sources.tile / "test.json", empty)
    write_json(sources.evaluate / "detections.coco.json", [])
    write_json(sources.evaluate / "metrics.json", {"test": {"chips": 1, "ships": 0}})
    for name in ("pr_50.json", "pr_75.json"):
        write_json(sources.evaluate / name, [])
    report(sources, "simulated", PostprocessConfig(), tmp_path / "out")
    assert "Misses: 0 of 0" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_missing_input_is_named(sources: Sources, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"metrics\.json|detections"):
        report(replace(sources, evaluate=tmp_path / "absent"), "ssdd", PostprocessConfig(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _nothing() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return as_boxes([]), np.zeros(0, np.int64), np.zeros(0, np.bool_)


@pytest.mark.parametrize(
    "content",
    [
        *(None, 3, "text", {"a": 1}, [None], [[1]], [{"image_id": 1}]),
        *([{**RESULT, "score": value}] for value in (None, "0.5", [1], 2.0, 10**400)),
        *([{**RESULT, "bbox": value}] for value in (None, [1, 2, 3], [1, 2, 3, None], "1234", 5)),
        *([{**RESULT, "category_id": value}] for value in (None, "a", 10**30)),
        *([{**RESULT, "image_id": value}] for value in (None, [1], {})),
    ],
)
def test_results_of_another_kind_are_one_sentence(tmp_path: Path, content: object) -> None:
    write_json(tmp_path / "r.json", content)
    with pytest.raises(InputError, match=r"setting `results.*` in .*r\.json"):
        read_results(tmp_path / "r.json")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("metrics", {"test": {"AP": 1}, "inshore": 3}, "setting `metrics.inshore` in here: expected a mapping"),
        ("curves", [1], "setting `curves` in here: expected a mapping"),
        ("chips", {"a": 1}, "setting `chips` in here: expected a list"),
        ("chips", [3], "setting `chips.0` in here: expected a mapping"),
        ("detection_errors", None, "setting `detection_errors` in here: expected a mapping"),
        ("dataset", 3, "setting `dataset` in here: expected text, found 3"),
    ],
)
def test_numbers_of_another_kind_are_one_sentence(name: str, value: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Numbers.checked({**Numbers({"test": {}}, {}, [], {}, []).to_dict(), name: value}, "here")
