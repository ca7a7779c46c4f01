"""Agreement of two sets of detections: recall, and how far the boxes moved."""

from __future__ import annotations

import numpy as np
import pytest

from refinedet.data.coco import Annotated, Record, build_record
from refinedet.detections import Detections
from refinedet.evaluation.agreement import median_move_px, recall_around_default


@pytest.fixture
def truth() -> Record:
    """One chip with two ships and one ignored box."""
    boxes = np.array([[0, 0, 20, 10], [40, 40, 60, 50], [80, 80, 99, 99]], np.float32)
    ignored = np.array([False, False, True])
    return build_record([Annotated("a.png", 100, 100, boxes, np.zeros(3, np.int64), ignored)], ("ship",))


def found(*boxes: tuple[float, ...], scores: tuple[float, ...]) -> Detections:
    return Detections.of(boxes, scores, np.zeros(len(boxes)))


def test_recall_is_the_mean_around_the_default_score(truth: Record) -> None:
    key, boxes = truth.images[0].id, ((0, 0, 20, 10), (40, 40, 60, 50))
    for score, share in ((0.7, 1.0), (0.61, 1.0), (0.51, (1 + 6 / 11) / 2), (0.49, (1 + 5 / 11) / 2), (0.39, 0.5)):
        assert recall_around_default(truth, {key: found(*boxes, scores=(0.9, score))}) == pytest.approx(share)
    assert recall_around_default(truth, {key: Detections.empty()}) == 0.0
    nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.bool_)
    assert recall_around_default(build_record([Annotated("a.png", 9, 9, *nothing)], ("ship",)), {}) == 1.0


def test_the_move_of_a_box_is_that_of_its_side_that_moves_most(truth: Record) -> None:
    key = truth.images[0].id
    before = {key: found((0, 0, 20, 10), (40, 40, 60, 50), (70, 0, 90, 10), scores=(0.9, 0.8, 0.7))}
    after = {key: found((0.5, 0, 20, 10.25), (40, 41, 60, 50), (70, 3, 90, 13), scores=(0.9, 0.3, 0.7))}
    assert median_move_px(truth, before, after) == pytest.approx(1.75)  # of 0.5 and 3; the second is below the score
    assert median_move_px(truth, before, before) == 0.0
    assert median_move_px(truth, before, {key: Detections.empty()}) == 0.0
