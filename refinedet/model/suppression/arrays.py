"""Suppression of overlapping boxes in a batch: NMS, soft-NMS and box voting. I images, N candidates, K kept.

This file uses NumPy alone, because every runtime uses it, also those without torch. The results of an image are
computed from that image alone, so they never depend on its neighbours, not even in the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import Boxes, iou
from refinedet.config import PostprocessConfig, SuppressionConfig
from refinedet.detections import Detections
from refinedet.nms import nms

Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Candidates:
    """N boxes of several images before suppression. Boxes of different images never affect each other."""

    images: Index
    """(N,) int64, index of the image within the batch."""
    boxes_xyxy: Boxes
    """(N, 4) float32 pixels, each with positive area."""
    scores: NDArray[np.float32]
    """(N,) float32 in [0, 1]."""
    labels: Index
    """(N,) int64 class indices."""


@dataclass(frozen=True, slots=True)
class _Kept:
    index: Index
    """(K,) which candidates are kept."""
    scores: NDArray[np.float32]
    """(K,) their scores, lowered by soft-NMS."""
    heads: NDArray[np.bool_]
    """(K,) true for boxes that NMS would keep too: the first of each object."""


def strongest(
    boxes_xyxy: NDArray[np.float32], scores: NDArray[np.float32], sizes_wh: Index, config: PostprocessConfig
) -> Candidates:
    """Select the `pre_nms` strongest of each image's scores from `score_min` on, with boxes clipped to the chip.

    Args:
        boxes_xyxy: (B, A, 4) box of each anchor, canvas pixels.
        scores: (B, A, K) of each class; 0 is background, for every `score_min`.
        sizes_wh: (B, 2) width and height of each chip on the canvas, without padding.
        config: thresholds.
    """
    parts = []
    for image, (flat, size) in enumerate(zip(scores.reshape(len(scores), -1), sizes_wh, strict=True)):
        strong = np.flatnonzero((flat >= config.score_min) & (flat > 0))
        strong = strong[np.argsort(-flat[strong], kind="stable")][: config.pre_nms]
        anchor, label = np.divmod(strong, scores.shape[2])
        box = np.clip(boxes_xyxy[image, anchor], 0, np.tile(size, 2).astype(np.float32))
        solid = (box[:, 2:] > box[:, :2]).all(axis=1)  # padding may hold a box that clips to nothing
        parts.append((np.full(len(strong), image)[solid], box[solid], flat[strong][solid], label[solid]))
    return Candidates(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def suppress(candidates: Candidates, images: int, config: SuppressionConfig) -> list[Detections]:
    """Detections of each of the `images` images: suppression, box voting, and the strongest `max_detections`.

    Voting weighs boxes by their scores before suppression. It moves only boxes that NMS would keep. The other boxes
    that soft-NMS keeps may be second objects and must not become copies of the first.

    Sources: Bodla et al. 2017 (soft-NMS), Gidaris and Komodakis 2015 (box voting).
    """
    labels = candidates.labels
    group = candidates.images * (int(labels.max(initial=0)) + 1) + labels
    lowest = max(config.score_min, config.keep_min)
    kept = _kept(candidates, group, images, config, lowest)
    boxes = candidates.boxes_xyxy[kept.index]
    if config.voting_iou is not None and config.suppression != "none":
        boxes[kept.heads] = _vote(candidates, group, kept.index[kept.heads], config.voting_iou)
    image, label = candidates.images[kept.index], labels[kept.index]
    results = []
    for index in range(images):
        mine = (image == index) & (kept.scores >= lowest)
        found = Detections.of(boxes[mine], kept.scores[mine], label[mine])
        results.append(found.keep(np.arange(len(found)) < config.max_detections))
    return results


def _kept(candidates: Candidates, group: Index, images: int, config: SuppressionConfig, lowest: float) -> _Kept:
    """Suppress by `config`; scores from `lowest` on are exact, because no weaker box changes a stronger one."""
    scores = candidates.scores
    if config.suppression in ("soft_linear", "soft_gaussian"):
        return _soft_nms(candidates, images, config, lowest)
    if config.suppression == "nms":
        index = _nms(candidates, group, config.nms_iou, lowest)
        owner = candidates.images[index]
        index = np.concatenate([index[owner == image][: config.max_detections] for image in range(images)])
    else:
        index = np.arange(len(scores))
    return _Kept(index, scores[index], np.ones(len(index), np.bool_))


def _nms(candidates: Candidates, group: Index, iou_max: float, lowest: float) -> Index:
    """Apply NMS within each group; return indices by falling score, from `lowest` on."""
    kept = [np.zeros(0, np.int64)]
    strong = candidates.scores >= lowest
    for one in np.unique(group[strong]):
        members = np.flatnonzero((group == one) & strong)
        kept.append(members[nms(candidates.boxes_xyxy[members], candidates.scores[members], iou_max)])
    index = np.concatenate(kept)
    return index[np.argsort(-candidates.scores[index], kind="stable")]


def _vote(candidates: Candidates, group: Index, heads: Index, voting_iou: float) -> Boxes:
    """Score-weighted mean (K, 4) of the boxes of the same image and class that overlap each head."""
    voted = np.zeros((len(heads), 4), np.float32)
    for one in np.unique(group[heads]):
        members, rows = np.flatnonzero(group == one), np.flatnonzero(group[heads] == one)
        boxes, mine = candidates.boxes_xyxy[members], heads[rows]
        weight = (iou(candidates.boxes_xyxy[mine], boxes) >= voting_iou) * candidates.scores[members]
        # a box votes for itself, even if its score is 0 or its IoU with itself is rounded below 1
        own = np.searchsorted(members, mine)
        weight[np.arange(len(mine)), own] = np.maximum(candidates.scores[mine], np.finfo(np.float32).tiny)
        weight = weight.astype(np.float64)
        voted[rows] = weight @ boxes.astype(np.float64) / weight.sum(axis=1, keepdims=True)
    return voted


def _soft_nms(candidates: Candidates, images: int, config: SuppressionConfig, lowest: float) -> _Kept:
    """Apply soft-NMS to all images at once, with one pick of each image per step.

    Scores only fall, so boxes are picked in the order of their final scores. An image is done at its first pick below
    `lowest`, and all images are done after `max_detections` picks.
    """
    table, valid = _rows(candidates, images)
    boxes = candidates.boxes_xyxy[table]
    scores = candidates.scores[table]
    labels = candidates.labels[table]
    covered = np.zeros_like(valid)
    row = np.arange(images)
    picks = [(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.bool_))]
    for _ in range(min(config.max_detections, table.shape[1])):
        best = np.where(valid, scores, -1).argmax(axis=1)
        active = valid[row, best] & (scores[row, best] >= lowest)
        if not active.any():
            break
        head = active & ~covered[row, best]
        picks.append((table[row, best][active], scores[row, best][active], head[active]))
        ious = _iou_to_all(boxes[row, best], boxes) * (labels == labels[row, best][:, None])
        covered |= head[:, None] & (ious > config.nms_iou)
        scores *= _decay(ious, config)
        valid[row, best] = False
    return _Kept(*(np.concatenate(part) for part in zip(*picks, strict=True)))


def _rows(candidates: Candidates, images: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Table (I, W) of the candidate indices of each image in a total order, and the mask of its filled entries."""
    image, score = candidates.images, candidates.scores
    order = np.lexsort((*candidates.boxes_xyxy.T[[2, 3, 0, 1]], -score, image))
    counts = np.bincount(image, minlength=images)
    valid = np.arange(counts.max(initial=0)) < counts[:, None]
    table = np.zeros(valid.shape, np.int64)
    table[valid] = order
    return table, valid


def _iou_to_all(picked: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """IoU (I, W) of one box of each image (I, 4) with all boxes of that image (I, W, 4)."""
    low = np.maximum(picked[:, None, :2], boxes[..., :2])
    high = np.minimum(picked[:, None, 2:], boxes[..., 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    areas = (boxes[..., 2:] - boxes[..., :2]).prod(axis=-1)
    own = (picked[:, 2:] - picked[:, :2]).prod(axis=-1)
    return np.asarray(shared / (own[:, None] + areas - shared), np.float32)


def _decay(ious: NDArray[np.float32], config: SuppressionConfig) -> NDArray[np.float32]:
    if config.suppression == "soft_gaussian":
        return np.exp(-np.square(ious) / np.float32(config.sigma))
    return np.where(ious > config.nms_iou, 1 - ious, np.float32(1))
