"""Score at which detections are best, and how it changes with the size of a box, from an annotated split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from refinedet.config import PostprocessConfig
from refinedet.data.coco import Record
from refinedet.detections import Detections
from refinedet.evaluation.metrics import coco_metrics, match
from refinedet.model.postprocess import calibrated

_IOU, _SLACK = 0.3, 0.003
_MISSED = 2
"""False boxes that are as bad as a missed ship: people can drop a box that they see."""
_SLOPES = tuple(round(0.2 * step, 1) for step in range(5))
_SCORES = np.arange(5, 96, 2) / 100


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Score at which detections are best, and its slope, as in `PostprocessConfig`."""

    score: float = 0.5
    size_slope: float = 0.0


def operating_point(truth: Record, detections: Mapping[int, Detections], input_px: int) -> OperatingPoint:
    """Find the score of the best F measure, in which a missed ship counts as much as two false boxes, and its slope.

    Ships are found at an IoU of 0.3. The slope is that of the best AP, among those that are as good by F. Where several
    scores are as good, the result is their middle; it is the default without any object.

    Args:
        truth: boxes by image id.
        detections: detections by image id, with the scores of the network itself; those of other images do not count.
        input_px: long side that the chips had on the canvas.
    """
    if all(mask.all() for mask in truth.ignored.values()):
        return OperatingPoint()
    scale = {image.id: input_px / max(image.width, image.height) for image in truth.images}
    known = {k: d for k, d in detections.items() if k in scale}
    sloped = {slope: {k: _sloped(d, slope, scale[k]) for k, d in known.items()} for slope in _SLOPES}
    measures = {slope: _f_measure(truth, some) for slope, some in sloped.items()}
    best = max(float(f.max()) for f in measures.values()) - _SLACK
    slopes = [slope for slope, f in measures.items() if f.max() >= best]
    slope = max(slopes, key=lambda one: coco_metrics(truth, sloped[one])["AP"] or 0.0)
    f = measures[slope]
    return OperatingPoint(float(round(np.mean(_SCORES[f >= f.max() - _SLACK]), 3)), slope)


def _sloped(detections: Detections, slope: float, scale: float) -> Detections:
    """Detections with the slope in their scores; boxes times `scale` are in pixels of the canvas."""
    logits = torch.from_numpy(detections.scores).logit(eps=1e-6)[:, None]
    boxes = torch.from_numpy(detections.boxes_xyxy) * scale
    scores = calibrated(logits, boxes, PostprocessConfig(size_slope=slope))[:, 0].sigmoid().numpy()
    return Detections.of(detections.boxes_xyxy, scores, detections.labels)


def _f_measure(truth: Record, detections: Mapping[int, Detections]) -> NDArray[np.float64]:
    """F from each of `_SCORES` on. Stronger detections are matched first, so weaker ones never change their match."""
    matches = match(truth, detections, iou_min=_IOU, score_min=float(_SCORES[0]))
    hits = [detections[image].scores[one.hits[:, 0]] for image, one in matches.items() if image in detections]
    false = [detections[image].scores[one.false_alarms] for image, one in matches.items() if image in detections]
    objects = sum(len(one.hits) + len(one.misses) for one in matches.values())
    tp, fp = ((np.concatenate([[], *of])[:, None] >= _SCORES).sum(axis=0) for of in (hits, false))
    return np.asarray((1 + _MISSED) * tp / np.maximum(1, tp + fp + _MISSED * objects))
