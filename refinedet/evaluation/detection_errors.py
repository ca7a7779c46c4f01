"""Errors of a detector, sorted by kind, and the AP that each kind costs. Takes records and arrays, never paths.

The kinds are those of TIDE. So is the cost: the AP with the errors of one kind repaired, less the AP as it is.

Source: Bolya et al. 2020, "TIDE: A General Toolbox for Identifying Object Detection Errors", sections 2.2 and 2.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import iou
from refinedet.data.coco import Record
from refinedet.detections import Detections
from refinedet.evaluation.metrics import HIT_IOU, Match, match, pr_curve, strongest

Kind = Literal["missed", "badly_placed", "double", "false_alarm", "wrong_class", "wrong_class_and_place"]
KINDS: tuple[Kind, ...] = ("missed", "badly_placed", "double", "false_alarm", "wrong_class", "wrong_class_and_place")
"""All kinds, in the order of tables and charts."""

NEAR_IOU = 0.1
"""IoU below which a detection has nothing to do with an object."""

_OF_CLASSES: tuple[Kind, ...] = ("wrong_class", "wrong_class_and_place")


@dataclass(frozen=True, slots=True)
class DetectionErrors:
    """Detection errors of one image. Indices point into its detections and its truth."""

    detections: dict[int, Kind]
    """Detection index -> kind of its error; only detections that hit nothing."""
    meant: dict[int, int]
    """Detection index -> truth index, for a detection that is badly placed or of the wrong class."""
    unhit: NDArray[np.int64]
    """(U,) truth indices that no detection hits."""
    missed: NDArray[np.int64]
    """(M,) those of `unhit` that no detection is meant for."""

    def count(self, kind: Kind) -> int:
        """Number of errors of a kind on this image."""
        return len(self.missed) if kind == "missed" else sum(one == kind for one in self.detections.values())


def kinds_of(truth: Record) -> tuple[Kind, ...]:
    """Kinds that are possible with the classes of `truth`; with one class, none can be wrong."""
    return KINDS if len(truth.classes) > 1 else tuple(kind for kind in KINDS if kind not in _OF_CLASSES)


def find_detection_errors(
    truth: Record, detections: Mapping[int, Detections], *, score_min: float, iou_min: float = HIT_IOU
) -> dict[int, DetectionErrors]:
    """Find the errors of every image, among the detections with score >= `score_min`, after `metrics.match`.

    A detection that hits nothing gets the first of these kinds that applies. IoU is with objects that are not ignored.

    - badly placed: its best IoU with an object of its class lies within [NEAR_IOU, `iou_min`);
    - of the wrong class: its best IoU with an object of another class is at least `iou_min`;
    - a double: its best IoU with an object of its class is at least `iou_min`, but a stronger detection hit that;
    - a false alarm: its best IoU with any object is below NEAR_IOU;
    - of the wrong class and badly placed: what is left.

    An object is missed if no detection hits it, is badly placed on it, or lies on it with the wrong class.

    Raises:
        InputError: an image id or label of `detections` is not in `truth`.
    """
    matches = match(truth, detections, iou_min=iou_min, score_min=score_min)
    empty = Detections.empty()
    return {i: _of_image(truth, i, detections.get(i, empty), found, iou_min) for i, found in matches.items()}


def _of_image(truth: Record, image: int, found: Detections, matched: Match, iou_min: float) -> DetectionErrors:
    ious = np.where(truth.ignored[image], 0, iou(found.boxes_xyxy, truth.boxes[image]))
    own_class = found.labels[:, None] == truth.labels[image][None, :]
    same, other = np.where(own_class, ious, 0), np.where(own_class, 0, ious)
    kinds: dict[int, Kind] = {}
    meant: dict[int, int] = {}
    for d in matched.false_alarms.tolist():
        best_same, best_other = (float(row[d].max(initial=0)) for row in (same, other))
        if NEAR_IOU <= best_same < iou_min:
            kinds[d], meant[d] = "badly_placed", int(same[d].argmax())
        elif best_other >= iou_min:
            kinds[d], meant[d] = "wrong_class", int(other[d].argmax())
        elif best_same >= iou_min:
            kinds[d] = "double"
        else:
            kinds[d] = "false_alarm" if max(best_same, best_other) < NEAR_IOU else "wrong_class_and_place"
    claimed = set(meant.values())
    missed = [t for t in matched.misses.tolist() if t not in claimed]
    return DetectionErrors(kinds, meant, matched.misses, np.array(missed, np.int64))


def ap_costs(truth: Record, detections: Mapping[int, Detections], *, iou_min: float = HIT_IOU) -> dict[Kind, float]:
    """AP at `iou_min`, in points 0..100, that each possible kind of error costs; empty without objects.

    One kind at a time is repaired. A missed object no longer counts. A badly placed detection gets the box of the
    object that it is meant for, and one of the wrong class gets its class. If something hits that object already, or a
    stronger detection is meant for it, the detection is removed. Doubles and false alarms are removed. Costs do not add
    up, because one repair changes the gain of another. Only the strongest detections of an image count, as in COCO.

    Raises:
        InputError: an image id or label of `detections` is not in `truth`.
    """
    detections = strongest(detections)
    before = _ap(truth, detections, iou_min)
    if before is None:
        return {}
    errors = find_detection_errors(truth, detections, score_min=0.0, iou_min=iou_min)
    costs: dict[Kind, float] = {}
    for kind in kinds_of(truth):
        if kind == "missed":
            after = _ap(_without(truth, {i: one.missed for i, one in errors.items()}), detections, iou_min)
        else:
            repaired = {i: _repaired(truth, i, found, errors[i], kind) for i, found in detections.items()}
            after = _ap(truth, repaired, iou_min)
        costs[kind] = (100.0 if after is None else after) - before
    return costs


def _ap(truth: Record, detections: Mapping[int, Detections], iou_min: float) -> float | None:
    curve = pr_curve(truth, detections, iou_min)
    return None if curve is None else 100.0 * float(curve.mean())


def _without(truth: Record, left_out: Mapping[int, NDArray[np.int64]]) -> Record:
    kept = {i: np.delete(np.arange(len(boxes)), left_out[i]) for i, boxes in truth.boxes.items()}
    return replace(
        truth,
        boxes={i: truth.boxes[i][rows] for i, rows in kept.items()},
        labels={i: truth.labels[i][rows] for i, rows in kept.items()},
        ignored={i: truth.ignored[i][rows] for i, rows in kept.items()},
    )


def _repaired(truth: Record, image: int, found: Detections, errors: DetectionErrors, kind: Kind) -> Detections:
    """Repair the errors of one kind among the detections of an image."""
    boxes, labels = found.boxes_xyxy.copy(), found.labels.copy()
    keep = np.ones(len(found), np.bool_)
    # target -> strongest detection that is meant for it, of either kind, because the last one written stays
    best = {errors.meant[d]: d for d in sorted(errors.meant, reverse=True)}
    unhit = set(errors.unhit.tolist())
    for d in (d for d, own in errors.detections.items() if own == kind):
        target = errors.meant.get(d)
        if target is not None and target in unhit and best[target] == d:
            boxes[d], labels[d] = truth.boxes[image][target], truth.labels[image][target]
        else:
            keep[d] = False
    return Detections.of(boxes[keep], found.scores[keep], labels[keep])
