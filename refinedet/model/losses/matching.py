"""Assignment of ships to anchors, in canvas pixels. N anchors, M truth boxes; "..." is empty or a batch axis.

Images of a batch share M. Those with fewer ships are padded with boxes without an area, which no anchor learns.
"""

from __future__ import annotations

import torch
from torch import Tensor

from refinedet.model.box_coder import to_xyxy
from refinedet.model.losses.box_loss import box_area, paired_iou, shared_area

IGNORE = -2
BACKGROUND = -1


def match_atss(anchors_cxcywh: Tensor, level_sizes: list[int], truth_xyxy: Tensor, candidates: int) -> Tensor:
    """Adaptive assignment of default boxes (ATSS, Zhang et al., CVPR 2020, algorithm 1).

    For each ship, the nearest `candidates` anchors of each level are considered. A candidate learns the ship if its
    centre lies in the ship and its IoU is at least the mean plus one standard deviation of all candidates. Then each
    ship claims its best anchor, so that a ship thinner than the grid is not lost.

    Args:
        anchors_cxcywh: (N, 4).
        level_sizes: number of anchors of each level, in order; they add up to N.
        truth_xyxy: (..., M, 4).
        candidates: per level and ship.

    Returns:
        (..., N) int64: index of the ship, or BACKGROUND.
    """
    ious = _iou(to_xyxy(anchors_cxcywh), truth_xyxy)
    if not ious.shape[-1]:
        return _background(ious)
    nearest = _nearest(anchors_cxcywh[:, :2], level_sizes, truth_xyxy, candidates)  # (..., C, M)
    of_nearest = ious.gather(-2, nearest)
    least = of_nearest.mean(-2, keepdim=True) + of_nearest.std(-2, correction=0, keepdim=True)
    centres = anchors_cxcywh[nearest][..., :2]  # (..., C, M, 2)
    ships = truth_xyxy[..., None, :, :]
    inside = ((centres > ships[..., :2]) & (centres < ships[..., 2:])).all(-1)
    chosen = torch.zeros_like(ious, dtype=torch.bool)
    chosen.scatter_(-2, nearest, (of_nearest >= least) & inside)
    best = torch.where(chosen, ious, -1.0)
    return _claim(_take(best, chosen.any(-1)), ious)


def match_iou(boxes_xyxy: Tensor, truth_xyxy: Tensor, positive_iou: float, negative_iou: float) -> Tensor:
    """Assignment by fixed IoU (RefineDet, section 4, after SSD): of refined anchors, or of default boxes.

    Each box learns the ship of highest IoU, if that is at least `positive_iou`. Then each ship claims its best box.

    Args:
        boxes_xyxy: (..., N, 4).
        truth_xyxy: (..., M, 4).
        positive_iou: least IoU of a positive.
        negative_iou: a box below this is background; if both are equal, no box is ignored.

    Returns:
        (..., N) int64: index of the ship; IGNORE between the two thresholds; BACKGROUND below.
    """
    ious = _iou(boxes_xyxy, truth_xyxy)
    if not ious.shape[-1]:
        return _background(ious)
    best = ious.amax(-1)
    matched = _take(ious, best >= positive_iou)
    matched[(best >= negative_iou) & (best < positive_iou)] = IGNORE
    return _claim(matched, ious)


def inside_ignored(boxes_xyxy: Tensor, ignored_xyxy: Tensor) -> Tensor:
    """Find the boxes (..., N, 4) with half their area or more in one ignored region (..., M, 4); (..., N) bool."""
    boxes = boxes_xyxy[..., :, None, :]
    shared = shared_area(boxes, ignored_xyxy[..., None, :, :])
    return ((shared > 0) & (shared >= box_area(boxes) / 2)).any(-1)


def _iou(boxes_xyxy: Tensor, truth_xyxy: Tensor) -> Tensor:
    """IoU (..., N, M); 0 instead of 0 / 0, which a truth box without an area, or an inverted one, can give."""
    return paired_iou(boxes_xyxy[..., :, None, :], truth_xyxy[..., None, :, :])


def _background(ious: Tensor) -> Tensor:
    return torch.full(ious.shape[:-1], BACKGROUND, device=ious.device)


def _nearest(centres: Tensor, level_sizes: list[int], truth_xyxy: Tensor, candidates: int) -> Tensor:
    """Indices (..., levels * candidates, M) of the anchors nearest to each ship's centre."""
    ship_centres = (truth_xyxy[..., :2] + truth_xyxy[..., 2:]) / 2
    x, y = (a[:, None] - b[..., None, :] for a, b in zip(centres.unbind(-1), ship_centres.unbind(-1), strict=True))
    squared = x * x + y * y  # (..., N, M)
    picked, start = [], 0
    for level in torch.split(squared, level_sizes, dim=-2):
        size = level.shape[-2]
        picked.append(start + level.topk(min(candidates, size), dim=-2, largest=False).indices)
        start += size
    return torch.cat(picked, dim=-2)


def _take(ious: Tensor, positive: Tensor) -> Tensor:
    return torch.where(positive, ious.argmax(-1), BACKGROUND)


def _claim(matched: Tensor, ious: Tensor) -> Tensor:
    """Give each ship its best anchor if its IoU is above 0; of two ships with one best anchor, the later gets it."""
    best, anchor = ious.max(-2)
    ships = torch.arange(best.shape[-1], device=best.device)
    claims = torch.full_like(matched, BACKGROUND)
    claims.scatter_reduce_(-1, anchor, torch.where(best > 0, ships, BACKGROUND), "amax")
    return torch.where(claims >= 0, claims, matched)
