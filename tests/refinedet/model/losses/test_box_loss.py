"""Box losses: by hand, zero for a right box, and with a slope that leads to it."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torchvision.ops import box_iou, complete_box_iou_loss

from refinedet.config.loss import BoxLoss
from refinedet.model.box_coder import decode, encode, to_cxcywh, to_xyxy
from refinedet.model.losses.box_loss import box_loss, paired_iou

KINDS: tuple[BoxLoss, ...] = get_args(BoxLoss)
ANCHOR = torch.tensor([[32.0, 32.0, 32.0, 16.0]])
TRUTH = torch.tensor([[20.0, 20.0, 50.0, 30.0]])
OFFSETS = st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=4, max_size=4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_right_box_costs_nothing(kind: BoxLoss) -> None:
    assert box_loss(ANCHOR, encode(ANCHOR, to_cxcywh(TRUTH)), TRUTH, kind).item() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_descent_leads_to_the_right_box(kind: BoxLoss) -> None:
    deltas = torch.zeros(1, 4, requires_grad=True)
    optimizer = torch.optim.Adam([deltas], lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        box_loss(ANCHOR, deltas, TRUTH, kind).sum().backward()
        optimizer.step()
    assert paired_iou(to_xyxy(decode(ANCHOR, deltas.detach())), TRUTH).item() > 0.95


def test_losses_by_hand() -> None:
    anchor = torch.tensor([[5.0, 5.0, 10.0, 10.0]])
    still = torch.zeros(1, 4)
    truth = torch.tensor([[0.0, 0.0, 10.0, 20.0]])  # IoU 1/2; the box around both is the truth
    assert box_loss(anchor, still, truth, "giou").item() == pytest.approx(0.5, rel=1e-5)
    # encoded: the centre is half an anchor lower, which is 5; twice as high, which is ln(2) / 0.2
    assert box_loss(anchor, still, truth, "smooth_l1").item() == pytest.approx(5 - 0.5 + 3.465736 - 0.5, rel=1e-5)
    assert box_loss(anchor, still, truth, "ciou").item() == pytest.approx(
        complete_box_iou_loss(torch.tensor([[0.0, 0.0, 10.0, 10.0]]), truth).item(), rel=1e-5
    )


@pytest.mark.parametrize("kind", KINDS)
@given(first=OFFSETS, second=OFFSETS)
def test_wild_offsets_have_a_finite_loss_and_slope(kind: BoxLoss, first: list[float], second: list[float]) -> None:
    refined = decode(ANCHOR, torch.tensor([first]))
    deltas = torch.tensor([second], requires_grad=True)
    loss = box_loss(refined, deltas, TRUTH, kind)
    assert loss.isfinite().all()
    (slope,) = torch.autograd.grad(loss.sum(), deltas)
    assert slope.isfinite().all()


def test_a_box_with_one_corner_does_not_break_the_aspect_term() -> None:
    far = torch.tensor([[1e4, 1e4, -40.0, 40.0]], requires_grad=True)
    refined = decode(ANCHOR, far.detach())
    corners = to_xyxy(decode(refined, far.detach()))
    assert (corners[:, 2:] == corners[:, :2]).any()  # what this test is about
    (slope,) = torch.autograd.grad(box_loss(refined, far, TRUTH, "ciou").sum(), far)
    assert slope.isfinite().all()


@given(st.lists(st.tuples(*[st.integers(0, 30)] * 2, *[st.integers(1, 30)] * 2), min_size=2, max_size=8))
def test_paired_iou_is_the_diagonal_of_all_pairs(values: list[tuple[int, ...]]) -> None:
    boxes: Tensor = torch.tensor(values, dtype=torch.float32)
    boxes[:, 2:] += boxes[:, :2]
    other = boxes.roll(1, 0)
    torch.testing.assert_close(paired_iou(boxes, other), box_iou(boxes, other).diagonal())
    assert paired_iou(boxes[:0], other[:0]).shape == (0,)
