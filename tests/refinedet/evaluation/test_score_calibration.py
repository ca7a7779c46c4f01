"""Calibration of scores on cases worked by hand, and its properties on random ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinedet.boxes import as_boxes
from refinedet.data.coco import ImageRecord, Record
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.evaluation.score_calibration import ScoreBin, calibration_error, reliability

SHIP, AWAY = (10.0, 10.0, 30.0, 20.0), (60.0, 60.0, 70.0, 70.0)


def case(right: list[float], wrong: list[float], on_ignored: list[float] | None = None) -> tuple[Record, dict]:
    """One image for each detection: on its ship, beside it, or on an ignored box."""
    boxes, found, ignored = {}, {}, {}
    rows = [(s, SHIP, False) for s in right] + [(s, AWAY, False) for s in wrong]
    rows += [(s, SHIP, True) for s in on_ignored or []]
    for index, (score, box, is_ignored) in enumerate(rows, 1):
        boxes[index], ignored[index] = as_boxes([SHIP]), np.array([is_ignored])
        found[index] = Detections.of([box], [score], [0])
    images = tuple(ImageRecord(i, f"{i}.png", 80, 80) for i in boxes)
    return Record(images, boxes, {i: np.zeros(1, np.int64) for i in boxes}, ignored, ("ship",)), found


def test_bins_by_hand() -> None:
    truth, found = case(right=[0.95, 0.85, 0.7, 1.0], wrong=[0.75, 0.05, 0.05], on_ignored=[0.9])
    bins = reliability(truth, found)
    assert [(b.low, b.high, b.count, b.right) for b in bins] == [
        (0.0, 0.1, 2, 0),
        (0.7, 0.8, 2, 1),  # 0.7 itself, though float32 keeps it as 0.69999999
        (0.8, 0.9, 1, 1),
        (0.9, 1.0, 2, 2),  # and 1.0 itself; the one on the ignored box is nowhere
    ]
    assert [b.score for b in bins] == pytest.approx([0.05, 0.725, 0.85, 0.975], abs=1e-7)
    off = 2 * 0.05 + 2 * abs(0.725 - 0.5) + 0.15 + 2 * 0.025
    assert calibration_error(bins) == pytest.approx(off / 7, abs=1e-7)


def test_a_double_is_wrong_and_so_is_a_box_too_far_off() -> None:
    truth, _ = case(right=[0.5], wrong=[])
    found = {1: Detections.of([SHIP, SHIP, (10, 10, 50, 20)], [0.9, 0.8, 0.3], [0, 0, 0])}
    assert [(b.low, b.right, b.count) for b in reliability(truth, found)] == [(0.3, 0, 1), (0.8, 0, 1), (0.9, 1, 1)]
    assert reliability(truth, {1: found[1].keep(np.array([False, False, True]))}, iou_min=0.4)[0].right == 1


def test_the_interval_is_wilsons() -> None:
    low, high = ScoreBin(0.8, 0.9, 10, 0.85, 8).interval
    assert (low, high) == pytest.approx((0.4902, 0.9433), abs=1e-4)  # as tables of the Wilson interval have 8 of 10
    assert ScoreBin(0.9, 1.0, 3, 0.95, 3).interval[1] == 1
    assert ScoreBin(0.0, 0.1, 3, 0.05, 0).interval[0] == 0


def test_nothing_found_has_no_calibration() -> None:
    truth, _ = case(right=[0.5], wrong=[])
    assert reliability(truth, {}) == []
    assert calibration_error([]) is None
    with pytest.raises(InputError, match="at least 1 bin"):
        reliability(truth, {}, bins=0)
    with pytest.raises(InputError, match="image ids"):
        reliability(truth, {99: Detections.empty()})


@given(
    scores=st.lists(st.tuples(st.floats(0, 1, width=32), st.booleans()), min_size=1, max_size=40),
    bins=st.integers(1, 12),
)
def test_every_detection_is_in_one_bin(scores: list[tuple[float, bool]], bins: int) -> None:
    truth, found = case([s for s, right in scores if right], [s for s, right in scores if not right])
    made = reliability(truth, found, bins=bins)
    assert sum(b.count for b in made) == len(scores)
    assert sum(b.right for b in made) == sum(right for _, right in scores)
    for b in made:
        assert b.low - 1e-6 <= b.score <= b.high + 1e-6
        assert b.interval[0] <= b.precision <= b.interval[1]
    error = calibration_error(made)
    assert error is not None
    assert 0 <= error <= 1
