"""Agreement of two annotations of one picture, and boxes that are drawn twice. Works on arrays, not on files."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pipeline.audit.image_alignment import Placement
from refinedet.boxes import Boxes, area, as_boxes, clip, iou, shift
from refinedet.data.coco import Annotated

SAME_IOU = 0.5
"""IoU from which two boxes of different annotations mean one object."""

DOUBLED_IOU = 0.85
"""IoU from which two boxes of one annotation mean one object; objects side by side never cover each other that much."""

_WHOLE = 0.9
"""Share of a box that must lie in the shared part of two pictures, for it to be expected in both."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Comparison of two annotations, in the part that both pictures show."""

    matched: int
    """Number of objects in both annotations."""
    only_first: list[list[float]] = field(default_factory=list)
    """Boxes in the first annotation only, in its pixels."""
    only_second: list[list[float]] = field(default_factory=list)
    """Boxes in the second annotation only, in pixels of the first."""
    other_class: int = 0
    """Number of matched objects with different classes, or ignored in only one annotation."""
    largest_px: float = 0.0
    """Largest difference between the corners of matched boxes."""

    @property
    def agrees(self) -> bool:
        """True if both have the same objects; small differences of the boxes do not count."""
        return not (self.only_first or self.only_second or self.other_class)


def compare(first: Annotated, second: Annotated, placement: Placement | None = None) -> Agreement:
    """Compare the annotations of two pictures with equal pixels, or of two pictures that share a part (`placement`)."""
    boxes, moved, view = first.boxes_xyxy, second.boxes_xyxy, as_boxes([[0, 0, first.width, first.height]])
    if placement is not None:
        scale = np.array([placement.scale_x, placement.scale_y] * 2, np.float32)
        moved = shift(moved * scale, placement.x, placement.y)
        picture = as_boxes([[0, 0, second.width, second.height]]) * scale
        view = clip(shift(picture, placement.x, placement.y), first.width, first.height)
    mine, other = (_within(found, view) for found in (boxes, moved))
    ious = iou(boxes[mine], moved[other])
    rows, columns = linear_sum_assignment(-ious)
    good = ious[rows, columns] >= SAME_IOU
    i, j = mine[rows[good]], other[columns[good]]
    differs = (first.labels[i] != second.labels[j]) | (first.ignored[i] != second.ignored[j])
    return Agreement(
        matched=len(i),
        only_first=boxes[np.setdiff1d(mine, i)].tolist(),
        only_second=moved[np.setdiff1d(other, j)].tolist(),
        other_class=int(differs.sum()),
        largest_px=round(float(np.abs(boxes[i] - moved[j]).max()), 2) if len(i) else 0.0,
    )


def doubled(image: Annotated) -> list[tuple[int, int]]:
    """Indices i < j of boxes that lie on each other, whatever their classes."""
    ious = np.triu(iou(image.boxes_xyxy, image.boxes_xyxy), 1)
    return [(int(i), int(j)) for i, j in zip(*np.nonzero(ious >= DOUBLED_IOU), strict=True)]


def _within(boxes: Boxes, view: Boxes) -> NDArray[np.intp]:
    """Indices of the boxes that lie in `view` with almost all of their area."""
    x1, y1, x2, y2 = view[0]
    inside = area(clip(shift(boxes, -x1, -y1), float(x2 - x1), float(y2 - y1)))
    return np.flatnonzero(inside >= _WHOLE * area(boxes))
