"""Encoding and decoding are inverse, and follow the paper's formula."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from refinedet.model.box_coder import decode, encode, to_cxcywh, to_xyxy

SIDES = st.floats(1, 500)
PLACES = st.floats(-500, 1000)
BOX = st.tuples(PLACES, PLACES, SIDES, SIDES)


@given(BOX, BOX)
def test_decode_inverts_encode(anchor: tuple[float, ...], box: tuple[float, ...]) -> None:
    a, b = torch.tensor([anchor], dtype=torch.float64), torch.tensor([box], dtype=torch.float64)
    torch.testing.assert_close(decode(a, encode(a, b)), b, atol=1e-6, rtol=1e-9)


@given(BOX)
def test_corners_and_centres_are_inverse(box: tuple[float, ...]) -> None:
    b = torch.tensor([box], dtype=torch.float64)
    torch.testing.assert_close(to_cxcywh(to_xyxy(b)), b)


def test_decode_by_hand() -> None:
    out = decode(torch.tensor([10.0, 20.0, 4.0, 8.0]), torch.tensor([1.0, -1.0, 1.0, 0.0]))
    assert out.tolist() == pytest.approx([10.4, 19.2, 4 * math.exp(0.2), 8])


@given(BOX, st.lists(st.floats(-1e38, 1e38), min_size=4, max_size=4))
def test_wild_offsets_give_finite_boxes_with_an_area(anchor: tuple[float, ...], deltas: list[float]) -> None:
    once = decode(torch.tensor(anchor), torch.tensor(deltas))
    twice = decode(once, torch.tensor(deltas))  # as the ODM does
    assert to_xyxy(twice).isfinite().all()
    assert (twice[2:] > 0).all()


def test_offsets_are_clamped_far_from_any_ship() -> None:
    huge = decode(torch.tensor([[0.0, 0.0, 4.0, 4.0]] * 2), torch.tensor([[1e6], [-1e6]]).expand(2, 4))
    torch.testing.assert_close(huge, torch.tensor([[4e4, 4e4, 4e3, 4e3], [-4e4, -4e4, 4e-3, 4e-3]]))
