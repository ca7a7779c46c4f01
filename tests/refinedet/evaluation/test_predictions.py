"""predictions.py: the metrics of a predictor on annotated chips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from refinedet.data.coco import Annotated, Record, build_record
from refinedet.errors import FileError, InputError
from refinedet.evaluation.predictions import measure_chips

BOX = (8, 10, 24, 20)


@pytest.fixture
def truth(tmp_path: Path) -> Record:
    """Two chips with a bright ship each, whose files lie in tmp_path."""
    chips = []
    for name in ("a.png", "b.png"):
        pixels = np.full((64, 80), 50, np.uint8)
        pixels[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 255
        Image.fromarray(pixels).save(tmp_path / name)
        boxes, labels = np.array([BOX], np.float32), np.zeros(1, np.int64)
        chips.append(Annotated(name, 80, 64, boxes, labels, np.zeros(1, np.bool_)))
    return build_record(chips, ("ship",))


def test_what_finds_every_ship_has_all_of_the_precision(bright_blobs: Any, truth: Record, tmp_path: Path) -> None:
    assert measure_chips(bright_blobs, truth, tmp_path)["AP"] == pytest.approx(100.0)


def test_what_finds_half_of_the_ships_has_half_of_it(bright_blobs: Any, truth: Record, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((64, 80), np.uint8)).save(tmp_path / "b.png")
    found = measure_chips(bright_blobs, truth, tmp_path)["AP"]
    assert found is not None
    assert 45 < found < 55


def test_other_classes_and_missing_files_are_refused(bright_blobs: Any, truth: Record, tmp_path: Path) -> None:
    bright_blobs.classes = ("boat",)
    with pytest.raises(InputError, match=r"expected chips of the classes \('boat',\) under .*, found \('ship',\)"):
        measure_chips(bright_blobs, truth, tmp_path)
    bright_blobs.classes = ("ship",)
    with pytest.raises(FileError, match="expected a readable image"):
        measure_chips(bright_blobs, truth, tmp_path / "elsewhere")
