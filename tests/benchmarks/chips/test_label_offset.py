"""A known offset of the labels comes out of the table; simulated chips are told apart."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from refinedet.boxes import as_boxes
from refinedet.data.coco import Annotated, build_record
from refinedet.detections import Detections

_SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks" / "chips" / "label_offset.py"


def test_a_known_offset_is_measured() -> None:
    script = runpy.run_path(str(_SCRIPT))
    rng = np.random.default_rng(0)
    corners = np.arange(0, 1600, 80)[:, None] + np.array([[0, 5, 20, 25]])  # twenty ships of 20 px
    truth = as_boxes(corners)
    record = build_record(
        [Annotated("a.png", 2000, 2000, truth, np.zeros(20, np.int64), np.zeros(20, np.bool_))], ("ship",)
    )
    noise = rng.normal(0, 0.2, (20, 1))
    boxes = as_boxes(truth + np.array([0.5, 0.25, 0.5, 1.25]) + noise)
    found = {1: Detections.of(boxes, np.linspace(0.4, 0.9, 20), np.zeros(20, np.int64))}
    pairs = script["_pairs"](record, found)
    np.testing.assert_allclose(pairs[1].mean(axis=0), [0.5, 0.25, 0.5, 1.25], atol=0.15)
    head, _, everything, of_size = script["_table"](*pairs).splitlines()
    assert head.startswith("| longer side, px | ships | centre x")
    cells = [cell.strip() for cell in everything.split("|")[1:-1]]
    assert cells[:2] == ["0 to inf", "20"]
    assert [float(cell.split()[0]) for cell in cells[2:]] == pytest.approx([0.5, 0.75, 0.0, 1.0], abs=0.15)
    assert of_size.startswith("| 16 to 24 | 20 |")
