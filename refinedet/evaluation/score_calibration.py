"""Calibration of the scores: the share of detections of a given score that are right. Takes arrays, never paths.

Source: Guo et al. 2017 (expected calibration error), Kueppers et al. 2020 (the same for detections).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from refinedet.data.coco import Record
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.evaluation.metrics import HIT_IOU, match, strongest

BINS = 10
"""Bins of equal width over the scores 0..1."""

_Z = 1.959964
"""Standard deviations of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class ScoreBin:
    """The detections whose score lies in [low, high); the last bin holds a score of 1 too."""

    low: float
    high: float
    count: int
    """At least 1."""
    score: float
    """Mean score of its detections."""
    right: int
    """Number of them that hit an object."""

    @property
    def precision(self) -> float:
        """Share of them that hit an object, 0..1."""
        return self.right / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the precision (Wilson 1927), which stays within 0..1 even for few detections."""
        share, z2_n = self.precision, _Z**2 / self.count
        centre = (share + z2_n / 2) / (1 + z2_n)
        half = math.sqrt(z2_n * (share * (1 - share) + z2_n / 4)) / (1 + z2_n)
        # min and max guard against rounding: the interval holds the precision
        return min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half))


def reliability(
    truth: Record, detections: Mapping[int, Detections], *, iou_min: float = HIT_IOU, bins: int = BINS
) -> list[ScoreBin]:
    """Bins of score that hold a detection, from low scores to high ones.

    A detection is right if `metrics.match` pairs it with an object at `iou_min`. Detections on ignored boxes are left
    out, and so are those that COCO does not judge (`metrics.strongest`).

    Args:
        truth: boxes by image id.
        detections: detections by image id; an absent image has none.
        iou_min: least IoU of a detection that is right.
        bins: number of bins of equal width.

    Raises:
        InputError: `bins` is below 1, or an image id or label of `detections` is not in `truth`.
    """
    if bins < 1:
        raise InputError(f"expected at least 1 bin, found {bins}")
    detections = strongest(detections)
    matches = match(truth, detections, iou_min=iou_min, score_min=0.0)
    right = [detections[i].scores[m.hits[:, 0]] for i, m in matches.items() if len(m.hits)]
    wrong = [detections[i].scores[m.false_alarms] for i, m in matches.items() if len(m.false_alarms)]
    scores = np.concatenate([np.zeros(0, np.float32), *right, *wrong])
    is_right = np.arange(len(scores)) < sum(map(len, right))
    # edges as float32, like the scores: a score of 0.7 belongs to the bin that begins there
    edges = np.linspace(0, 1, bins + 1).astype(np.float32)
    place = np.clip(np.searchsorted(edges, scores, side="right") - 1, 0, bins - 1)
    out = []
    for index in range(bins):
        inside = place == index
        if count := int(inside.sum()):
            mean = float(scores[inside].astype(np.float64).mean())
            out.append(ScoreBin(index / bins, (index + 1) / bins, count, mean, int((inside & is_right).sum())))
    return out


def calibration_error(bins: Sequence[ScoreBin]) -> float | None:
    """Expected calibration error, 0..1: mean of |mean score - precision| over the detections; None without any."""
    return mean_gap([(one.count, one.score, one.precision) for one in bins])


def mean_gap(bins: Sequence[tuple[int, float, float]]) -> float | None:
    """Expected calibration error of bins given as (detections, their mean score, their precision)."""
    total = sum(count for count, _, _ in bins)
    return sum(count * abs(score - precision) for count, score, precision in bins) / total if total else None
