"""Score at which detections are best, from an annotated split."""

from __future__ import annotations

import numpy as np

from refinedet.data.coco import Record
from refinedet.detections import Detections
from refinedet.evaluation.metrics import match

_F1_SLACK, _F1_IOU = 0.003, 0.3


def operating_score(truth: Record, detections: dict[int, Detections]) -> float:
    """Score of best F1 at IoU `_F1_IOU`; the middle where several are as good; 0.5 without any object."""
    if all(mask.all() for mask in truth.ignored.values()):
        return 0.5
    thresholds = np.arange(5, 96, 2) / 100
    f1 = np.array([_f1(truth, detections, threshold) for threshold in thresholds])
    return float(round(np.mean(thresholds[f1 >= f1.max() - _F1_SLACK]), 3))


def _f1(truth: Record, detections: dict[int, Detections], threshold: float) -> float:
    matches = match(truth, detections, iou_min=_F1_IOU, score_min=threshold).values()
    counted = ((m.hits, m.false_alarms, m.misses) for m in matches)
    tp, fp, fn = (sum(map(len, column)) for column in zip(*counted, strict=True))
    return 2 * tp / max(1, 2 * tp + fp + fn)
