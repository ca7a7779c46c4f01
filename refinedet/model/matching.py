"""Which anchor learns which ship. N anchors, M truth boxes, "..." nothing or a batch; everything in canvas pixels.

Images of a batch share M: those with fewer ships are filled up with boxes without an area, which nothing learns.
"""

from __future__ import annotations

import torch
from torch import Tensor

from refinedet.model.box_coder import to_xyxy
from refinedet.model.box_loss import box_area, paired_iou, shared_area

IGNORE = -2
BACKGROUND = -1


def match_atss(anchors_cxcywh: Tensor, level_sizes: list[int], truth_xyxy: Tensor, candidates: int) -> Tensor:
    """Adaptive assignment of default boxes (ATSS, Zhang et al., CVPR 2020, algorithm 1).

    For each ship, the nearest `candidates` anchors of each level are considered; those whose IoU is at least the mean
    plus one standard deviation of the candidates', and whose centre lies in the ship, learn it. Then each ship claims
    its best anchor, so that a ship thinner than the grid is not lost.

    Args:
        anchors_cxcywh: (N, 4).
        level_sizes: number of anchors of each level, in order; they add up to N.
        truth_xyxy: (..., M, 4).
        candidates: per level and ship.

    Returns:
        (..., N) int64: index of the ship, or BACKGROUND.
    """
    overlap = _overlap(to_xyxy(anchors_cxcywh), truth_xyxy)
    if not overlap.shape[-1]:
        return _background(overlap)
    nearest = _nearest(anchors_cxcywh[:, :2], level_sizes, truth_xyxy, candidates)  # (..., C, M)
    of_nearest = overlap.gather(-2, nearest)
    least = of_nearest.mean(-2, keepdim=True) + of_nearest.std(-2, correction=0, keepdim=True)
    centres = anchors_cxcywh[nearest][..., :2]  # (..., C, M, 2)
    ships = truth_xyxy[..., None, :, :]
    inside = ((centres > ships[..., :2]) & (centres < ships[..., 2:])).all(-1)
    chosen = torch.zeros_like(overlap, dtype=torch.bool)
    chosen.scatter_(-2, nearest, (of_nearest >= least) & inside)
    best = torch.where(chosen, overlap, -1.0)
    return _claim(_take(best, chosen.any(-1)), overlap)


def match_iou(boxes_xyxy: Tensor, truth_xyxy: Tensor, positive_iou: float, negative_iou: float) -> Tensor:
    """Assignment by fixed IoU (RefineDet, section 4, after SSD): of refined anchors, or of default boxes.

    Each box learns the ship that it overlaps most, if it does so by `positive_iou`. Then each ship claims its best box.

    Args:
        boxes_xyxy: (..., N, 4).
        truth_xyxy: (..., M, 4).
        positive_iou: least IoU of a positive.
        negative_iou: a box below this is background; with both equal, none is left out.

    Returns:
        (..., N) int64: index of the ship; IGNORE between the two thresholds; BACKGROUND below.
    """
    overlap = _overlap(boxes_xyxy, truth_xyxy)
    if not overlap.shape[-1]:
        return _background(overlap)
    best = overlap.amax(-1)
    matched = _take(overlap, best >= positive_iou)
    matched[(best >= negative_iou) & (best < positive_iou)] = IGNORE
    return _claim(matched, overlap)


def inside_ignored(boxes_xyxy: Tensor, ignored_xyxy: Tensor) -> Tensor:
    """(..., N) bool: at least half of the box (..., N, 4) lies in one ignored region (..., M, 4)."""
    boxes = boxes_xyxy[..., :, None, :]
    overlap = shared_area(boxes, ignored_xyxy[..., None, :, :])
    return ((overlap > 0) & (overlap >= box_area(boxes) / 2)).any(-1)


def _overlap(boxes_xyxy: Tensor, truth_xyxy: Tensor) -> Tensor:
    """IoU (..., N, M); 0 instead of 0 / 0, which a truth without an area, or an inverted one, can give."""
    return paired_iou(boxes_xyxy[..., :, None, :], truth_xyxy[..., None, :, :])


def _background(overlap: Tensor) -> Tensor:
    return torch.full(overlap.shape[:-1], BACKGROUND, device=overlap.device)


def _nearest(centres: Tensor, level_sizes: list[int], truth_xyxy: Tensor, candidates: int) -> Tensor:
    """(..., levels * candidates, M) indices of the anchors nearest to each ship's centre."""
    ship_centres = (truth_xyxy[..., :2] + truth_xyxy[..., 2:]) / 2
    x, y = (a[:, None] - b[..., None, :] for a, b in zip(centres.unbind(-1), ship_centres.unbind(-1), strict=True))
    squared = x * x + y * y  # (..., N, M)
    picked, start = [], 0
    for level in torch.split(squared, level_sizes, dim=-2):
        size = level.shape[-2]
        picked.append(start + level.topk(min(candidates, size), dim=-2, largest=False).indices)
        start += size
    return torch.cat(picked, dim=-2)


def _take(overlap: Tensor, positive: Tensor) -> Tensor:
    return torch.where(positive, overlap.argmax(-1), BACKGROUND)


def _claim(matched: Tensor, overlap: Tensor) -> Tensor:
    """Give each ship its best anchor, if it overlaps at all; of two that want the same one, the later ship has it."""
    best, anchor = overlap.max(-2)
    ships = torch.arange(best.shape[-1], device=best.device)
    claims = torch.full_like(matched, BACKGROUND)
    claims.scatter_reduce_(-1, anchor, torch.where(best > 0, ships, BACKGROUND), "amax")
    return torch.where(claims >= 0, claims, matched)
