"""Labelled boxes that lie on no bright object are told, and those on ships are not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.datasets.labels.placement import note_on_placement
from refinedet.data.coco import Annotated, Record, build_record

SIDE_PX, CHIPS = 120, 12
SHIPS = ((10, 50, 30, 58), (70, 90, 78, 114))
Box = tuple[float, float, float, float]


def chips(folder: Path, boxes: Sequence[Box], *, colours: bool = False, count: int = CHIPS) -> Record:
    """Chips with two bright ships each, labelled by `boxes`."""
    rng = np.random.default_rng(3)
    annotated = []
    for number in range(count):
        pixels = (20 * rng.gamma(4, 0.25, (SIDE_PX, SIDE_PX))).astype(np.uint8)
        for x1, y1, x2, y2 in SHIPS:
            pixels[y1:y2, x1:x2] = 200
        shown = np.stack([pixels, pixels // 2, 255 - pixels], axis=-1) if colours else pixels
        Image.fromarray(shown).save(folder / f"{number}.png")
        corners = np.array(boxes, np.float32).reshape(-1, 4)
        ignored = np.zeros(len(corners), bool)
        annotated.append(Annotated(f"{number}.png", SIDE_PX, SIDE_PX, corners, np.zeros(len(corners), int), ignored))
    return build_record(annotated, ("ship",))


def test_boxes_on_ships_need_no_word(tmp_path: Path) -> None:
    wide = [(x1 - 4, y1 - 4, x2 + 4, y2 + 4) for x1, y1, x2, y2 in SHIPS]
    assert note_on_placement(chips(tmp_path, SHIPS), tmp_path) is None
    assert note_on_placement(chips(tmp_path, wide), tmp_path) is None


@pytest.mark.parametrize(
    "boxes",
    [
        [(y1, x1, y2, x2) for x1, y1, x2, y2 in SHIPS],
        [(x1 / 2, y1 / 2, x2 / 2, y2 / 2) for x1, y1, x2, y2 in SHIPS],
        [(x1, SIDE_PX - y2, x2, SIDE_PX - y1) for x1, y1, x2, y2 in SHIPS],
    ],
    ids=["x and y exchanged", "of images twice as large", "counted from below"],
)
def test_boxes_at_wrong_places_are_told(boxes: list[Box], tmp_path: Path) -> None:
    note = note_on_placement(chips(tmp_path, boxes), tmp_path)
    assert note is not None
    brighter = int(note.split()[1])
    assert brighter <= 6
    assert note.startswith(f"only {brighter} of 24 boxes are brighter than what lies around them")


def test_few_boxes_and_pictures_in_colours_are_not_judged(tmp_path: Path) -> None:
    wrong = [(y1, x1, y2, x2) for x1, y1, x2, y2 in SHIPS]
    assert note_on_placement(chips(tmp_path, wrong, count=4), tmp_path) is None
    assert note_on_placement(chips(tmp_path, wrong, colours=True), tmp_path) is None
