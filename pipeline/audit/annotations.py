"""Whether two annotations of one picture agree, and boxes that stand twice. Arrays in, facts out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pipeline.audit.image_overlap import Placement
from refinedet.boxes import Boxes, area, as_boxes, clip, iou, shift
from refinedet.data.coco import Annotated

SAME_IOU = 0.5
"""Overlap from which two boxes of different annotations mean one object."""

DOUBLED_IOU = 0.85
"""Overlap from which two boxes of one annotation do: two objects side by side never cover each other that much."""

_WHOLE = 0.9
"""Share of a box that must lie where two pictures overlap for it to be expected in both."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two annotations of what is in both pictures, side by side."""

    matched: int
    """Objects that both have."""
    only_first: list[list[float]] = field(default_factory=list)
    """Boxes that only the first has, in its pixels."""
    only_second: list[list[float]] = field(default_factory=list)
    """Boxes that only the second has, in pixels of the first."""
    other_class: int = 0
    """Matched objects of which the annotations name different classes, or one ignores what the other counts."""
    largest_px: float = 0.0
    """By how much the corners of matched boxes differ at most."""

    @property
    def agrees(self) -> bool:
        """Whether both have the same objects; how exactly they are drawn does not count."""
        return not (self.only_first or self.only_second or self.other_class)


def compare(first: Annotated, second: Annotated, placement: Placement | None = None) -> Agreement:
    """The annotations of two pictures with equal pixels, or of two that overlap as `placement` says."""
    boxes, moved, view = first.boxes_xyxy, second.boxes_xyxy, as_boxes([[0, 0, first.width, first.height]])
    if placement is not None:
        scale = np.array([placement.scale_x, placement.scale_y] * 2, np.float32)
        moved = shift(moved * scale, placement.x, placement.y)
        picture = as_boxes([[0, 0, second.width, second.height]]) * scale
        view = clip(shift(picture, placement.x, placement.y), first.width, first.height)
    mine, other = (_within(found, view) for found in (boxes, moved))
    overlap = iou(boxes[mine], moved[other])
    rows, columns = linear_sum_assignment(-overlap)
    good = overlap[rows, columns] >= SAME_IOU
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
    overlap = np.triu(iou(image.boxes_xyxy, image.boxes_xyxy), 1)
    return [(int(i), int(j)) for i, j in zip(*np.nonzero(overlap >= DOUBLED_IOU), strict=True)]


def _within(boxes: Boxes, view: Boxes) -> NDArray[np.intp]:
    """Indices of the boxes that lie in `view` with almost all of their area."""
    x1, y1, x2, y2 = view[0]
    inside = area(clip(shift(boxes, -x1, -y1), float(x2 - x1), float(y2 - y1)))
    return np.flatnonzero(inside >= _WHOLE * area(boxes))
