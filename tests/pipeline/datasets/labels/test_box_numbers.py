"""Numbers of a box in the conventions that can be asked for."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.datasets.labels.box_numbers import BoxFormat, guess_radians, to_standard


def rows(*boxes: list[float]) -> list[Any]:
    return [{"image_id": 1, "bbox": box} for box in boxes]


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
