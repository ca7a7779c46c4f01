"""Which anchor learns which ship. N anchors, M truth boxes; everything in canvas pixels."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import box_iou

from refinedet.model.box_coder import to_xyxy

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
        truth_xyxy: (M, 4).
        candidates: per level and ship.

    Returns:
        (N,) int64: index of the ship, or BACKGROUND.
    """
    if not len(truth_xyxy):
        return torch.full((len(anchors_cxcywh),), BACKGROUND, device=anchors_cxcywh.device)
    overlap = _overlap(to_xyxy(anchors_cxcywh), truth_xyxy)
    nearest = _nearest(anchors_cxcywh[:, :2], level_sizes, truth_xyxy, candidates)  # (C, M)
    of_nearest = overlap.gather(0, nearest)
    least = of_nearest.mean(0) + of_nearest.std(0, correction=0)
    centres = anchors_cxcywh[nearest][..., :2]  # (C, M, 2)
    inside = ((centres > truth_xyxy[:, :2]) & (centres < truth_xyxy[:, 2:])).all(-1)
    chosen = torch.zeros_like(overlap, dtype=torch.bool)
    chosen.scatter_(0, nearest, (of_nearest >= least) & inside)
    best = torch.where(chosen, overlap, -1.0)
    return _claim(_take(best, chosen.any(1)), overlap)


def match_iou(boxes_xyxy: Tensor, truth_xyxy: Tensor, positive_iou: float, negative_iou: float) -> Tensor:
    """Assignment by fixed IoU (RefineDet, section 4, after SSD): of refined anchors, or of default boxes.

    Each box learns the ship that it overlaps most, if it does so by `positive_iou`. Then each ship claims its best box.

    Args:
        boxes_xyxy: (N, 4).
        truth_xyxy: (M, 4).
        positive_iou: least IoU of a positive.
        negative_iou: a box below this is background; with both equal, none is left out.

    Returns:
        (N,) int64: index of the ship; IGNORE between the two thresholds; BACKGROUND below.
    """
    if not len(truth_xyxy):
        return torch.full((len(boxes_xyxy),), BACKGROUND, device=boxes_xyxy.device)
    overlap = _overlap(boxes_xyxy, truth_xyxy)
    best = overlap.max(1).values
    matched = _take(overlap, best >= positive_iou)
    matched[(best >= negative_iou) & (best < positive_iou)] = IGNORE
    return _claim(matched, overlap)


def inside_ignored(boxes_xyxy: Tensor, ignored_xyxy: Tensor) -> Tensor:
    """(N,) bool: at least half of the box lies in one ignored region (M, 4)."""
    if not len(ignored_xyxy):
        return torch.zeros(len(boxes_xyxy), dtype=torch.bool, device=boxes_xyxy.device)
    top_left = torch.maximum(boxes_xyxy[:, None, :2], ignored_xyxy[None, :, :2])
    bottom_right = torch.minimum(boxes_xyxy[:, None, 2:], ignored_xyxy[None, :, 2:])
    overlap = (bottom_right - top_left).clamp(min=0).prod(-1)
    size = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).prod(-1)
    return (overlap >= size[:, None] / 2).any(1)


def _overlap(boxes_xyxy: Tensor, truth_xyxy: Tensor) -> Tensor:
    """IoU (N, M); 0 instead of 0 / 0, which a truth without an area, or an inverted one, can give."""
    overlap: Tensor = box_iou(boxes_xyxy, truth_xyxy).nan_to_num()
    return overlap


def _nearest(centres: Tensor, level_sizes: list[int], truth_xyxy: Tensor, candidates: int) -> Tensor:
    """(levels * candidates, M) indices of the anchors nearest to each ship's centre."""
    ship_centres = (truth_xyxy[:, :2] + truth_xyxy[:, 2:]) / 2
    picked, start = [], 0
    for size in level_sizes:
        distance = torch.cdist(centres[start : start + size], ship_centres)
        picked.append(start + distance.topk(min(candidates, size), dim=0, largest=False).indices)
        start += size
    return torch.cat(picked)


def _take(overlap: Tensor, positive: Tensor) -> Tensor:
    return torch.where(positive, overlap.argmax(1), BACKGROUND)


def _claim(matched: Tensor, overlap: Tensor) -> Tensor:
    """Give each ship its best anchor, if it overlaps at all; of two that want the same one, the later ship has it."""
    best, anchor = overlap.max(0)
    ships = torch.arange(len(best), device=best.device)
    claims = torch.full_like(matched, BACKGROUND)
    claims.scatter_reduce_(0, anchor, torch.where(best > 0, ships, BACKGROUND), "amax")
    return torch.where(claims >= 0, claims, matched)
