"""What is said about each ship beside its box: place, size in metres, and flags. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import Boxes
from refinedet.scene.merge import Merged
from refinedet.scene.position import Position, distances_m

JOINED = "joined"
"""The box was put together from fragments in several windows: the ship is longer than the overlap."""
CUT = "cut"
"""The ship goes on beyond the box, at the border of a window; the rest was not found."""
EDGE = "edge"
"""The box ends at the edge of the scene; part of the ship may lie outside."""

_EDGE_PX = 1.0


@dataclass(frozen=True, slots=True)
class Places:
    """Where N boxes are on the ground, and how large."""

    corners_lonlat: NDArray[np.float64]
    """(N, 4, 2) degrees, in the order of `Position.corners`; NaN where unknown."""
    centres_lonlat: NDArray[np.float64]
    """(N, 2) degrees; NaN where unknown."""
    length_m: NDArray[np.float64]
    """(N,) the longer side of the box, in metres along the ellipsoid; NaN where unknown."""
    width_m: NDArray[np.float64]
    """(N,) the shorter side of the box."""


def places(boxes_xyxy: Boxes, position: Position | None) -> Places:
    """Places of boxes (N, 4) in a scene; everything is NaN without a position.

    Sides are measured through the middle of the box. They bound the ship: of one that lies across the picture at 45
    degrees, both are about 0.7 to 0.8 of its length.
    """
    count = len(boxes_xyxy)
    if position is None:
        unknown = np.full((count, 4, 2), np.nan)
        return Places(unknown, unknown[:, 0], unknown[:, 0, 0], unknown[:, 0, 1])
    x1, y1, x2, y2 = np.asarray(boxes_xyxy, np.float64).T
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    points = [position.lonlat(np.stack(p, axis=1)) for p in ((x, y), (x1, y), (x2, y), (x, y1), (x, y2))]
    sides = np.stack([distances_m(points[1], points[2]), distances_m(points[3], points[4])])
    return Places(position.corners(boxes_xyxy), points[0], sides.max(axis=0), sides.min(axis=0))


def flags(merged: Merged, width_px: int, height_px: int) -> tuple[tuple[str, ...], ...]:
    """Flags of each merged ship in a scene of that size, alphabetical."""
    boxes = merged.detections.boxes_xyxy
    size = np.array([width_px, height_px])
    at_edge = np.concatenate([boxes[:, :2] <= _EDGE_PX, boxes[:, 2:] >= size - _EDGE_PX], axis=1)
    masks = np.stack([merged.cut, at_edge.any(axis=1), merged.joined], axis=1)
    names = (CUT, EDGE, JOINED)
    return tuple(tuple(name for name, on in zip(names, row, strict=True) if on) for row in masks)
