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


def test_a_wild_offset_stays_finite() -> None:
    assert decode(torch.ones(4), torch.full((4,), 1e6)).isfinite().all()
