"""Agreement of two forms of one network, such as floats and 8 bits, at the default score."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from refinedet.data.coco import Record
from refinedet.detections import Detections
from refinedet.evaluation.metrics import HIT_SCORE, match


def recall(truth: Record, detections: Mapping[int, Detections]) -> float:
    """Share of the objects that are found, 0 to 1; 1 without any object."""
    matched = match(truth, detections).values()
    hits, misses = sum(len(one.hits) for one in matched), sum(len(one.misses) for one in matched)
    return hits / (hits + misses) if hits + misses else 1.0


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
