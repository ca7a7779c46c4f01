"""Tests for refinedet.evaluation.operating_score."""

import numpy as np

from refinedet.boxes import as_boxes
from refinedet.data.coco import Annotated, Record, build_record
from refinedet.detections import Detections
from refinedet.evaluation.operating_score import OperatingPoint, operating_point


def _record(*images: list[list[float]], side_px: int = 512) -> Record:
    return build_record(
        [
            Annotated(
                f"{number}.png",
                side_px,
                side_px,
                as_boxes(boxes),
                np.zeros(len(boxes), np.int64),
                np.zeros(len(boxes), bool),
            )
            for number, boxes in enumerate(images)
        ],
        ("ship",),
    )


def _scored(*boxes: tuple[list[float], float]) -> Detections:
    return Detections.of([box for box, _ in boxes], [score for _, score in boxes], [0] * len(boxes))


SMALL, LARGE, STRAIT, ISLET = [10, 10, 18, 18], [100, 100, 140, 130], [300, 300, 340, 340], [200, 200, 208, 208]


def test_score_is_amid_those_that_part_ships_from_what_is_none() -> None:
    truth = _record([SMALL, LARGE])
    found = {1: _scored((SMALL, 0.7), (LARGE, 0.8), (STRAIT, 0.31), (ISLET, 0.3))}
    assert operating_point(truth, found, 512) == OperatingPoint(0.51, 0.0)


def test_small_ships_with_low_scores_give_a_slope_that_parts_them_from_large_false_alarms() -> None:
    truth = _record([SMALL, LARGE])
    found = {1: _scored((SMALL, 0.4), (LARGE, 0.8), (STRAIT, 0.45), (ISLET, 0.1))}
    point = operating_point(truth, found, 512)
    assert point.size_slope == 0.2  # the least of those as good
    assert 0.3 < point.score < 0.5


def test_sizes_are_those_on_the_canvas() -> None:
    """On a canvas of four times the size, all boxes are above the largest that a slope tells apart."""
    truth = _record([SMALL, LARGE])
    found = {1: _scored((SMALL, 0.4), (LARGE, 0.8), (STRAIT, 0.45))}
    assert operating_point(truth, found, 512).size_slope > 0
    assert operating_point(truth, found, 2048).size_slope == 0


def test_images_without_detections_count_as_missed() -> None:
    truth = _record([SMALL], [LARGE])
    found = {1: _scored((SMALL, 0.6), (STRAIT, 0.3))}
    assert 0.3 < operating_point(truth, found, 512).score < 0.6


def test_detections_of_images_that_do_not_count_change_nothing() -> None:
    truth, found = _record([LARGE]), {1: _scored((LARGE, 0.9), (STRAIT, 0.4))}
    assert operating_point(truth, found | {7: _scored((STRAIT, 0.99))}, 512) == operating_point(truth, found, 512)


def test_without_any_object_the_point_is_the_default() -> None:
    assert operating_point(_record([]), {1: _scored((SMALL, 0.9))}, 512) == OperatingPoint()
