"""Metric of the xView3-SAR contest: detection, close to shore, vessel, fishing, length, and their aggregate. Pure.

Source: the contest's own scorer, reference/metric.py of github.com/DIUx-xView/xview3-reference, with its switches as
the contest had them (drop_low_detect, costly_dist, distance_tolerance 200, shore_tolerance 2).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from refinedet.data.xview3 import LOW, PIXEL_M, SURE

MATCH_M = 200.0
"""Distance below which a detection and a label are one thing."""
SHORE_KM = 2.0
"""Distance up to which a label is close to shore; for a detection, MATCH_M is added."""
_LONGEST_M = 500.0
"""Length to which longer ones are cut."""
_TOO_FAR_M = 9999999 * PIXEL_M
"""Cost of a pair that lies farther apart than MATCH_M."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Things:
    """N detections or N labels; unknown numbers are NaN."""

    scene: NDArray[np.str_]
    """(N,) ids of their scenes."""
    places: Numbers
    """(N, 2) row and column in pixels."""
    is_vessel: Numbers
    """(N,) 1 true, 0 false."""
    is_fishing: Numbers
    """(N,) 1 true, 0 false."""
    length_m: Numbers
    """(N,) lengths."""
    shore_km: Numbers
    """(N,) distance to the shore. The rules use it for labels only."""
    lonlat: Numbers
    """(N, 2) longitude and latitude in degrees. The rules do not use them."""

    def __len__(self) -> int:
        """Number of things."""
        return len(self.scene)

    def only(self, rows: NDArray[Any]) -> Things:
        """Return the things of these rows."""
        return Things(*(getattr(self, one.name)[rows] for one in fields(self)))


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of one part: true positives, false positives, false negatives. A ratio of nothing is 0."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Add two counts."""
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def precision(self) -> float:
        """Share of detections that are right, in [0, 1]."""
        return self.tp / (self.tp + self.fp) if self.tp else 0.0

    @property
    def recall(self) -> float:
        """Share of labels that were found, in [0, 1]."""
        return self.tp / (self.tp + self.fn) if self.tp else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, in [0, 1]."""
        return 2 * self.tp / (2 * self.tp + self.fp + self.fn) if self.tp else 0.0


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of the metric."""

    detection: Counts
    shore: Counts | None
    """Counts close to shore; None: not known, which counts as 0."""
    vessel: Counts
    fishing: Counts
    length: float
    """1 - mean relative error of lengths, in [0, 1]; 0 without a known length."""
    lengths: int
    """Number of labels found whose length is known."""
    pairs: NDArray[np.intp]
    """(M, 2) rows of matched detections and labels in the arguments of `score_things`."""

    @property
    def shore_f1(self) -> float:
        """F1 close to shore; 0 if it is not known."""
        return 0.0 if self.shore is None else self.shore.f1

    @property
    def aggregate(self) -> float:
        """Aggregate score of the contest, in [0, 1]."""
        return self.detection.f1 * (1 + self.length + self.vessel.f1 + self.fishing.f1 + self.shore_f1) / 5


def score_things(
    found: Things, labels: Things, confidence: NDArray[np.str_], near_shore: NDArray[np.bool_] | None
) -> Parts:
    """Score detections by the rules of the contest.

    Labels count in scenes that have a detection, detections in scenes that have a sure label. A detection that is
    assigned to a label of low confidence counts nowhere.

    Args:
        found: detections; an unknown answer counts as wrong, and an unknown length as 0 m.
        labels: labels of all scenes.
        confidence: (N,) confidence of each label.
        near_shore: (M,) true for detections close to shore; None: not known.
    """
    there = np.isin(labels.scene, found.scene)
    low = np.array([one == LOW for one in confidence], bool)
    sure = np.array([one in SURE for one in confidence], bool) & there
    dropped = [f for f, t in _matches(found, labels, np.arange(len(found)), np.flatnonzero(there)) if low[t]]
    kept = np.setdiff1d(np.arange(len(found)), np.array(dropped, np.intp))
    pairs = np.array(list(_matches(found, labels, kept, np.flatnonzero(sure))), np.intp).reshape(-1, 2)
    counted = np.isin(found.scene[kept], labels.scene[sure])
    detection = Counts(len(pairs), int(counted.sum()) - len(pairs), int(sure.sum()) - len(pairs))
    shore = None
    if near_shore is not None:
        close = np.flatnonzero(sure & (labels.shore_km <= SHORE_KM))
        shore = _close_to_shore(found, labels, kept[near_shore[kept]], close)
    mine, true = pairs.T
    vessel = _answers(found.is_vessel[mine], labels.is_vessel[true])
    fishers = labels.is_vessel[true] == 1
    fishing = _answers(found.is_fishing[mine[fishers]], labels.is_fishing[true[fishers]])
    return Parts(detection, shore, vessel, fishing, *_length(found.length_m[mine], labels.length_m[true]), pairs)


def _close_to_shore(found: Things, labels: Things, mine: NDArray[np.intp], true: NDArray[np.intp]) -> Counts:
    """Counts of detections and labels close to shore; a scene that lacks either is skipped."""
    both = np.intersect1d(found.scene[mine], labels.scene[true])
    mine, true = mine[np.isin(found.scene[mine], both)], true[np.isin(labels.scene[true], both)]
    matched = len(list(_matches(found, labels, mine, true)))
    return Counts(matched, len(mine) - matched, len(true) - matched)


def _matches(
    found: Things, labels: Things, mine: NDArray[np.intp], true: NDArray[np.intp]
) -> Iterator[tuple[int, int]]:
    """Matched pairs of rows, scene by scene: the assignment of least total distance, without pairs too far apart."""
    for scene in np.unique(labels.scene[true]):
        a, b = mine[found.scene[mine] == scene], true[labels.scene[true] == scene]
        apart = np.linalg.norm(found.places[a, None] - labels.places[None, b], axis=2) * PIXEL_M
        apart[apart > MATCH_M] = _TOO_FAR_M
        for i, k in zip(*linear_sum_assignment(apart), strict=True):
            if apart[i, k] < MATCH_M:
                yield int(a[i]), int(b[k])


def _answers(said: Numbers, true: Numbers) -> Counts:
    """Counts of answers against labels; unknown labels are skipped, and an unknown answer is wrong."""
    right = said == true
    return Counts(
        int((right & (true == 1)).sum()), int((~right & (true == 0)).sum()), int((~right & (true == 1)).sum())
    )


def _length(said_m: Numbers, true_m: Numbers) -> tuple[float, int]:
    """Score of the lengths, and the number of labels of known length."""
    known = np.isfinite(true_m)
    if not known.any():
        return 0.0, 0
    said_m, true_m = (np.minimum(one[known], _LONGEST_M) for one in (np.nan_to_num(said_m, nan=0.0), true_m))
    return float(1 - min((np.abs(said_m - true_m) / true_m).mean(), 1.0)), int(known.sum())
