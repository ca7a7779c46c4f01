"""Pure box maths on NumPy arrays. Boxes are (N, 4) float32 [x1, y1, x2, y2], absolute pixels, half-open.

N boxes, M boxes. No function opens a file or changes its arguments. model/box_coder.py codes boxes in torch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from refinedet.errors import InputError

Boxes = NDArray[np.float32]


def as_boxes(values: ArrayLike) -> Boxes:
    """Return a float32 (N, 4) copy; an empty input gives shape (0, 4).

    Raises:
        InputError: the shape is not (N, 4).
    """
    boxes = np.array(values, dtype=np.float32)
    if boxes.size == 0:
        return np.zeros((0, 4), np.float32)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise InputError(f"expected boxes of shape (N, 4), found {boxes.shape}")
    return boxes


def xywh_to_xyxy(boxes_xywh: ArrayLike) -> Boxes:
    """Convert COCO boxes [x, y, w, h] to [x1, y1, x2, y2]."""
    boxes = as_boxes(boxes_xywh)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def area(boxes_xyxy: Boxes) -> NDArray[np.float32]:
    """Areas (N,) in square pixels; an inverted box has area 0."""
    size = np.clip(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], 0, None)
    return np.asarray(size[:, 0] * size[:, 1], np.float32)


def intersection(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Areas shared by each pair of boxes (N, M), in square pixels."""
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    size = np.clip(bottom_right - top_left, 0, None)
    return np.asarray(size[..., 0] * size[..., 1], np.float32)


def iou(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Intersection over union (N, M) in [0, 1]; 0 where both boxes are empty."""
    overlap = intersection(a, b)
    union = area(a)[:, None] + area(b)[None, :] - overlap
    return np.asarray(np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0), np.float32)


def ios(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Intersection over the smaller of the two boxes (N, M) in [0, 1]."""
    overlap = intersection(a, b)
    smaller = np.minimum(area(a)[:, None], area(b)[None, :])
    return np.asarray(np.divide(overlap, smaller, out=np.zeros_like(overlap), where=smaller > 0), np.float32)


def shift(boxes_xyxy: Boxes, dx: float, dy: float) -> Boxes:
    """Move boxes by (dx, dy) pixels."""
    return as_boxes(boxes_xyxy + np.array([dx, dy, dx, dy], np.float32))


def clip(boxes_xyxy: Boxes, width: float, height: float) -> Boxes:
    """Clip boxes to [0, width] x [0, height]."""
    limit = np.array([width, height, width, height], np.float32)
    return as_boxes(np.clip(boxes_xyxy, 0, limit))


def covering(mask: NDArray[np.bool_]) -> Boxes:
    """Boxes (N, 4) that cover the true pixels of a mask: one for each run of a row, top to bottom, left to right."""
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    (y, start), (_, end) = np.nonzero(edges == 1), np.nonzero(edges == -1)
    return as_boxes(np.stack([start, y, end, y + 1], axis=1))


def flip_horizontal(boxes_xyxy: Boxes, width: float) -> Boxes:
    """Mirror boxes left to right in an image `width` pixels wide."""
    boxes = as_boxes(boxes_xyxy)
    boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
    return boxes


def flip_vertical(boxes_xyxy: Boxes, height: float) -> Boxes:
    """Mirror boxes top to bottom in an image `height` pixels high."""
    boxes = as_boxes(boxes_xyxy)
    boxes[:, [1, 3]] = height - boxes[:, [3, 1]]
    return boxes
