"""PASCAL VOC's average precision, by its devkit's rules: 11 points (VOC2007) and area under the curve (from VOC2010).

It matches differently from COCO's: a detection always takes the object of its class with the highest IoU, even if that
one is difficult or already taken, and never the second best. Difficult objects are those that the annotations ignore; a
detection whose best object is difficult counts neither way. The devkit's boxes are inclusive and its IoU adds 1 to each
side; on half-open boxes plain IoU is the same number.

Source: VOCevaldet.m and VOCap.m of the VOC2007 and VOC2012 development kits.
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
"""Least IoU of a hit in the VOC challenges."""


@dataclass(frozen=True, slots=True)
class JudgedDetections:
    """Judgement of the D detections of one class, strongest first; equal scores are in the order of the images."""

    hit: NDArray[np.bool_]
    """(D,) the detection is the first on an object."""
    false_alarm: NDArray[np.bool_]
    """(D,) it is on nothing, or on an object already hit. Neither is true on a difficult object."""
    objects: int
    """Number of objects of the class, without difficult ones."""


def voc_metrics(
    truth: Record, detections: Mapping[int, Detections], *, iou_min: float = HIT_IOU
) -> dict[str, float | None]:
    """AP of each class and its mean over the classes with objects, in percent 0..100.

    Keys are `mAP07` and `mAP10`, then `AP07/<class>` and `AP10/<class>` for every class. A value is None if the truth
    holds no object (difficult ones do not count), and 0 if objects exist and none was found.

    Args:
        truth: boxes by image id; ignored boxes are VOC's "difficult".
        detections: detections by image id; an absent image has none. All of them count, however many.
        iou_min: least IoU of a hit, within (0, 1].

    Raises:
        InputError: `iou_min` is out of range, or an image id or label of `detections` is not in `truth`.
    """
    per_class = [judge_class(truth, detections, label, iou_min) for label in range(len(truth.classes))]
    rules = {"07": ap_11_points, "10": ap_area}
    found = {rule: [_percent(ap(judged)) for judged in per_class] for rule, ap in rules.items()}
    means: dict[str, float | None] = {f"mAP{rule}": _mean(values) for rule, values in found.items()}
    return means | {
        f"AP{rule}/{name}": value
        for rule, values in found.items()
        for name, value in zip(truth.classes, values, strict=True)
    }


def judge_class(
    truth: Record, detections: Mapping[int, Detections], label: int, iou_min: float = HIT_IOU
) -> JudgedDetections:
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
        ious = iou(found.boxes_xyxy, truth.boxes[image.id][of_class])
        hit, alarm = _judge_image(ious, difficult, iou_min)
        scores.append(found.scores)
        hits.append(hit)
        alarms.append(alarm)
    order = np.argsort(-_concatenated(scores, np.float32), kind="stable")
    return JudgedDetections(_concatenated(hits, np.bool_)[order], _concatenated(alarms, np.bool_)[order], objects)


def ap_11_points(judged: JudgedDetections) -> float | None:
    """VOC2007: mean, over recall 0, 0.1, ... 1, of the best precision at that recall or a higher one.

    In [0, 1]; None without objects. Recall is compared in whole numbers: as a float, 3 * 0.1 is more than 0.3.
    """
    if not judged.objects:
        return None
    hits, precision = _curve(judged)
    best = [precision[10 * hits >= point * judged.objects].max(initial=0.0) for point in range(11)]
    return float(np.mean(best))


def ap_area(judged: JudgedDetections) -> float | None:
    """VOC2010 and later: area under precision over recall, precision made monotone from the right.

    In [0, 1]; None without objects.
    """
    if not judged.objects:
        return None
    hits, precision = _curve(judged)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    gained = np.diff(hits, prepend=0)  # one step of recall at each hit
    return float((gained * envelope).sum() / judged.objects)


def _judge_image(
    ious: NDArray[np.float32], difficult: NDArray[np.bool_], iou_min: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(hit, false alarm) of the detections of one image and class, strongest first, from their IoU (D, N)."""
    count = len(ious)
    if not len(difficult):
        return np.zeros(count, np.bool_), np.ones(count, np.bool_)
    best = ious.argmax(axis=1)
    on_object = ious[np.arange(count), best] >= iou_min
    easy = on_object & ~difficult[best]
    hit = np.zeros(count, np.bool_)
    hit[_first_of_each(best, easy)] = True
    return hit, ~on_object | (easy & ~hit)


def _first_of_each(target: NDArray[np.intp], applies: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Index of the first detection on each target, among those with `applies`."""
    index = np.flatnonzero(applies)
    return index[np.unique(target[index], return_index=True)[1]]


def _curve(judged: JudgedDetections) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Cumulative hits (D,) and precision (D,), from the strongest detection to the weakest."""
    hits = np.cumsum(judged.hit, dtype=np.int64)
    counted = hits + np.cumsum(judged.false_alarm, dtype=np.int64)
    # 0 / 0 if only difficult objects were found so far: there is no precision yet, and no recall either
    return hits, hits / np.maximum(counted, 1)


def _concatenated(parts: list[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
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
