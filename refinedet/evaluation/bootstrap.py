"""Bootstrap intervals of COCO AP: its variation with other images of the same kind.

R resamples, I images, D detections, T IoU thresholds. pycocotools matches the detections once, image by image. Each
resample only changes the weights of the images and accumulates again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from refinedet.data.coco import Record
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.evaluation.metrics import coco_judge

Measure = Literal["AP", "AP50", "AP75"]

_IOUS: dict[Measure, float | None] = {"AP": None, "AP50": 0.5, "AP75": 0.75}
_QUANTILES = (0.025, 0.975)
_RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True, slots=True)
class _Class:
    """Matches of one class at one IoU threshold, strongest detection first, without detections on ignored boxes."""

    images: NDArray[np.int64]
    """(D,) index of the image that each detection is in."""
    correct: NDArray[np.bool_]
    """(D,) true for a detection that hit an object."""
    objects: NDArray[np.float64]
    """(I,) number of objects in each image."""


def bootstrap_interval(
    truth: Record,
    detections: Mapping[int, Detections],
    *,
    measure: Measure = "AP",
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float] | None:
    """95 % percentile interval of a COCO average precision, in percent 0..100; None if no draw has an object.

    Images are drawn with replacement, as many as there are; equal arguments give equal intervals. The interval shows
    the effect of the choice of images, not that of the seed of the training.

    Source: Efron and Tibshirani 1993, chapter 13.

    Args:
        truth: boxes by image id.
        detections: detections by image id; an absent image has none.
        measure: AP (mean over ten IoUs), AP50 or AP75.
        resamples: number of draws; with 1000 of them on some hundred images, the ends of the interval vary by about 0.1
            points.
        seed: seed of the draws.

    Raises:
        InputError: `resamples` is below 1, or an image id or label of `detections` is not in `truth`.
    """
    values = _drawn(truth, (detections,), measure, resamples, seed)[0]
    return _interval(values)


def bootstrap_difference(
    truth: Record,
    first: Mapping[int, Detections],
    second: Mapping[int, Detections],
    *,
    measure: Measure = "AP",
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float] | None:
    """95 % percentile interval of the average precision of `second` less that of `first`, in points.

    Both are judged on the same drawn images, so that hard images in a draw are hard for both. That makes the interval
    far narrower than two separate ones. Arguments, errors and source are those of `bootstrap_interval`.
    """
    before, after = _drawn(truth, (first, second), measure, resamples, seed)
    return _interval(after - before)


def _drawn(
    truth: Record, judged: Sequence[Mapping[int, Detections]], measure: Measure, resamples: int, seed: int
) -> list[NDArray[np.float64]]:
    """Average precision (R,) in 0..100 of each of `judged` on the same draws; NaN for a draw without objects."""
    if resamples < 1:
        raise InputError(f"expected at least 1 resample, found {resamples}")
    images = len(truth.images)
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(images, np.full(images, 1 / images), resamples)
    return [100.0 * _average_precision(_matched(truth, detections, measure), weights) for detections in judged]


def _interval(values: NDArray[np.float64]) -> tuple[float, float] | None:
    defined = values[~np.isnan(values)]
    if not len(defined):
        return None
    low, high = np.quantile(defined, _QUANTILES)
    return float(low), float(high)


def _average_precision(matched: list[list[_Class]], weights: NDArray[np.int64]) -> NDArray[np.float64]:
    """COCO's average precision (R,) in [0, 1], each image counted `weights` (R, I) times; NaN without any object.

    It averages over 101 recall points, then over thresholds and over the classes that have objects. This is
    pycocotools' `accumulate` with the copies of an image one after another.
    """
    times = weights.astype(np.float64)
    per_class = np.stack([np.mean([_interpolated(at, times) for at in thresholds], axis=0) for thresholds in matched])
    present = ~np.isnan(per_class)
    total = np.where(present, per_class, 0).sum(axis=0)
    return np.asarray(
        np.divide(total, present.sum(axis=0), out=np.full(len(weights), np.nan), where=present.any(axis=0))
    )


def _interpolated(matches: _Class, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean precision (R,) over 101 recall points at one threshold; NaN for a resample without objects."""
    hits = matches.correct.nonzero()[0]
    # index of the first hit at or after each detection: from there on it counts as a claim
    up_to = np.searchsorted(hits, np.arange(len(matches.images)))
    claims = _per_image(matches.images, up_to, (weights.shape[1], len(hits)))
    found = weights @ _per_image(matches.images[hits], np.arange(len(hits)), claims.shape)
    claimed = weights @ claims
    objects = weights @ matches.objects
    # recall rises at hits alone, so the best precision from a recall on is the best of the hits from there on
    precision = np.divide(found, claimed, out=np.zeros_like(found), where=claimed > 0)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    best = np.hstack([best, np.zeros((len(best), 1))])  # beyond the recall reached
    recall = found / np.where(objects > 0, objects, np.nan)[:, None]
    points = np.stack([np.searchsorted(row, _RECALLS) for row in recall])
    return np.where(objects > 0, np.take_along_axis(best, points, axis=1).mean(axis=1), np.nan)


def _per_image(images: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Count detections of each image up to each of H hits, (I, H); `columns` is the first hit that each counts for."""
    counts = np.zeros((shape[0], shape[1] + 1))  # the last column is for detections after all hits
    np.add.at(counts, (images, columns), 1)
    return np.asarray(counts[:, :-1].cumsum(axis=1))


def _matched(truth: Record, detections: Mapping[int, Detections], measure: Measure) -> list[list[_Class]]:
    """Matches by pycocotools, for each class and IoU threshold."""
    judge = coco_judge(truth, detections, _IOUS[measure])
    areas, ids = len(judge.params.areaRng), judge.params.imgIds
    out = []
    for label in range(len(truth.classes)):
        first = label * areas * len(ids)  # the first area range is all sizes
        out.append(_class_matches(judge.evalImgs[first : first + len(ids)], len(judge.params.iouThrs)))
    return out


def _class_matches(per_image: list[dict[str, Any] | None], thresholds: int) -> list[_Class]:
    entries = [(index, entry) for index, entry in enumerate(per_image) if entry is not None]
    objects = np.zeros(len(per_image))
    for index, entry in entries:
        objects[index] = np.count_nonzero(np.asarray(entry["gtIgnore"]) == 0)
    images = np.concatenate([np.full(len(e["dtScores"]), i) for i, e in entries] or [np.zeros(0)]).astype(np.int64)
    scores = np.concatenate([e["dtScores"] for _, e in entries] or [np.zeros(0)])
    empty = np.zeros((thresholds, 0))
    correct = np.concatenate([empty, *(e["dtMatches"] for _, e in entries)], axis=1) > 0
    ignored = np.concatenate([empty, *(e["dtIgnore"] for _, e in entries)], axis=1) > 0
    order = np.argsort(-scores, kind="stable")
    rows = []
    for at in range(thresholds):
        kept = order[~ignored[at, order]]
        rows.append(_Class(images[kept], correct[at, kept], objects))
    return rows
