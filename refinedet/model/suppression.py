"""Boxes that overlap become one: NMS, soft-NMS and box voting, for a whole batch. I images, N candidates, K kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import box_iou, nms

from refinedet.config import SuppressionConfig
from refinedet.detections import Detections


@dataclass(frozen=True, slots=True)
class Candidates:
    """N boxes of several images, before any of them is dropped for another. Boxes of other images never meet."""

    images: Tensor
    """(N,) int64, index of the image within the batch."""
    boxes_xyxy: Tensor
    """(N, 4) float32 pixels, each with positive area."""
    scores: Tensor
    """(N,) float32 in [0, 1]."""
    labels: Tensor
    """(N,) int64 class indices."""


@dataclass(frozen=True, slots=True)
class _Kept:
    index: Tensor
    """(K,) which candidates are kept."""
    scores: Tensor
    """(K,) their scores, lowered by soft-NMS."""
    heads: Tensor
    """(K,) true where NMS would keep the box too: the first of its object."""


def suppress(candidates: Candidates, images: int, config: SuppressionConfig) -> list[Detections]:
    """Detections of each of the `images` images: suppression, box voting, and the strongest `max_detections`.

    Voting weighs boxes by the scores that they came with, and moves only boxes that NMS would keep: what soft-NMS keeps
    beside them is a second opinion, which must not become a copy of the first.

    Sources: Bodla et al. 2017 (soft-NMS), Gidaris and Komodakis 2015 (box voting).
    """
    labels = candidates.labels
    group = candidates.images * (int(labels.max()) + 1) + labels if len(labels) else labels
    kept = _kept(candidates, group, images, config)
    boxes = candidates.boxes_xyxy[kept.index]
    if config.voting_iou is not None and config.suppression != "none":
        boxes[kept.heads] = _vote(candidates, group, kept.index[kept.heads], config.voting_iou)
    image, label = candidates.images[kept.index].cpu().numpy(), candidates.labels[kept.index].cpu().numpy()
    box, score = boxes.cpu().numpy(), kept.scores.cpu().numpy()
    results = []
    for index in range(images):
        mine = (image == index) & (score >= config.score_min)
        found = Detections.of(box[mine], score[mine], label[mine])
        results.append(found.keep(np.arange(len(found)) < config.max_detections))
    return results


def _kept(candidates: Candidates, group: Tensor, images: int, config: SuppressionConfig) -> _Kept:
    boxes, scores = candidates.boxes_xyxy, candidates.scores
    if config.suppression in ("soft_linear", "soft_gaussian"):
        return _soft_nms(candidates, images, config)
    if config.suppression == "nms":
        index = _nms(boxes, scores, group, config.nms_iou)
        owner = candidates.images[index]
        index = torch.cat([index[owner == image][: config.max_detections] for image in range(images)])
    else:
        index = torch.arange(len(scores), device=scores.device)
    return _Kept(index, scores[index], torch.ones_like(index, dtype=torch.bool))


def _nms(boxes: Tensor, scores: Tensor, group: Tensor, iou: float) -> Tensor:
    """NMS within each group; indices by falling score.

    torchvision's batched_nms tells groups apart by moving their boxes, which rounds them, the more the larger the
    batch: what an image gets would depend on its neighbours.
    """
    kept = []
    for one in torch.unique(group):
        members = (group == one).nonzero()[:, 0]
        kept.append(members[nms(boxes[members], scores[members], iou)])
    index = torch.cat(kept) if kept else group
    return index[scores[index].argsort(descending=True, stable=True)]


def _vote(candidates: Candidates, group: Tensor, heads: Tensor, voting_iou: float) -> Tensor:
    """Score-weighted mean (K, 4) of the boxes of the same image and class that overlap each head."""
    boxes = candidates.boxes_xyxy
    if not len(heads):
        return boxes[heads]
    neighbours = (box_iou(boxes[heads], boxes) >= voting_iou) & (group[heads][:, None] == group)
    weight = neighbours * candidates.scores
    # a box votes for itself, though its score be 0 and its overlap with itself be rounded below 1
    rows = torch.arange(len(heads), device=heads.device)
    weight[rows, heads] = candidates.scores[heads].clamp(min=torch.finfo(weight.dtype).tiny)
    voted: Tensor = weight @ boxes / weight.sum(1, keepdim=True)
    return voted


def _soft_nms(candidates: Candidates, images: int, config: SuppressionConfig) -> _Kept:
    """Soft-NMS of all images at once, one pick of each image per step.

    Scores only fall, so boxes are picked in the order of their final scores: an image is done at its first pick below
    `score_min`, and all are after `max_detections` picks. Runs on the CPU: each step is tiny and waits for the last.
    """
    table, valid = _rows(candidates, images)
    boxes = candidates.boxes_xyxy.cpu().numpy()[table]
    scores = candidates.scores.cpu().numpy()[table]
    labels = candidates.labels.cpu().numpy()[table]
    covered = np.zeros_like(valid)
    row = np.arange(images)
    picks = [(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.bool_))]
    for _ in range(min(config.max_detections, table.shape[1])):
        best = np.where(valid, scores, -1).argmax(axis=1)
        active = valid[row, best] & (scores[row, best] >= config.score_min)
        if not active.any():
            break
        head = active & ~covered[row, best]
        picks.append((table[row, best][active], scores[row, best][active], head[active]))
        overlap = _iou_to_all(boxes[row, best], boxes) * (labels == labels[row, best][:, None])
        covered |= head[:, None] & (overlap > config.nms_iou)
        scores *= _decay(overlap, config)
        valid[row, best] = False
    parts = (np.concatenate(part) for part in zip(*picks, strict=True))
    return _Kept(*(torch.from_numpy(part).to(candidates.scores.device) for part in parts))


def _rows(candidates: Candidates, images: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Candidate indices of each image as one row of a table (I, W) in a total order, and which entries are filled."""
    image, score = candidates.images.cpu().numpy(), candidates.scores.cpu().numpy()
    order = np.lexsort((*candidates.boxes_xyxy.cpu().numpy().T[[2, 3, 0, 1]], -score, image))
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


def _decay(overlap: NDArray[np.float32], config: SuppressionConfig) -> NDArray[np.float32]:
    if config.suppression == "soft_gaussian":
        return np.exp(-np.square(overlap) / np.float32(config.sigma))
    return np.where(overlap > config.nms_iou, 1 - overlap, np.float32(1))
