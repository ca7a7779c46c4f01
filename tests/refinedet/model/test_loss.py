"""Matching and losses: by hand where it can be done, and defined where there is nothing to learn."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from refinedet.config import LossConfig, ModelConfig
from refinedet.model.anchors import anchors, level_sizes
from refinedet.model.box_coder import encode, to_cxcywh, to_xyxy
from refinedet.model.loss import Target, detection_losses
from refinedet.model.matching import BACKGROUND, IGNORE, inside_ignored, match_arm, match_odm
from refinedet.model.network import RawOutputs, RefineDet

CONFIG = ModelConfig(backbone_weights="none", tcb_channels=16)
SIZES = level_sizes(64, 64, CONFIG)


TWO_CLASSES = ModelConfig(backbone_weights="none", num_classes=2)


def waves(*shape: int, phase: float) -> Tensor:
    """Numbers in [-1, 1] that look random and are the same everywhere."""
    return torch.sin(1.7 * torch.arange(math.prod(shape)) + phase).reshape(shape)


def outputs(scale: float = 1.0) -> RawOutputs:
    """Outputs of no network in particular for two images and two classes, as leaves."""
    boxes = anchors(64, 64, TWO_CLASSES)
    n = len(boxes)
    arm = 2 * waves(2, n, phase=0) - 1, waves(2, n, 4, phase=1)
    odm = 2 * waves(2, n, 2, phase=2) - 1, waves(2, n, 4, phase=3)
    return RawOutputs(boxes, *((scale * x).requires_grad_() for x in (*arm, *odm)))


def gradients(raw: RawOutputs, losses: dict[str, Tensor]) -> tuple[Tensor, ...]:
    leaves = (raw.arm_logits, raw.arm_deltas, raw.odm_logits, raw.odm_deltas)
    return torch.autograd.grad(torch.stack(list(losses.values())).sum(), leaves)


def crowded() -> list[Target]:
    """Two ships on nearly one place, one thin, one of a pixel, an ignored region; and an image with one ship."""
    boxes = [[4.0, 4, 40, 30], [5.0, 5, 40, 30], [50.0, 2, 52, 60], [30.0, 40, 31, 41]]
    first = Target(torch.tensor(boxes), torch.tensor([0, 1, 0, 1]), torch.tensor([[0.0, 32, 32, 64]]))
    return [first, Target(torch.tensor([[10.0, 20, 44, 40]]), torch.tensor([1]), torch.zeros(0, 4))]


def test_the_default_losses_are_those_that_published_figures_were_trained_with() -> None:
    raw = outputs()
    losses = detection_losses(raw, crowded(), SIZES, LossConfig())
    assert {k: v.item() for k, v in losses.items()} == pytest.approx(
        {"arm_objectness": 4.6661062, "arm_box": 1.2296810, "odm_class": 22.5516643, "odm_box": 0.9730172}, rel=1e-5
    )
    sums = [float(g.abs().sum()) for g in gradients(raw, losses)]
    assert sums == pytest.approx([5.8709345, 0.4803240, 13.7556229, 0.5857925], rel=1e-5)


def target(*boxes: list[float], ignored: tuple[list[float], ...] = ()) -> Target:
    return Target(
        torch.tensor(boxes).reshape(-1, 4),
        torch.zeros(len(boxes), dtype=torch.int64),
        torch.tensor(ignored).reshape(-1, 4),
    )


@pytest.mark.parametrize(
    "targets",
    [
        [target(), target()],  # no ship anywhere
        [target([4, 4, 40, 30]), target()],  # one image with, one without
        [target([10, 10, 11, 11]), target([0, 0, 64, 64])],  # one pixel, and the whole chip
        [target(ignored=([0, 0, 64, 64],)), target()],  # all of an image ignored
    ],
    ids=["empty", "mixed", "extreme sizes", "ignored"],
)
def test_losses_are_finite_and_reach_every_weight(targets: list[Target]) -> None:
    torch.manual_seed(0)
    model = RefineDet(CONFIG).train()
    losses = detection_losses(model(torch.rand(2, 3, 64, 64) * 255), targets, SIZES, LossConfig())
    total = torch.stack(list(losses.values())).sum()
    assert total.isfinite()
    assert total > 0
    total.backward()
    reached = {n: p.grad for n, p in model.named_parameters()}
    assert all(g is not None and g.isfinite().all() for g in reached.values())
    classes = reached["odm.0.bias"]
    assert classes is not None
    assert classes[:, 4:].abs().sum() > 0


def perfect(truth: Tensor) -> RawOutputs:
    """Outputs in which the first anchor says exactly `truth`, with certainty, and all others say background."""
    boxes = anchors(64, 64, CONFIG)
    count = len(boxes)
    arm_logits, odm_logits = torch.full((1, count), -20.0), torch.full((1, count, 1), -20.0)
    deltas = torch.zeros(1, count, 4)
    best = int(match_arm(boxes, SIZES, truth, 9).argmax())
    deltas[0, best] = encode(boxes[best], to_cxcywh(truth[0]))
    arm_logits[0, best], odm_logits[0, best] = 20, 20
    return RawOutputs(boxes, arm_logits, deltas, odm_logits, torch.zeros(1, count, 4))


def test_a_perfect_odm_has_no_class_or_box_loss() -> None:
    truth = torch.tensor([[3.0, 5.0, 21.0, 11.0]])
    losses = detection_losses(perfect(truth), [target(*truth.tolist())], SIZES, LossConfig())
    assert losses["odm_box"] == pytest.approx(0, abs=1e-5)
    assert losses["odm_class"] == pytest.approx(0, abs=1e-3)


def test_every_ship_has_an_anchor_in_both_steps() -> None:
    boxes = anchors(64, 64, CONFIG)
    ships = torch.tensor([[1.0, 1.0, 3.0, 60.0], [30.0, 30.0, 33.0, 32.0], [0.0, 0.0, 64.0, 64.0]])  # thin, tiny, huge
    assert set(match_arm(boxes, SIZES, ships, 9).tolist()) == {BACKGROUND, 0, 1, 2}
    assert {0, 1, 2} <= set(match_odm(to_xyxy(boxes), ships, 0.5, 0.4).tolist())


def test_odm_thresholds_by_hand() -> None:
    ship = torch.tensor([[0.0, 0.0, 10.0, 10.0]])
    refined = torch.tensor(
        [
            [0.0, 0.0, 10.0, 10.0],  # IoU 1
            [0.0, 0.0, 10.0, 6.0],  # 0.6: positive
            [0.0, 0.0, 10.0, 4.5],  # 0.45: between
            [0.0, 0.0, 10.0, 3.0],  # 0.3: background
        ]
    )
    assert match_odm(refined, ship, 0.5, 0.4).tolist() == [0, 0, IGNORE, BACKGROUND]


def test_ignored_regions_swallow_the_boxes_that_lie_in_them() -> None:
    boxes = torch.tensor([[0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 40.0, 4.0]])  # inside; a tenth inside
    assert inside_ignored(boxes, torch.tensor([[0.0, 0.0, 4.0, 8.0]])).tolist() == [True, False]
    assert inside_ignored(boxes, torch.zeros(0, 4)).tolist() == [False, False]
