"""Numbers of a box: other conventions are noticed, and what is asked for is done."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.datasets.labels.box_numbers import BoxFormat, guess_radians, refuse_corners, to_standard
from refinedet.errors import InputError

SIDE = 100
PATH = Path("ann.json")


def rows(*boxes: list[float]) -> list[Any]:
    return [{"image_id": 1, "bbox": box} for box in boxes]


def check(*boxes: list[float]) -> None:
    refuse_corners(rows(*boxes), {1: (SIDE, SIDE)}, PATH)


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
    refuse_corners([{"image_id": 2, "bbox": [90, 90, 90, 90]}, [1], {"bbox": 3}], {1: (SIDE, SIDE)}, PATH)


@given(st.floats(1, 40), st.floats(1, 40), st.floats(1, 30), st.floats(1, 30))
def test_every_convention_gives_the_same_box(x: float, y: float, w: float, h: float) -> None:
    written: dict[BoxFormat, list[float]] = {
        "xywh": [x, y, w, h],
        "xyxy": [x, y, x + w, y + h],
        "cxcywh": [x + w / 2, y + h / 2, w, h],
    }
    for boxes, numbers in written.items():
        found = to_standard(rows(numbers), boxes, radians=False)[0][0]["bbox"]
        assert found == pytest.approx([x, y, w, h], abs=1e-9)


def test_radians_are_told_from_degrees_and_told() -> None:
    turned = rows(*[[1, 1, 9, 3, angle] for angle in (0.3, -1.2, 3.1)])
    assert guess_radians(turned)
    assert not guess_radians(turned[:2]), "too few to tell"
    assert not guess_radians([*turned, *rows([1, 1, 9, 3, 30.0])])
    assert not guess_radians([*rows([1, 2, 3, 4]), [1], {"bbox": None}])
    changed, notes = to_standard(turned, "xywh", radians=True)
    assert changed[0]["bbox"] == [1, 1, 9, 3, pytest.approx(math.degrees(0.3))]
    assert "boxes of five numbers: 3" in notes[0]
    assert "radians" in notes[0]
