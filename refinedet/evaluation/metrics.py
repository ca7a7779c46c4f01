"""Quality of detections against the truth: COCO AP, precision over recall, and hits, misses and false alarms.

Takes records and arrays, never paths. pycocotools is the judge; it is fed from memory and kept silent.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import Boxes, area, intersection, iou
from refinedet.data.coco import Record, to_coco
from refinedet.detections import Detections
from refinedet.errors import InputError

IMAGE_DETECTIONS_MAX = 100
"""COCO judges at most this many detections of one image, the strongest."""

HIT_IOU = 0.5
"""Least IoU of a hit, for precision, recall and F1."""
HIT_SCORE = 0.5
"""Lowest score of a detection for these measures; it is the default of `refinedet detect`."""

_STATS = {"AP": 0, "AP50": 1, "AP75": 2, "AP_small": 3, "AP_medium": 4, "AP_large": 5, "AR_100": 8}


def coco_metrics(truth: Record, detections: Mapping[int, Detections]) -> dict[str, float | None]:
    """COCO AP, AP50, AP75, AP_small, AP_medium, AP_large and AR_100, in percent 0..100.

    A size is the area of the box in pixels of the chip: small below 32 x 32, large above 96 x 96. A value is None if
    the truth holds no object of that size (or none at all), and 0 if objects exist and nothing was found.
    Ignored boxes are COCO crowds: detections on them count neither way.

    Args:
        truth: boxes by image id.
        detections: detections by image id; an absent image has none.

    Raises:
        InputError: an image id or label of `detections` is not in `truth`.
    """
    judged = coco_judge(truth, detections)
    with redirect_stdout(io.StringIO()):
        judged.summarize()
    return {name: _percent(judged.stats[index]) for name, index in _STATS.items()}


def coco_judge(truth: Record, detections: Mapping[int, Detections], iou_min: float | None = None) -> Any:
    """Evaluate with pycocotools at COCO's ten IoUs, or at `iou_min` alone; return the accumulated `COCOeval`.

    Raises:
        InputError: an image id or label of `detections` is not in `truth`.
    """
    from pycocotools.cocoeval import COCOeval

    check_known(truth, detections)
    document = to_coco(truth)
    with redirect_stdout(io.StringIO()):
        judge = COCOeval(_indexed(document), _indexed({**document, "annotations": _rows(detections)}), "bbox")
        judge.params.maxDets = [1, 10, IMAGE_DETECTIONS_MAX]
        if iou_min is not None:
            judge.params.iouThrs = np.array([iou_min])
        judge.evaluate()
        judge.accumulate()
    return judge


def strongest(detections: Mapping[int, Detections]) -> dict[int, Detections]:
    """Select the detections that COCO judges: of each image and class, the IMAGE_DETECTIONS_MAX strongest."""
    return {image_id: _strongest(found) for image_id, found in detections.items()}


def _strongest(found: Detections) -> Detections:
    keep = np.zeros(len(found), np.bool_)
    for label in np.unique(found.labels):
        keep[np.flatnonzero(found.labels == label)[:IMAGE_DETECTIONS_MAX]] = True
    return found.keep(keep)


def pr_curve(truth: Record, detections: Mapping[int, Detections], iou_min: float) -> NDArray[np.float64] | None:
    """Precision (101,) in [0, 1] at recall 0, 0.01, ... 1, mean over the classes present; None without any object.

    Precision is COCO's: the best at this recall or a higher one, and 0 beyond the highest recall. So its mean is the AP
    at `iou_min`.

    Raises:
        InputError: `iou_min` is not within (0, 1], or an image id or label of `detections` is not in `truth`.
    """
    if not 0 < iou_min <= 1:
        raise InputError(f"expected iou_min within (0, 1], found {iou_min}")
    precision = coco_judge(truth, detections, iou_min).eval["precision"][0, :, :, 0, -1]
    present = precision[:, precision[0] >= 0]
    return np.asarray(present.mean(axis=1), np.float64) if present.size else None


@dataclass(frozen=True, slots=True)
class Match:
    """Pairs of detections and objects of one image. Indices point into the arguments of `match`."""

    hits: NDArray[np.int64]
    """(H, 2) detection index, truth index."""
    false_alarms: NDArray[np.int64]
    """(F,) detection indices."""
    misses: NDArray[np.int64]
    """(M,) truth indices."""


def coco_results(detections: Mapping[int, Detections]) -> list[dict[str, Any]]:
    """Detections by image id as a COCO results list: `bbox` [x, y, w, h] in pixels of the image, category ids 1..K."""
    return [
        {"image_id": image_id, "category_id": label + 1, "bbox": [x1, y1, x2 - x1, y2 - y1], "score": score}
        for image_id, found in detections.items()
        for (x1, y1, x2, y2), label, score in zip(
            found.boxes_xyxy.tolist(), found.labels.tolist(), found.scores.tolist(), strict=True
        )
    ]


def match(
    truth: Record, detections: Mapping[int, Detections], *, iou_min: float = HIT_IOU, score_min: float = HIT_SCORE
) -> dict[int, Match]:
    """Pair detections and objects of every image one to one, by COCO's rules at one IoU and one score.

    From the strongest on, each detection with score >= `score_min` takes the free object of its class with the highest
    IoU, if that is at least `iou_min`. A detection without an object is a false alarm, unless `iou_min` of it lies on
    an ignored box of its class. Ignored boxes are never missed.

    Raises:
        InputError: an image id or label of `detections` is not in `truth`.
    """
    check_known(truth, detections)
    return {
        image.id: _match_image(
            (truth.boxes[image.id], truth.labels[image.id], truth.ignored[image.id]),
            detections.get(image.id, Detections.empty()),
            iou_min,
            score_min,
        )
        for image in truth.images
    }


def _match_image(
    objects: tuple[Boxes, NDArray[np.int64], NDArray[np.bool_]], found: Detections, iou_min: float, score_min: float
) -> Match:
    boxes, labels, ignored = objects
    same_class = found.labels[:, None] == labels[None, :]
    ious = np.where(same_class & ~ignored, iou(found.boxes_xyxy, boxes), 0)
    on_ignored = _covered_by_ignored(found.boxes_xyxy, boxes, same_class & ignored, iou_min)
    hits, false_alarms = [], []
    free = ~ignored
    for index in np.flatnonzero(found.scores >= score_min):
        candidates = np.where(free, ious[index], 0)
        best = int(candidates.argmax()) if len(candidates) else -1
        if best >= 0 and candidates[best] >= iou_min:
            free[best] = False
            hits.append((index, best))
        elif not on_ignored[index]:
            false_alarms.append(index)
    return Match(
        np.array(hits, np.int64).reshape(-1, 2), np.array(false_alarms, np.int64), np.flatnonzero(free).astype(np.int64)
    )


def _covered_by_ignored(found: Boxes, boxes: Boxes, applies: NDArray[np.bool_], share_min: float) -> NDArray[np.bool_]:
    share = intersection(found, boxes) / np.maximum(area(found), np.finfo(np.float32).tiny)[:, None]
    return np.asarray((applies & (share >= share_min)).any(axis=1))


def _indexed(document: dict[str, Any]) -> Any:
    from pycocotools.coco import COCO

    indexed = COCO()
    indexed.dataset = document
    indexed.createIndex()
    return indexed


def _rows(detections: Mapping[int, Detections]) -> list[dict[str, Any]]:
    """COCO results with the id (from 1, because 0 means "unmatched") and area that pycocotools adds on loading."""
    rows: list[dict[str, Any]] = []
    for result in coco_results(detections):
        rows.append({**result, "id": len(rows) + 1, "area": result["bbox"][2] * result["bbox"][3]})
    return rows


def check_known(truth: Record, detections: Mapping[int, Detections]) -> None:
    """Raise InputError if `detections` name an image or a class that the truth does not have."""
    unknown = sorted(set(detections) - {image.id for image in truth.images})
    if unknown:
        raise InputError(
            f"expected detections of the {len(truth.images)} images of the truth, found image ids {unknown[:5]}"
        )
    highest = max((int(found.labels.max()) for found in detections.values() if len(found)), default=0)
    if highest >= len(truth.classes):
        raise InputError(f"expected labels below {len(truth.classes)}, the classes of the truth, found {highest}")


def _percent(value: float) -> float | None:
    return None if value < 0 else 100.0 * float(value)
