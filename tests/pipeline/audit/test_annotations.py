"""Two annotations of one picture, side by side; boxes that stand twice."""

from __future__ import annotations

import numpy as np

from pipeline.audit.annotations import compare, doubled
from pipeline.audit.image_alignment import Placement
from refinedet.boxes import as_boxes
from refinedet.data.coco import Annotated


def annotated(boxes: list[list[float]], labels: list[int] | None = None, ignored: bool = False) -> Annotated:
    count = len(boxes)
    return Annotated("a", 100, 80, as_boxes(boxes), np.array(labels or [0] * count, np.int64), np.full(count, ignored))


SHIPS = [[10.0, 10, 30, 20], [50, 40, 70, 60]]


def test_equal_annotations_agree_whatever_their_order() -> None:
    found = compare(annotated(SHIPS), annotated(SHIPS[::-1]))
    assert (found.agrees, found.matched, found.largest_px) == (True, 2, 0)


def test_a_ship_that_one_leaves_out_is_named() -> None:
    found = compare(annotated(SHIPS), annotated([[11, 10, 31, 20], [80, 60, 90, 70]]))
    assert not found.agrees
    assert (found.matched, found.largest_px) == (1, 1)
    assert found.only_first == [SHIPS[1]]
    assert found.only_second == [[80, 60, 90, 70]]


def test_another_class_or_one_that_is_ignored_disagrees() -> None:
    assert compare(annotated(SHIPS), annotated(SHIPS, [0, 1])).other_class == 1
    assert not compare(annotated(SHIPS), annotated(SHIPS, ignored=True)).agrees


def test_nothing_agrees_with_nothing() -> None:
    assert compare(annotated([]), annotated([])).agrees
    assert compare(annotated(SHIPS), annotated([])).only_first == SHIPS


def test_only_what_both_pictures_show_is_compared() -> None:
    """The second begins 40 px to the right and 30 below, at half the size: the first ship is not in it."""
    at = Placement(40, 30, 2.0, 2.0, shared_share=0.5, likeness=0.9)
    second = annotated([[5, 5, 15, 15], [40, 30, 50, 40]])  # at [50 40 70 60], and at [120 90 ...] beyond the first
    found = compare(annotated(SHIPS), second, at)
    assert (found.agrees, found.matched, found.largest_px) == (True, 1, 0)
    assert compare(annotated([]), second, at).only_second == [SHIPS[1]]


def test_boxes_that_lie_on_each_other_are_doubled_and_neighbours_are_not() -> None:
    assert doubled(annotated([*SHIPS, [10.5, 10, 30, 20], [20, 10, 40, 20]], [0, 0, 1, 0])) == [(0, 2)]
    assert doubled(annotated([])) == []
