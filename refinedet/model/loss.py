"""Losses of both modules; defined, finite and with gradient for chips without ships.

B batch, N anchors, K classes, M truth boxes. ARM: focal objectness (Lin et al. 2017) and GIoU. ODM: quality focal loss
(Li et al. 2020; the target is the IoU of the final box, so a score says how well a ship is placed) and GIoU.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import generalized_box_iou_loss, sigmoid_focal_loss

from refinedet.config import LossConfig, PostprocessConfig
from refinedet.model.box_coder import decode, to_xyxy
from refinedet.model.matching import BACKGROUND, IGNORE, inside_ignored, match_arm, match_odm
from refinedet.model.network import RawOutputs

_EASY_NEGATIVE = PostprocessConfig().objectness_min


@dataclass(frozen=True, slots=True)
class Target:
    """Truth of one image, in canvas pixels."""

    boxes_xyxy: Tensor
    """(M, 4)."""
    labels: Tensor
    """(M,) int64 in 0..K-1."""
    ignored_xyxy: Tensor
    """(I, 4) regions that are neither ship nor background."""


@dataclass(frozen=True, slots=True)
class _Matched:
    """Both assignments of one batch, each (B, N): index into all truth boxes of the batch, BACKGROUND or IGNORE."""

    arm: Tensor
    odm: Tensor


def detection_losses(
    raw: RawOutputs, targets: list[Target], level_sizes: list[int], config: LossConfig
) -> dict[str, Tensor]:
    """Scalars `arm_objectness`, `arm_box`, `odm_class`, `odm_box`, each with its weight applied; sum them to train.

    Each is divided by the number of its positives (by summed target quality for the class loss), at least 1.
    """
    refined = decode(raw.anchors_cxcywh, raw.arm_deltas)
    matched = _match(raw, refined.detach(), targets, level_sizes, config)
    truth = torch.cat([t.boxes_xyxy for t in targets])
    labels = torch.cat([t.labels for t in targets])
    return _arm_losses(raw, refined, matched.arm, truth, config) | _odm_losses(
        raw, refined.detach(), matched.odm, (truth, labels), config
    )


def _match(
    raw: RawOutputs, refined: Tensor, targets: list[Target], level_sizes: list[int], config: LossConfig
) -> _Matched:
    arm, odm, first = [], [], 0
    for image, target in enumerate(targets):
        boxes = to_xyxy(refined[image])
        a = match_arm(raw.anchors_cxcywh, level_sizes, target.boxes_xyxy, config.arm_candidates)
        o = match_odm(boxes, target.boxes_xyxy, config.odm_positive_iou, config.odm_negative_iou)
        a[(a < 0) & inside_ignored(to_xyxy(raw.anchors_cxcywh), target.ignored_xyxy)] = IGNORE
        o[(o < 0) & inside_ignored(boxes, target.ignored_xyxy)] = IGNORE
        # negatives that the ARM already rejects never reach the ODM (RefineDet, section 3.2)
        o[(o == BACKGROUND) & (raw.arm_logits[image].sigmoid() <= _EASY_NEGATIVE)] = IGNORE
        arm.append(torch.where(a >= 0, a + first, a))
        odm.append(torch.where(o >= 0, o + first, o))
        first += len(target.boxes_xyxy)
    return _Matched(torch.stack(arm), torch.stack(odm))


def _arm_losses(
    raw: RawOutputs, refined: Tensor, matched: Tensor, truth: Tensor, config: LossConfig
) -> dict[str, Tensor]:
    positive = matched >= 0
    count = positive.sum().clamp(min=1)
    focal = sigmoid_focal_loss(raw.arm_logits, positive.float(), config.focal_alpha, config.focal_gamma)
    box = generalized_box_iou_loss(to_xyxy(refined[positive]), truth[matched[positive]], reduction="sum")
    return {
        "arm_objectness": (focal * (matched != IGNORE)).sum() / count,
        "arm_box": config.box_weight * box / count,
    }


def _odm_losses(
    raw: RawOutputs, refined: Tensor, matched: Tensor, truth: tuple[Tensor, Tensor], config: LossConfig
) -> dict[str, Tensor]:
    boxes, labels = truth
    positive = matched >= 0
    ship = matched[positive]
    final = to_xyxy(decode(refined[positive], raw.odm_deltas[positive]))
    quality = _paired_iou(final.detach(), boxes[ship])
    target = torch.zeros_like(raw.odm_logits)
    image, anchor = positive.nonzero(as_tuple=True)
    target[image, anchor, labels[ship]] = quality
    cross_entropy = F.binary_cross_entropy_with_logits(raw.odm_logits, target, reduction="none")
    distance = (raw.odm_logits.sigmoid().detach() - target).abs() ** config.focal_gamma
    kept = (matched != IGNORE)[..., None]
    box = generalized_box_iou_loss(final, boxes[ship], reduction="none") * quality
    # the plain sum of all predictions times zero keeps a gradient path where no anchor is positive
    return {
        "odm_class": (cross_entropy * distance * kept).sum() / quality.sum().clamp(min=1),
        "odm_box": config.box_weight * box.sum() / quality.sum().clamp(min=1) + 0 * raw.odm_deltas.sum(),
    }


def _paired_iou(a: Tensor, b: Tensor) -> Tensor:
    """IoU of row i of `a` with row i of `b`, (N,)."""
    if not len(a):
        return a.new_zeros(0)
    top_left, bottom_right = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    overlap = (bottom_right - top_left).clamp(min=0).prod(-1)
    union = (a[:, 2:] - a[:, :2]).prod(-1) + (b[:, 2:] - b[:, :2]).prod(-1) - overlap
    return overlap / union.clamp(min=torch.finfo(union.dtype).tiny)
