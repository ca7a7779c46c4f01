"""PASCAL VOC's average precision, by its devkit's rules: 11 points (VOC2007) and area under the curve (from VOC2010).

It differs from COCO's in what a detection may take: always the object of its class that it overlaps most, difficult or
already taken, and never the second best. Difficult objects are those that the record ignores; a detection whose best
object is difficult counts neither way. The devkit's boxes are inclusive and its IoU adds 1 to each side; on half-open
boxes plain IoU is the same number. Source: VOCevaldet.m and VOCap.m of the VOC2007 and VOC2012 development kits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import iou
from refinedet.data.coco import Record
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.evaluation.metrics import check_known

HIT_IOU = 0.5
"""Least overlap of a hit in the VOC challenges."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of the D detections of one class, strongest first; equal scores stand in the order of the images."""

    hit: NDArray[np.bool_]
    """(D,) the first on an object."""
    false_alarm: NDArray[np.bool_]
    """(D,) on nothing, or on an object already hit. Neither: on a difficult object."""
    objects: int
    """Objects of the class, difficult ones left out."""


def voc_metrics(
    truth: Record, detections: Mapping[int, Detections], *, iou_min: float = HIT_IOU
) -> dict[str, float | None]:
    """AP of each class and its mean over the classes with objects, in percent 0..100.

    Keys are `mAP07` and `mAP10`, then `AP07/<class>` and `AP10/<class>` for every class. A value is None where the
    truth holds no object (difficult ones are none), and 0 where objects exist and nothing was found.

    Args:
        truth: boxes by image id; what is ignored there is VOC's "difficult".
        detections: detections by image id; an absent image has none. All of them count, however many.
        iou_min: least IoU of a hit, within (0, 1].

    Raises:
        InputError: `iou_min` is out of range, or an image id or label of `detections` is not in `truth`.
    """
    per_class = [class_outcomes(truth, detections, label, iou_min) for label in range(len(truth.classes))]
    rules = {"07": ap_11_points, "10": ap_area}
    found = {rule: [_percent(ap(outcomes)) for outcomes in per_class] for rule, ap in rules.items()}
    means: dict[str, float | None] = {f"mAP{rule}": _mean(values) for rule, values in found.items()}
    return means | {
        f"AP{rule}/{name}": value
        for rule, values in found.items()
        for name, value in zip(truth.classes, values, strict=True)
    }


def class_outcomes(
    truth: Record, detections: Mapping[int, Detections], label: int, iou_min: float = HIT_IOU
) -> Outcomes:
    """Judge the detections of class `label` in all images.

    Raises:
        InputError: as `voc_metrics`.
    """
    _check(truth, detections, iou_min)
    scores: list[NDArray[np.float32]] = []
    hits: list[NDArray[np.bool_]] = []
    alarms: list[NDArray[np.bool_]] = []
    objects = 0
    for image in truth.images:
        of_class = truth.labels[image.id] == label
        difficult = truth.ignored[image.id][of_class]
        objects += int((~difficult).sum())
        all_found = detections.get(image.id, Detections.empty())
        found = all_found.keep(all_found.labels == label)
        if not len(found):
            continue
        overlap = iou(found.boxes_xyxy, truth.boxes[image.id][of_class])
        hit, alarm = _judge_image(overlap, difficult, iou_min)
        scores.append(found.scores)
        hits.append(hit)
        alarms.append(alarm)
    order = np.argsort(-_joined(scores, np.float32), kind="stable")
    return Outcomes(_joined(hits, np.bool_)[order], _joined(alarms, np.bool_)[order], objects)


def ap_11_points(outcomes: Outcomes) -> float | None:
    """VOC2007: mean, over recall 0, 0.1, ... 1, of the best precision at that recall or a higher one.

    In [0, 1]; None without objects. Recall is compared in whole numbers: as a float, 3 * 0.1 is more than 0.3.
    """
    if not outcomes.objects:
        return None
    hits, precision = _curve(outcomes)
    best = [precision[10 * hits >= point * outcomes.objects].max(initial=0.0) for point in range(11)]
    return float(np.mean(best))


def ap_area(outcomes: Outcomes) -> float | None:
    """VOC2010 and later: area under precision over recall, precision made monotone from the right.

    In [0, 1]; None without objects.
    """
    if not outcomes.objects:
        return None
    hits, precision = _curve(outcomes)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    gained = np.diff(hits, prepend=0)  # one step of recall at each hit
    return float((gained * envelope).sum() / outcomes.objects)


def _judge_image(
    overlap: NDArray[np.float32], difficult: NDArray[np.bool_], iou_min: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(hit, false alarm) of the detections of one image and class, strongest first, from their IoU (D, N)."""
    count = len(overlap)
    if not len(difficult):
        return np.zeros(count, np.bool_), np.ones(count, np.bool_)
    best = overlap.argmax(axis=1)
    on_object = overlap[np.arange(count), best] >= iou_min
    easy = on_object & ~difficult[best]
    hit = np.zeros(count, np.bool_)
    hit[_first_of_each(best, easy)] = True
    return hit, ~on_object | (easy & ~hit)


def _first_of_each(target: NDArray[np.intp], applies: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Index of the first detection on each target, among those it applies to."""
    index = np.flatnonzero(applies)
    return index[np.unique(target[index], return_index=True)[1]]


def _curve(outcomes: Outcomes) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Hits so far (D,) and precision so far (D,), down the detections."""
    hits = np.cumsum(outcomes.hit, dtype=np.int64)
    judged = hits + np.cumsum(outcomes.false_alarm, dtype=np.int64)
    # 0 / 0 where only difficult objects were found so far: no precision yet, and no recall either
    return hits, hits / np.maximum(judged, 1)


def _joined(parts: list[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype), *parts])


def _check(truth: Record, detections: Mapping[int, Detections], iou_min: float) -> None:
    if not 0 < iou_min <= 1:
        raise InputError(f"expected iou_min within (0, 1], found {iou_min}")
    check_known(truth, detections)


def _percent(share: float | None) -> float | None:
    return None if share is None else 100.0 * share


def _mean(values: list[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return float(np.mean(present)) if present else None
