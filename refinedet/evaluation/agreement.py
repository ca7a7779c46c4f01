"""Agreement of two forms of one network, such as floats and 8 bits, at and around the default score."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from refinedet.data.coco import Record
from refinedet.detections import Detections
from refinedet.evaluation.metrics import HIT_SCORE, match

_AROUND = HIT_SCORE + 0.02 * np.arange(-5, 6)
"""Lowest scores at which recall is measured."""


def recall_around_default(truth: Record, detections: Mapping[int, Detections]) -> float:
    """Share of the objects that are found, 0 to 1: mean over lowest scores from 0.4 to 0.6, around the default of 0.5.

    The default was chosen on validation chips such that some of their objects score just above it. Any change of the
    scores loses those, so recall at the default alone would mostly reflect that choice. It is 1 without any object.
    """
    matched = match(truth, detections, score_min=float(_AROUND[0]))
    parts = [detections[key].scores[one.hits[:, 0]] for key, one in matched.items() if len(one.hits)]
    scores = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    objects = sum(int((~ignored).sum()) for ignored in truth.ignored.values())
    return float((scores[:, None] >= _AROUND).sum() / (objects * len(_AROUND))) if objects else 1.0


def median_move_px(truth: Record, before: Mapping[int, Detections], after: Mapping[int, Detections]) -> float:
    """Median distance between the boxes of two sets of detections on the images of `truth`, in pixels.

    The distance of two boxes is the largest of their four sides. Boxes are paired one to one, from IoU 0.5 on; those
    without a partner do not count. It is 0 without any pair.
    """
    shown = {key: one.keep(one.scores >= HIT_SCORE) for key, one in before.items()}
    boxes = {key: one.boxes_xyxy for key, one in shown.items()}
    labels = {key: one.labels for key, one in shown.items()}
    ignored = {key: np.zeros(len(one), np.bool_) for key, one in shown.items()}
    pairs = match(Record(truth.images, boxes, labels, ignored, truth.classes), after)
    moves = [
        np.abs(after[key].boxes_xyxy[one.hits[:, 0]] - boxes[key][one.hits[:, 1]]).max(axis=1)
        for key, one in pairs.items()
        if len(one.hits)
    ]
    return float(np.median(np.concatenate(moves))) if moves else 0.0
