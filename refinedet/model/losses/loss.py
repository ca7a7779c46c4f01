"""Losses of both modules. They are finite and have a gradient even for chips without ships.

B batch, N anchors, K classes, M truth boxes. `LossConfig` chooses the matching and the losses. By default, the ARM has
adaptive assignment, focal objectness and GIoU. The ODM has assignment by IoU, quality focal loss and GIoU. The target
of quality focal loss is the IoU of the final box, so a score predicts how well a ship is placed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from refinedet.config import LossConfig, PostprocessConfig
from refinedet.config.loss import Classification
from refinedet.model.box_coder import decode, to_xyxy
from refinedet.model.losses.box_loss import box_loss, paired_iou
from refinedet.model.losses.class_loss import class_loss
from refinedet.model.losses.matching import BACKGROUND, IGNORE, inside_ignored, match_atss, match_iou
from refinedet.model.network import RawOutputs

_EASY_NEGATIVE = PostprocessConfig().objectness_min

Normaliser = Callable[[Tensor], Tensor]
"""Function from the positives of this batch, or their summed quality (a detached scalar), to the divisor of a loss."""


@dataclass(frozen=True, slots=True)
class Target:
    """Truth of one image, in canvas pixels."""

    boxes_xyxy: Tensor
    """(M, 4); no anchor learns a box without an area."""
    labels: Tensor
    """(M,) int64 in 0..K-1."""
    ignored_xyxy: Tensor
    """(I, 4) regions that are neither ship nor background."""


@dataclass(frozen=True, slots=True)
class _Module:
    """Predictions of one module, and the kind of their losses."""

    logits: Tensor
    """(B, N, K), K = 1 in the ARM."""
    anchors_cxcywh: Tensor
    """(B, N, 4) boxes that its offsets start from: default boxes, or refined anchors."""
    deltas: Tensor
    """(B, N, 4)."""
    matched: Tensor
    """(B, N): index into all truth boxes of the batch, BACKGROUND or IGNORE."""
    classification: Classification
    iou_scores: bool
    """True if the score of a positive learns the IoU of its box, instead of 1."""


def at_least_one(count: Tensor) -> Tensor:
    """Divisor of a process that trains alone: its own count, at least 1."""
    return count.clamp(min=1)


def detection_losses(
    raw: RawOutputs,
    targets: list[Target],
    level_sizes: list[int],
    config: LossConfig,
    normaliser: Normaliser = at_least_one,
) -> dict[str, Tensor]:
    """Compute `arm_objectness`, `arm_box`, `odm_class`, `odm_box`, each with its weight applied; sum them to train.

    The losses of a module are divided by the number of its positives, or by their summed IoU if its scores learn the
    IoU.

    Args:
        raw: outputs of the network.
        targets: truth of each image.
        level_sizes: number of anchors of each level, in order.
        config: which matching and losses.
        normaliser: makes the divisor. It is called exactly twice for every batch, for the ARM and then for the ODM, so
            it may communicate between processes. With (sum over all ranks, at least 1) / ranks, the mean of the ranks'
            gradients is the gradient of one process with the same global batch.
    """
    refined = decode(raw.anchors_cxcywh, raw.arm_deltas).detach()
    boxes = _stacked([t.boxes_xyxy for t in targets])
    arm_matched, odm_matched = _match(
        raw, refined, boxes, _stacked([t.ignored_xyxy for t in targets]), level_sizes, config
    )
    truth, labels = boxes.flatten(0, 1), _stacked([t.labels for t in targets]).flatten()
    iou_objectness = config.objectness_target == "iou"
    arm_kind: Classification = "quality" if iou_objectness else "focal"
    if config.classification == "hard_negative":
        arm_kind = "hard_negative"
    anchors = raw.anchors_cxcywh.expand_as(refined)
    arm = _Module(raw.arm_logits[..., None], anchors, raw.arm_deltas, arm_matched, arm_kind, iou_objectness)
    kind = config.classification
    odm = _Module(raw.odm_logits, refined, raw.odm_deltas, odm_matched, kind, kind == "quality")
    arm_objectness, arm_box = _module_losses(arm, truth, torch.zeros_like(labels), config, normaliser)
    odm_class, odm_box = _module_losses(odm, truth, labels, config, normaliser)
    return {"arm_objectness": arm_objectness, "arm_box": arm_box, "odm_class": odm_class, "odm_box": odm_box}


def _stacked(parts: list[Tensor]) -> Tensor:
    """Stack the parts of the images to (B, M, ...), padded with zeros. No anchor learns a box of zeros."""
    return pad_sequence(parts, batch_first=True)


def _match(
    raw: RawOutputs, refined: Tensor, truth: Tensor, ignored: Tensor, level_sizes: list[int], config: LossConfig
) -> tuple[Tensor, Tensor]:
    """Assignments of the ARM and of the ODM, each (B, N): index into all truth of the batch, BACKGROUND or IGNORE.

    Truth (B, M, 4) and ignored regions (B, I, 4) of all images are matched together, because a GPU would wait for each
    image.
    """
    default_boxes, boxes = to_xyxy(raw.anchors_cxcywh), to_xyxy(refined)
    if config.arm_matching == "atss":
        arm = match_atss(raw.anchors_cxcywh, level_sizes, truth, config.arm_candidates)
    else:
        arm = match_iou(default_boxes, truth, config.arm_positive_iou, config.arm_positive_iou)
    odm = match_iou(boxes, truth, config.odm_positive_iou, config.odm_negative_iou)
    arm[(arm < 0) & inside_ignored(default_boxes, ignored)] = IGNORE
    odm[(odm < 0) & inside_ignored(boxes, ignored)] = IGNORE
    # negatives that the ARM already rejects never reach the ODM (RefineDet, section 3, filtering)
    odm[(odm == BACKGROUND) & (raw.arm_logits.sigmoid() <= _EASY_NEGATIVE)] = IGNORE
    first = truth.shape[1] * torch.arange(len(truth), device=truth.device)[:, None]
    return torch.where(arm >= 0, arm + first, arm), torch.where(odm >= 0, odm + first, odm)


def _module_losses(
    module: _Module, truth: Tensor, labels: Tensor, config: LossConfig, normaliser: Normaliser
) -> tuple[Tensor, Tensor]:
    """Class loss and weighted box loss of one module."""
    positive = module.matched >= 0
    image, anchor = positive.nonzero(as_tuple=True)
    ship = module.matched[image, anchor]
    anchors, deltas = module.anchors_cxcywh[image, anchor], module.deltas[image, anchor]
    if module.iou_scores:
        quality = paired_iou(to_xyxy(decode(anchors, deltas.detach())), truth[ship])
    else:
        quality = torch.ones_like(deltas[:, 0])
    target = torch.zeros_like(module.logits)
    target[image, anchor, labels[ship]] = quality
    divisor = normaliser(quality.sum())
    classes = class_loss(module.logits, target, module.matched, module.classification, config)
    boxes = (box_loss(anchors, deltas, truth[ship], config.box) * quality).sum()
    return classes / divisor, config.box_weight * boxes / divisor
