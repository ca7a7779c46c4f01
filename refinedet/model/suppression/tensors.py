"""Candidates and their suppression as tensors, on the device of the network, in batches of images.

The steps and results equal those of arrays.py, which serves the runtimes without torch, except for the last bit of a
voted box. B images, N anchors, K classes, P candidates, S strong candidates, M in all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from refinedet.config import PostprocessConfig, SuppressionConfig
from refinedet.detections import Detections
from refinedet.model.suppression.arrays import Candidates, suppress

_MOST_PAIRS = 1 << 25
"""Most pairs of boxes that are compared at once; a pair takes about 30 bytes."""


@dataclass(frozen=True, slots=True)
class Picked:
    """Strongest candidates of each image, by falling score. Their number is fixed, so a CUDA graph can hold them."""

    boxes_xyxy: Tensor
    """(B, P, 4) float32 pixels of the canvas, clipped to the chip."""
    scores: Tensor
    """(B, P) float32 in [0, 1]; 0 where there is no candidate."""
    labels: Tensor
    """(B, P) int64 class indices."""


def pick(boxes_xyxy: Tensor, scores: Tensor, sizes_wh: Tensor, config: PostprocessConfig) -> Picked:
    """Select the `pre_nms` strongest of each image's scores from `score_min` on, as `suppression.strongest` does.

    No step waits for the device, and no shape depends on values.

    Args:
        boxes_xyxy: (B, N, 4) box of each anchor, canvas pixels.
        scores: (B, N, K) of each class; 0 is background, for every `score_min`.
        sizes_wh: (B, 2) width and height of each chip on the canvas, without padding.
        config: thresholds.
    """
    flat = scores.float().flatten(1)
    flat = torch.where(flat >= config.score_min, flat, 0.0)
    sorted_scores, order = torch.sort(flat, dim=1, descending=True, stable=True)  # equal scores keep their order
    strong, order = sorted_scores[:, : config.pre_nms], order[:, : config.pre_nms]
    anchor = torch.div(order, scores.shape[2], rounding_mode="floor")
    box = boxes_xyxy.float().gather(1, anchor[..., None].expand(-1, -1, 4))
    limit = sizes_wh.to(box).repeat(1, 2)[:, None]
    box = torch.minimum(box.clamp(min=0), limit)
    solid = (box[..., 2:] > box[..., :2]).all(dim=-1)  # padding may hold a box that clips to nothing
    box = torch.where(solid[..., None], box, 0.0)
    return Picked(box, torch.where(solid, strong, 0.0), order % scores.shape[2])


def suppress_picked(picked: Picked, config: SuppressionConfig) -> list[Detections]:
    """Detections of each image: suppression, box voting, and the strongest `max_detections`.

    Soft-NMS picks one box after the other, so `suppression.suppress` computes it on the processor.
    """
    if config.suppression in ("soft_linear", "soft_gaussian"):
        return suppress(_candidates(picked), len(picked.scores), config)
    lowest = max(config.score_min, config.keep_min)
    valid = picked.scores > 0
    strong, most = torch.stack([_last(valid & (picked.scores >= lowest)), _last(valid)]).tolist()
    labels = picked.labels[:, :most].to(torch.float32)
    whole = Picked(picked.boxes_xyxy[:, :most], picked.scores[:, :most], labels)
    together = max(1, _MOST_PAIRS // max(1, strong * most))
    found: list[Detections] = []
    for start in range(0, len(valid), together):
        part = Picked(*(t[start : start + together] for t in (whole.boxes_xyxy, whole.scores, whole.labels)))
        found.extend(_read(_suppressed(part, strong, lowest, config), config.max_detections))
    return found


def _suppressed(picked: Picked, strong: int, lowest: float, config: SuppressionConfig) -> Tensor:
    """Table (B, S, 7) of the first candidates: box, score, label, and 1 for those that are kept, else 0."""
    boxes, scores = picked.boxes_xyxy[:, :strong], picked.scores[:, :strong]
    kept = (scores > 0) & (scores >= lowest)
    if config.suppression == "nms" and strong:
        overlap = _iou(boxes, picked.boxes_xyxy)
        same = picked.labels[:, :strong, None] == picked.labels[:, None]
        kept = _nms(overlap[..., :strong].double() > config.nms_iou, same[..., :strong], kept)
        kept &= kept.cumsum(dim=1) <= config.max_detections
        if config.voting_iou is not None:
            voted = _vote((overlap >= config.voting_iou) & same, picked)
            boxes = torch.where(kept[..., None], voted, boxes)
    return torch.cat([boxes, torch.stack([scores, picked.labels[:, :strong], kept.to(scores)], dim=2)], dim=2)


def _nms(over: Tensor, same: Tensor, strong: Tensor) -> Tensor:
    """Mask (B, S) of the kept boxes: no stronger kept box of their class covers them.

    Each round uses the boxes kept by the round before. A box is final one round after all boxes that may cover it, so
    the rounds end with the result of the loop over boxes (cluster NMS, Zheng et al. 2020).
    """
    covers = (over & same).triu(diagonal=1) & strong[:, :, None]  # the row is the stronger one
    kept = strong
    while True:
        again = strong & ~(covers & kept[:, :, None]).any(dim=1)
        if torch.equal(again, kept):
            return kept
        kept = again


def _vote(voters: Tensor, picked: Picked) -> Tensor:
    """Score-weighted mean (B, S, 4) of the boxes that overlap each of the first S; `voters` is (B, S, M)."""
    weight = torch.where(voters, picked.scores[:, None], 0.0)
    own = picked.scores[:, : voters.shape[1]].clamp(min=torch.finfo(torch.float32).tiny)
    weight.diagonal(dim1=1, dim2=2).copy_(own)  # a box votes for itself, even if its score is 0
    weight = weight.double()
    return (weight @ picked.boxes_xyxy.double() / weight.sum(dim=2, keepdim=True)).float()


def _iou(some: Tensor, others: Tensor) -> Tensor:
    """IoU (B, S, M) of boxes (B, S, 4) and (B, M, 4), in the float32 steps of `nms.nms`; NaN for two empty boxes."""
    low = torch.maximum(some[:, :, None, :2], others[:, None, :, :2])
    size = (torch.minimum(some[:, :, None, 2:], others[:, None, :, 2:]) - low).clamp(min=0)
    shared = size[..., 0] * size[..., 1]
    return shared / (_area(some)[:, :, None] + _area(others)[:, None] - shared)


def _area(boxes: Tensor) -> Tensor:
    width, height = (boxes[..., 2:] - boxes[..., :2]).unbind(-1)
    return width * height


def _last(mask: Tensor) -> Tensor:
    """Number of leading columns of a mask (B, P) that hold every true value."""
    columns = torch.arange(1, mask.shape[1] + 1, device=mask.device)
    return (mask * columns).amax() if mask.numel() else columns.sum()


def _read(table: Tensor, most: int) -> list[Detections]:
    rows = table.cpu().numpy()
    found = []
    for row in rows:
        kept = row[row[:, 6] > 0]
        one = Detections.of(kept[:, :4], kept[:, 4], kept[:, 5])
        found.append(one.keep(np.arange(len(one)) < most))
    return found


def _candidates(picked: Picked) -> Candidates:
    boxes, scores, labels = (t.cpu().numpy() for t in (picked.boxes_xyxy, picked.scores, picked.labels))
    image, place = np.nonzero(scores > 0)
    return Candidates(image, boxes[image, place], scores[image, place], labels[image, place])
