"""Objects of COCO files: box, turned box, polygons and masks become the corners that a person would draw."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as masks

from refinedet.data.objects import around_turned, corners_of

WIDTH, HEIGHT = 30, 20
RING = [2, 3, 8, 3, 8, 9, 2, 9]


def encoded(x: slice, y: slice) -> dict[str, Any]:
    """Run lengths of a rectangle, compressed."""
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8, order="F")
    pixels[y, x] = 1
    found = masks.encode(pixels)
    return {"counts": found["counts"].decode(), "size": [HEIGHT, WIDTH]}


@pytest.mark.parametrize(
    ("annotation", "corners", "drawn"),
    [
        pytest.param({"bbox": [1, 2, 3, 4]}, (1, 2, 4, 6), "box", id="box"),
        pytest.param({"bbox": [1, 2, 3, 4], "segmentation": [RING]}, (1, 2, 4, 6), "box", id="box before polygon"),
        pytest.param({"segmentation": [RING]}, (2, 3, 8, 9), "polygon", id="polygon alone"),
        pytest.param({"bbox": [], "segmentation": [RING]}, (2, 3, 8, 9), "polygon", id="empty box"),
        pytest.param({"bbox": [0, 0, 0, 0], "segmentation": [RING]}, (2, 3, 8, 9), "polygon", id="box of zeros"),
        pytest.param({"segmentation": RING}, (2, 3, 8, 9), "polygon", id="polygon without its brackets, as VIA writes"),
        pytest.param({"segmentation": [RING, [0, 0, 1, 0, 1, 15]]}, (0, 0, 8, 15), "polygon", id="two polygons"),
        pytest.param({"segmentation": encoded(slice(4, 9), slice(2, 5))}, (4, 2, 9, 5), "mask", id="compressed runs"),
        pytest.param(
            {"segmentation": {"counts": [41, 2, 18, 2, 537], "size": [HEIGHT, WIDTH]}}, (2, 1, 4, 3), "mask", id="runs"
        ),
        pytest.param({"bbox": [2, 4, 8, 2], "attributes": {"rotation": 90}}, (5, 1, 7, 9), "turned box", id="CVAT"),
        pytest.param({"bbox": [2, 4, 8, 2], "attributes": {"rotation": 0.0}}, (2, 4, 10, 6), "box", id="not turned"),
        pytest.param({"bbox": [2, 4, 8, 2], "attributes": {"rotation": "90"}}, (5, 1, 7, 9), "turned box", id="text"),
        pytest.param({"bbox": [2, 4, 8, 2, -90]}, (5, 1, 7, 9), "turned box", id="five numbers"),
        pytest.param({"bbox": [2, 4, 8, 2, 0]}, (2, 4, 10, 6), "box", id="five numbers, not turned"),
        pytest.param({"bbox": [2, 4, 8, 2], "rotation": 90}, (5, 1, 7, 9), "turned box", id="rotation of the object"),
        pytest.param({"bbox": [2, 4, 8, 2, 45], "segmentation": [RING]}, (2, 3, 8, 9), "polygon", id="its own outline"),
    ],
)
def test_an_object_has_the_corners_of_its_drawing(
    annotation: dict[str, Any], corners: tuple[float, ...], drawn: str
) -> None:
    found = corners_of(annotation, WIDTH, HEIGHT)
    assert found is not None
    assert found[0] == pytest.approx(corners, abs=1e-9)
    assert found[1] == drawn


@pytest.mark.parametrize(
    "annotation",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"bbox": None}, id="null"),
        pytest.param({"bbox": [1, 2, 3]}, id="three numbers"),
        pytest.param({"bbox": [1, 2, 3, 4, 5, 6]}, id="six numbers"),
        pytest.param({"bbox": [1, 2, 3, 4, math.nan]}, id="turned by NaN"),
        pytest.param({"bbox": [1, 2, 3, 4], "attributes": {"rotation": "steep"}}, id="turned by a word"),
        pytest.param({"bbox": [1, 2, 3, 4], "attributes": {"rotation": [4]}}, id="turned by a list"),
        pytest.param({"segmentation": []}, id="no polygon"),
        pytest.param({"segmentation": [[1, 2, 3, 4]]}, id="two points"),
        pytest.param({"segmentation": [[1, 2, 3, 4, 5, 6, 7]]}, id="half a point"),
        pytest.param({"segmentation": [RING, "x"]}, id="a word among polygons"),
        pytest.param({"segmentation": [[math.nan, 2, 3, 4, 5, 6]]}, id="NaN in a polygon"),
        pytest.param({"segmentation": {"counts": [600], "size": [WIDTH, HEIGHT]}}, id="mask of another size"),
        pytest.param({"segmentation": {"counts": [599], "size": [HEIGHT, WIDTH]}}, id="runs that end early"),
        pytest.param({"segmentation": {"counts": [-1, 601], "size": [HEIGHT, WIDTH]}}, id="negative run"),
        pytest.param({"segmentation": {"counts": "nY;P", "size": [0, 0]}}, id="mask without pixels"),
        pytest.param({"segmentation": {"counts": "nYo", "size": [HEIGHT, WIDTH]}}, id="runs that go on after the end"),
        pytest.param({"segmentation": {"counts": "ab ~", "size": [HEIGHT, WIDTH]}}, id="no run lengths"),
        pytest.param({"segmentation": 7}, id="a number"),
    ],
)
def test_what_cannot_be_read_has_no_corners(annotation: dict[str, Any]) -> None:
    assert corners_of(annotation, WIDTH, HEIGHT) is None


sides = st.floats(0.5, 500)
places = st.floats(-1000, 1000)
turns = st.floats(-720, 720)


@given(x=places, y=places, w=sides, h=sides, degrees=turns)
def test_the_box_around_a_turned_box_touches_its_corners(
    x: float, y: float, w: float, h: float, degrees: float
) -> None:
    """Each side of it holds one of the turned corners, and none lies beyond."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turned = [
        (x + w / 2 + cos * dx - sin * dy, y + h / 2 + sin * dx + cos * dy)
        for dx, dy in ((-w / 2, -h / 2), (w / 2, -h / 2), (w / 2, h / 2), (-w / 2, h / 2))
    ]
    across, down = (sorted(point[axis] for point in turned) for axis in (0, 1))
    expected = (across[0], down[0], across[-1], down[-1])
    assert around_turned((x, y, x + w, y + h), degrees) == pytest.approx(expected, abs=1e-6)


@given(x=places, y=places, w=sides, h=sides, degrees=turns)
def test_half_a_turn_and_the_other_way_round_change_nothing(
    x: float, y: float, w: float, h: float, degrees: float
) -> None:
    corners = (x, y, x + w, y + h)
    around = pytest.approx(around_turned(corners, degrees), abs=1e-6)
    assert around_turned(corners, degrees + 180) == around
    assert around_turned(corners, -degrees) == around


@given(w=sides, h=sides, degrees=turns)
def test_a_turned_box_is_never_smaller_than_half_its_long_side(w: float, h: float, degrees: float) -> None:
    x1, y1, x2, y2 = around_turned((0, 0, w, h), degrees)
    assert (x2 - x1) * (y2 - y1) >= w * h * (1 - 1e-9)
    assert max(x2 - x1, y2 - y1) >= max(w, h) * math.sqrt(0.5) * (1 - 1e-9)
    assert math.hypot(x2 - x1, y2 - y1) <= math.sqrt(2) * math.hypot(w, h) * (1 + 1e-9)
