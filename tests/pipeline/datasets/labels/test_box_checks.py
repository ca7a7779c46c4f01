"""Boxes of label sets: other conventions are noticed in every format, and swapped corners are put in order."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pipeline.datasets.labels.box_checks import check_boxes, refuse_sizes
from pipeline.datasets.labels.label_set import LabelSet
from refinedet.errors import InputError

SIDE = 100


def labels(rows: list[Any], kind: str = "COCO") -> LabelSet:
    image = {"id": 1, "file_name": "a.png", "width": SIDE, "height": SIDE}
    return LabelSet({"images": [image], "annotations": rows, "categories": []}, {}, "ann.json", kind)


def of(*boxes: list[float], kind: str = "COCO") -> LabelSet:
    return labels([{"image_id": 1, "bbox": box} for box in boxes], kind)


def check(*boxes: list[float], kind: str = "COCO") -> None:
    check_boxes(of(*boxes, kind=kind), None)


def test_two_corners_are_refused_with_what_helps() -> None:
    boxes = [[x, 40, x + 12.0, 48] for x in range(5, 80, 5)]
    with pytest.raises(InputError, match=r"found 7 of 15 that reach beyond; .*two corners: set `boxes` to xyxy"):
        check(*boxes)


def test_boxes_beyond_that_cannot_be_corners_are_refused_without_a_guess() -> None:
    with pytest.raises(InputError, match="set `boxes` to xyxy if they are two corners, to cxcywh if"):
        check(*[[90.0, 90, 20, 20]] * 3, [1, 1, 5, 5])


def test_shares_of_the_image_are_refused() -> None:
    with pytest.raises(InputError, match="are they shares of the image"):
        check([0.1, 0.2, 0.3, 0.1], [0.5, 0.5, 0.1, 0.2])


@pytest.mark.parametrize(
    "boxes",
    [
        pytest.param([], id="none"),
        pytest.param([[20, 20, 60, 60]] * 9, id="chips of one ship, which could be corners, too"),
        pytest.param([[95, 20, 10, 10], *[[20, 20, 5, 5]] * 9], id="a tenth at the border"),
        pytest.param([[90, 20, 11, 10]] * 9, id="whole pixels, one too far"),
        pytest.param([[0, 0, 0, 0]] * 9, id="empty boxes beside polygons"),
        pytest.param([[math.nan, 0, 3, 4], [1, 2, 3]], id="no numbers"),
    ],
)
def test_boxes_that_can_be_what_they_should_are_let_through(boxes: list[list[float]]) -> None:
    check(*boxes)


def test_boxes_of_unknown_images_say_nothing() -> None:
    check_boxes(labels([{"image_id": 2, "bbox": [90, 90, 90, 90]}, [1], {"bbox": 3}]), None)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("YOLO", "found 3 of 4 that reach beyond; do the lines hold two corners"),
        ("VOC", "beyond; are the images resized"),
    ],
)
def test_the_rule_holds_for_all_formats(kind: str, words: str) -> None:
    with pytest.raises(InputError, match=f"expected boxes within their images in ann.json, {words}|{words}"):
        check(*[[90.0, 90, 20, 20]] * 3, [1, 1, 5, 5], kind=kind)
    check([90.0, 90, 20, 20], [1, 1, 5, 5], kind=kind)  # one box of a small split


def test_boxes_that_the_user_set_are_let_through() -> None:
    assert check_boxes(of(*[[90.0, 90, 20, 20]] * 3), "xywh") == of(*[[90.0, 90, 20, 20]] * 3)


@pytest.mark.parametrize(
    ("kind", "box", "expected"),
    [
        ("COCO", [30, 40, -10, -20], [20, 20, 10, 20]),
        ("COCO", [30, 40, -10, 20], [20, 40, 10, 20]),
        ("COCO", [30, 40, 10, -20], [30, 20, 10, 20]),
        ("VOC", [29, 39, -9, -19], [19, 19, 11, 21]),  # corners 30, 40 and 20, 20 of included pixels
    ],
)
def test_swapped_corners_are_put_in_order_and_told(kind: str, box: list[float], expected: list[float]) -> None:
    found = check_boxes(of(box, [1, 2, 3, 4], kind=kind), None)
    assert [row["bbox"] for row in found.document["annotations"]] == [expected, [1, 2, 3, 4]]
    assert len(found.notes) == 1
    assert found.notes[0].startswith("1 of 2 boxes have swapped corners")


@pytest.mark.parametrize(
    "box",
    [
        pytest.param([30, 40, -30, -40], id="second corner 0, 0"),
        pytest.param([30, 40, -31, -41], id="second corner -1, -1"),
        pytest.param([30, 40, -1, -1], id="size -1, -1"),
        pytest.param([130, 40, -20, -20], id="beyond the image"),
    ],
)
def test_numbers_that_may_be_no_box_stay_as_they_are(box: list[float]) -> None:
    one = of(box, *[[1.0, 2, 3, 4]] * 9)
    assert check_boxes(one, None) == one


def test_sizes_in_place_of_a_second_corner_are_refused() -> None:
    with pytest.raises(InputError, match="found 1 of 2 whose second corner is left of the first or above it; set `box"):
        refuse_sizes(of([60, 50, -50, -45], [5, 6, 3, 4], kind="table"))
    refuse_sizes(of([60, 50, -5, -5], [5, 6, 3, 4], kind="table"))  # 60 + 55 is beyond the image
    refuse_sizes(of([5, 6, 3, 4], kind="table"))


def test_sizes_in_voc_are_refused_but_a_few_swapped_corners_are_put_in_order() -> None:
    sizes = [[60.0, 50, -50, -45], [40.0, 30, -32, -24], [70.0, 20, -58, -12], [5.0, 6, 3, 4]]
    with pytest.raises(InputError, match=r"found 3 of 4 whose second corner .*; they look like corner and size: write"):
        check_boxes(of(*sizes, kind="VOC"), None)
    assert check_boxes(of(*sizes[1:], kind="VOC"), None).notes[0].startswith("2 of 3 boxes have swapped corners")
    beyond = [95.0, 90, -5, -20]  # as a size, 90 x 70 lies beyond the image of 100 x 100
    assert len(check_boxes(of(*sizes, beyond, kind="VOC"), None).notes) == 1
