"""Decoding of an ONNX detector's arrays to boxes, scores and labels of each chip, on the canvas. No files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.adapters.common import Found
from refinedet.adapters.onnx_layout import Plan
from refinedet.errors import InputError
from refinedet.nms import nms

_CANDIDATES = 10_000
"""Most boxes of one chip that suppression takes, strongest first."""

Array = NDArray[Any]


def decode(arrays: Mapping[str, Array], plan: Plan, classes: int, score_min: float, nms_iou: float) -> list[Found]:
    """Decode the output for each canvas of a batch: boxes xyxy, in the unit of the graph.

    Boxes with a score for each class keep their best class, and are suppressed within it.

    Raises:
        InputError: the arrays are not of the shapes that the plan expects.
    """
    parts = _parts({name: np.asarray(arrays[name], np.float64) for name in plan.names}, plan, classes)
    return [_found(boxes, scores, labels, plan, (score_min, nms_iou)) for boxes, scores, labels in parts]


def _parts(arrays: dict[str, Array], plan: Plan, classes: int) -> list[tuple[Array, Array, Array | None]]:
    """Split the arrays into boxes (N, 4) and scores (N,) with labels (N,), or scores (N, K) alone, of each canvas."""
    if plan.kind == "boxes":
        return _apart(arrays, plan, classes)
    table = arrays[plan.boxes]
    rows = table.swapaxes(1, 2) if table.ndim == 3 and not plan.channels_last else table
    wanted = {"rows": 6, "yolo": 4 + classes, "yolo_objectness": 5 + classes}[plan.kind]
    if rows.ndim != 3 or rows.shape[2] != wanted:
        raise InputError(
            f"expected {wanted} numbers for each box in '{plan.boxes}' of {plan.source}, found {table.shape}"
        )
    if plan.kind == "rows":
        return [(one[:, :4], one[:, 4], one[:, 5]) for one in rows]
    scores = rows[..., 4:] if plan.kind == "yolo" else rows[..., 4:5] * rows[..., 5:]
    return [(one[:, :4], score, None) for one, score in zip(rows, scores, strict=True)]


def _apart(arrays: dict[str, Array], plan: Plan, classes: int) -> list[tuple[Array, Array, Array | None]]:
    """Split separate outputs into the parts of each canvas, as `_parts` does."""
    if arrays[plan.boxes].ndim == 2:  # a graph for one image, without a batch axis
        arrays = {name: array[None] for name, array in arrays.items()}
    boxes = arrays[plan.boxes]
    scores = boxes[..., 4] if plan.scores is None else arrays[plan.scores]
    labels = None if plan.labels is None else arrays[plan.labels]
    if scores.ndim == 2 and labels is None and classes == 1:
        scores = scores[..., None]
    fits = scores.shape[2:] == (classes,) or (scores.ndim == 2 and labels is not None and labels.shape == scores.shape)
    if boxes.ndim != 3 or scores.shape[:2] != boxes.shape[:2] or not fits:
        raise InputError(
            f"expected boxes (B, N, 4), scores (B, N) and labels (B, N), or scores (B, N, {classes}), "
            f"from {plan.source}, found {boxes.shape}, {scores.shape} and {None if labels is None else labels.shape}"
        )
    single = scores.ndim == 2 and labels is not None
    return [
        (boxes[i, :, :4], scores[i], labels[i] if single and labels is not None else None) for i in range(len(boxes))
    ]


def _found(boxes: Array, scores: Array, labels: Array | None, plan: Plan, limits: tuple[float, float]) -> Found:
    corners = boxes
    if plan.centres:
        half = boxes[:, 2:] / 2
        corners = np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)
    if labels is not None:
        return Found(corners, scores, labels)
    score_min, nms_iou = limits
    best, label = scores.max(axis=1), scores.argmax(axis=1)
    strong = np.flatnonzero(~(best < score_min))
    strong = strong[np.argsort(-best[strong], kind="stable")][:_CANDIDATES]
    kept = strong[_suppressed(corners[strong], best[strong], label[strong], nms_iou)]
    return Found(corners[kept], best[kept], label[kept])


def _suppressed(boxes: Array, scores: Array, labels: Array, iou: float) -> Array:
    """Indices of the boxes (N, 4) that NMS within each class keeps, strongest first."""
    kept = [np.zeros(0, np.int64)]
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        kept.append(members[nms(boxes[members].astype(np.float32), scores[members].astype(np.float32), iou)])
    index = np.concatenate(kept)
    return index[np.argsort(-scores[index], kind="stable")]
