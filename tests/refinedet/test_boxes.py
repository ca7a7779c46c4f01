"""Box maths against torchvision and against itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from torchvision.ops import box_iou

from refinedet import boxes
from refinedet.errors import InputError

CORNER = arrays(np.float32, st.tuples(st.integers(0, 8), st.just(2)), elements=st.floats(-100, 500, width=32))


@st.composite
def box_arrays(draw: st.DrawFn) -> boxes.Boxes:
    """(N, 4) valid boxes, some without area."""
    corner = draw(CORNER)
    size = draw(arrays(np.float32, corner.shape, elements=st.floats(0, 200, width=32)))
    return boxes.as_boxes(np.concatenate([corner, corner + size], axis=1))


@given(box_arrays(), box_arrays())
def test_iou_agrees_with_torchvision(a: boxes.Boxes, b: boxes.Boxes) -> None:
    expected = box_iou(torch.from_numpy(a).double(), torch.from_numpy(b).double()).nan_to_num().numpy()
    # float32 coordinates of up to 700 px: the area of a sliver is known to some 1e-4 of a square pixel
    solid = (boxes.area(a)[:, None] > 1) & (boxes.area(b)[None] > 1)
    np.testing.assert_allclose(boxes.iou(a, b)[solid], expected[solid], atol=1e-3)


@given(box_arrays(), box_arrays())
def test_overlaps_lie_in_zero_to_one_and_ios_is_at_least_iou(a: boxes.Boxes, b: boxes.Boxes) -> None:
    iou, ios = boxes.iou(a, b), boxes.ios(a, b)
    assert ((iou >= 0) & (ios <= 1 + 1e-5)).all()
    assert (ios >= iou - 1e-5).all()


@given(box_arrays())
def test_flipping_twice_changes_nothing(a: boxes.Boxes) -> None:
    np.testing.assert_allclose(boxes.flip_horizontal(boxes.flip_horizontal(a, 300), 300), a, atol=1e-3)
    np.testing.assert_allclose(boxes.flip_vertical(boxes.flip_vertical(a, 300), 300), a, atol=1e-3)


def test_flips_by_hand() -> None:
    a = boxes.as_boxes([[10, 20, 40, 30]])
    assert boxes.flip_horizontal(a, 100).tolist() == [[60, 20, 90, 30]]
    assert boxes.flip_vertical(a, 100).tolist() == [[10, 70, 40, 80]]
    assert a.tolist() == [[10, 20, 40, 30]]


def test_cocos_layout_by_hand_leaves_its_argument_alone() -> None:
    size = boxes.as_boxes([[1, 2, 10, 20]])
    assert boxes.xywh_to_xyxy(size).tolist() == [[1, 2, 11, 22]]
    assert size.tolist() == [[1, 2, 10, 20]]


def test_boxes_without_an_area_overlap_nothing() -> None:
    odd = boxes.as_boxes([[5, 5, 5, 9], [8, 8, 2, 2], [0, 0, 10, 10]])  # a line, an inverted one, a square
    assert boxes.area(odd).tolist() == [0, 0, 100]
    for overlap in (boxes.iou, boxes.ios):
        assert overlap(odd, odd)[:2, :2].tolist() == [[0, 0], [0, 0]]


def test_half_a_box_by_hand() -> None:
    whole, half = boxes.as_boxes([[0, 0, 10, 10]]), boxes.as_boxes([[0, 0, 5, 10]])
    assert boxes.iou(whole, half)[0, 0] == pytest.approx(0.5)
    assert boxes.ios(whole, half)[0, 0] == pytest.approx(1.0)


def test_clip_and_shift_by_hand_leave_their_argument_alone() -> None:
    original = boxes.as_boxes([[-5, 2, 12, 30]])
    assert boxes.clip(original, 10, 20).tolist() == [[0, 2, 10, 20]]
    assert boxes.shift(original, 5, -2).tolist() == [[0, 0, 17, 28]]
    assert original.tolist() == [[-5, 2, 12, 30]]


def test_nothing_has_the_shape_of_no_boxes_and_other_shapes_are_refused() -> None:
    assert boxes.as_boxes([]).shape == (0, 4)
    with pytest.raises(InputError, match=r"\(N, 4\)"):
        boxes.as_boxes([[1, 2, 3]])


@given(arrays(np.bool_, st.tuples(st.integers(0, 6), st.integers(0, 6))))
def test_covering_boxes_hold_each_true_pixel_once_and_no_other(mask: NDArray[np.bool_]) -> None:
    counted = np.zeros(mask.shape, int)
    for x1, y1, x2, y2 in boxes.covering(mask).astype(int):
        counted[y1:y2, x1:x2] += 1
    assert (counted == mask).all()
