"""The losses of both modules: pinned, finite whatever the settings and the batch, and split over processes."""

from __future__ import annotations

import itertools
import math
from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from refinedet.config import LossConfig, ModelConfig
from refinedet.config.loss import ArmMatching, BoxLoss, Classification, ObjectnessTarget
from refinedet.errors import InputError
from refinedet.model.anchors import anchors, level_sizes
from refinedet.model.box_coder import encode, to_cxcywh, to_xyxy
from refinedet.model.losses.loss import Target, at_least_one, detection_losses
from refinedet.model.losses.matching import match_atss, match_iou
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


def test_the_default_losses_stay_as_they_were() -> None:
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
    best = int(match_atss(boxes, SIZES, truth, 9).argmax())
    deltas[0, best] = encode(boxes[best], to_cxcywh(truth[0]))
    arm_logits[0, best], odm_logits[0, best] = 20, 20
    return RawOutputs(boxes, arm_logits, deltas, odm_logits, torch.zeros(1, count, 4))


def test_a_perfect_odm_has_no_class_or_box_loss() -> None:
    truth = torch.tensor([[3.0, 5.0, 21.0, 11.0]])
    losses = detection_losses(perfect(truth), [target(*truth.tolist())], SIZES, LossConfig())
    assert losses["odm_box"] == pytest.approx(0, abs=1e-5)
    assert losses["odm_class"] == pytest.approx(0, abs=1e-3)


ALL = [
    LossConfig(arm_matching=matching, classification=classification, box=box, objectness_target=objectness)
    for matching, classification, box, objectness in itertools.product(
        get_args(ArmMatching), get_args(Classification), get_args(BoxLoss), get_args(ObjectnessTarget)
    )
]
every_config = pytest.mark.parametrize(
    "config", ALL, ids=lambda c: f"{c.arm_matching}-{c.classification}-{c.box}-{c.objectness_target}"
)


def assert_finite(raw: RawOutputs, targets: list[Target], config: LossConfig) -> None:
    losses = detection_losses(raw, targets, SIZES, config)
    assert all(loss.isfinite() and loss >= -1e-4 for loss in losses.values()), losses
    assert all(g.isfinite().all() for g in gradients(raw, losses))


def one_image(raw: RawOutputs, image: int = 0) -> RawOutputs:
    own = slice(image, image + 1)
    return RawOutputs(
        raw.anchors_cxcywh, raw.arm_logits[own], raw.arm_deltas[own], raw.odm_logits[own], raw.odm_deltas[own]
    )


@every_config
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_every_setting_is_finite_for_every_batch(config: LossConfig, scale: float) -> None:
    batches = [
        crowded(),
        [target(), target()],  # no ship anywhere
        [target([10, 10, 11, 11]), target([0, 0, 64, 64])],  # one pixel, and the whole chip
        [target([3, 0, 3.01, 64], [0, 7, 64, 7.5]), target()],  # thinner than any anchor
        [target(ignored=([0, 0, 64, 64],)), target(ignored=([-999, -999, 999, 999],))],  # nothing but crowds
        [target([-90, -90, -10, -20], [80, 0, 200, 64]), target([500, 500, 510, 510])],  # outside the canvas
        [target([9, 9, 9, 9], [9, 9, 9, 30]), target([30, 30, 9, 9])],  # without an area
    ]
    for targets in batches:
        assert_finite(outputs(scale), targets, config)
    alone = one_image(outputs(scale))
    losses = detection_losses(alone, [target()], SIZES, config)
    assert all(loss.isfinite() for loss in losses.values())


@settings(max_examples=60)
@given(
    config=st.sampled_from(ALL),
    boxes=st.lists(st.lists(st.floats(-200, 300, width=32), min_size=4, max_size=4), max_size=5),
    scale=st.sampled_from([0.0, 1.0, 30.0, 1e4]),
)
def test_any_boxes_are_finite(config: LossConfig, boxes: list[list[float]], scale: float) -> None:
    assert_finite(outputs(scale), [target(*boxes), target(ignored=tuple(boxes))], config)


@every_config
def test_ranks_that_share_their_divisors_have_the_gradient_of_one_process(config: LossConfig) -> None:
    """Two ranks with one image each, the second without a ship; their gradients are averaged, as DDP does."""
    targets = [crowded()[0], target()]
    whole = outputs()
    expected = gradients(whole, detection_losses(whole, targets, SIZES, config))
    counts: list[list[Tensor]] = [[], []]

    for rank in range(2):

        def count(local: Tensor, rank: int = rank) -> Tensor:
            counts[rank].append(local)
            return at_least_one(local)

        detection_losses(one_image(outputs(), rank), [targets[rank]], SIZES, config, count)
    assert [len(c) for c in counts] == [2, 2]  # as many calls, whatever the batch holds
    assert all(c.ndim == 0 and not c.requires_grad and c.dtype == torch.float32 for c in itertools.chain(*counts))
    divisors = [at_least_one(a + b) / 2 for a, b in zip(*counts, strict=True)]

    split = outputs()
    parts = []
    for rank in range(2):
        shared = list(divisors)
        losses = detection_losses(one_image(split, rank), [targets[rank]], SIZES, config, lambda _, d=shared: d.pop(0))
        parts.append(gradients(split, losses))
    for one, a, b in zip(expected, *parts, strict=True):
        torch.testing.assert_close((a + b) / 2, one, rtol=1e-5, atol=1e-7)


def test_the_published_losses_by_hand() -> None:
    """One ship on one anchor; everything else far away, so that only the hardest negatives and the ship count."""
    published = LossConfig(
        arm_matching="iou", odm_negative_iou=0.5, classification="hard_negative", box="smooth_l1", box_weight=1.0
    )
    truth = torch.tensor([[1.0, 1.0, 4.0, 5.0]])
    boxes = anchors(64, 64, CONFIG)
    arm = match_iou(to_xyxy(boxes), truth, 0.5, 0.5)
    assert (arm >= 0).sum() == 1  # smaller than any anchor: it only claims its best
    n, best = len(boxes), int(arm.argmax())
    raw = RawOutputs(boxes, torch.zeros(1, n), torch.zeros(1, n, 4), torch.zeros(1, n, 1), torch.zeros(1, n, 4))
    losses = detection_losses(raw, [target(*truth.tolist())], SIZES, published)
    goal = encode(boxes[best], to_cxcywh(truth[0])).abs()
    smooth = float(torch.where(goal < 1, goal**2 / 2, goal - 0.5).sum())
    # one positive and three negatives, each of which costs ln 2 at logit 0
    assert {k: v.item() for k, v in losses.items()} == pytest.approx(
        {"arm_objectness": 4 * math.log(2), "arm_box": smooth, "odm_class": 4 * math.log(2), "odm_box": smooth}
    )


def part_of_an_anchor() -> tuple[int, Target]:
    """An anchor, and a ship that its box overlaps with an IoU of 0.6."""
    index = 100
    x1, y1, x2, y2 = to_xyxy(anchors(64, 64, TWO_CLASSES)[index]).tolist()
    return index, target([x1, y1, x2, y1 + 0.6 * (y2 - y1)])


@pytest.mark.parametrize(("objectness", "right"), [("hard", 30.0), ("iou", math.log(0.6 / 0.4))])
def test_the_objectness_learns_one_or_the_overlap(objectness: ObjectnessTarget, right: float) -> None:
    index, ship = part_of_an_anchor()
    config = LossConfig(objectness_target=objectness, arm_matching="iou")
    for logit, done in ((right, True), (0.0, False)):
        raw = outputs(0.0)
        with torch.no_grad():
            raw.arm_logits[:] = logit
        loss = detection_losses(raw, [ship, target()], SIZES, config)["arm_objectness"]
        (slope,) = torch.autograd.grad(loss, raw.arm_logits)
        assert slope[0, index].item() <= 1e-6  # it is a positive
        assert (slope[0, index].abs() < 1e-6) == done


@pytest.mark.parametrize(
    ("kind", "right"), [("focal", 30.0), ("hard_negative", 30.0), ("quality", math.log(0.6 / 0.4))]
)
def test_the_class_learns_one_or_the_overlap(kind: Classification, right: float) -> None:
    index, ship = part_of_an_anchor()
    for logit, done in ((right, True), (0.0, False)):
        raw = outputs(0.0)
        with torch.no_grad():
            raw.odm_logits[:] = logit
        loss = detection_losses(raw, [ship, target()], SIZES, LossConfig(classification=kind))["odm_class"]
        (slope,) = torch.autograd.grad(loss, raw.odm_logits)
        assert slope[0, index, 0].item() <= 1e-6  # it is a positive
        assert (slope[0, index, 0].abs() < 1e-6) == done


def test_the_arm_is_matched_as_asked() -> None:
    ship = torch.tensor([[8.0, 8.0, 56.0, 40.0]])
    boxes = anchors(64, 64, TWO_CLASSES)
    by_iou = match_iou(to_xyxy(boxes), ship, 0.6, 0.6) >= 0
    adaptive = match_atss(boxes, SIZES, ship, 9) >= 0
    assert not torch.equal(by_iou, adaptive)
    for config, positive in (
        (LossConfig(arm_matching="iou", arm_positive_iou=0.6), by_iou),
        (LossConfig(), adaptive),
    ):
        raw = outputs()
        loss = detection_losses(raw, [target(*ship.tolist()), target()], SIZES, config)["arm_box"]
        (slope,) = torch.autograd.grad(loss, raw.arm_deltas)
        assert torch.equal(slope[0].abs().sum(-1) > 0, positive)


def test_an_anchor_that_the_arm_rejects_is_no_negative_of_the_odm() -> None:
    raw = outputs()
    with torch.no_grad():
        raw.arm_logits[:] = -10.0
    losses = detection_losses(raw, [target(), target()], SIZES, LossConfig(classification="hard_negative"))
    assert losses["odm_class"].item() == 0
    assert losses["arm_objectness"].item() > 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("arm_matching", "nearest"), ("classification", "softmax"), ("box", "l2"), ("objectness_target", "soft")),
        *(("negatives_per_positive", 0), ("arm_positive_iou", 1.0), ("focal_gamma", 0.5), ("focal_alpha", 0.0)),
    ],
)
def test_settings_out_of_range_are_named(name: str, value: object) -> None:
    with pytest.raises(InputError, match=f"`{name}`: expected"):
        LossConfig.from_dict({name: value})
