"""Attributes of each ship beside its box: place, size in metres, heading, contrast and flags. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import Boxes
from refinedet.geo.position import Position, azimuths_deg, distances_m
from refinedet.scene.ships.shape import UNKNOWN, Shape
from refinedet.scene.windows.merge import Merged

JOINED = "joined"
"""Flag: the box is joined from fragments in several windows, because the ship is longer than the overlap."""
CUT = "cut"
"""Flag: the ship goes on beyond the box, at the border of a window; the rest was not found."""
EDGE = "edge"
"""Flag: the box ends at the edge of the scene; part of the ship may lie outside."""
NODATA = "nodata"
"""Flag: the box touches pixels that were not measured; part of the ship may lie there."""
AMBIGUITY = "ambiguity"
"""Flag: the box lies at an azimuth ambiguity of a clearly brighter ship, and is likely a ghost of it."""

_EDGE_PX = 1.0


@dataclass(frozen=True, slots=True)
class Places:
    """Places of N boxes on the ground, their sizes, headings and contrasts."""

    corners_lonlat: NDArray[np.float64]
    """(N, 4, 2) degrees, in the order of `Position.corners`; NaN where unknown."""
    centres_lonlat: NDArray[np.float64]
    """(N, 2) degrees; NaN where unknown."""
    length_m: NDArray[np.float64]
    """(N,) metres along the ellipsoid: length of the ship along its axis, or of the longer side of its box if its axis
    is unknown; NaN without a position."""
    width_m: NDArray[np.float64]
    """(N,) metres along the ellipsoid: width of the ship across its axis, or of the shorter side of its box."""
    heading_deg: NDArray[np.float64]
    """(N,) axis of the ship, clockwise from true north, in [0, 180): bow and stern look alike. NaN where unknown."""
    contrast_db: NDArray[np.float64]
    """(N,) decibels: brightest pixel over the water around, in power; NaN where unknown."""
    coast_m: NDArray[np.float64]
    """(N,) metres to the nearest coast, from land or sea; NaN where unknown or too far; `survey` sets it."""


def places(boxes_xyxy: Boxes, position: Position | None, shapes: Sequence[Shape] | None = None) -> Places:
    """Places of boxes (N, 4) in a scene, and measures from their shapes; NaN without a position, except for contrast.

    Sides of boxes are measured through their middle. They bound the ship: if it lies at 45 degrees across the picture,
    both are about 0.7 to 0.8 of its length.
    """
    count = len(boxes_xyxy)
    shapes = [UNKNOWN] * count if shapes is None else shapes
    contrast = np.array([shape.contrast_db for shape in shapes], np.float64)
    if position is None:
        nowhere = np.full((count, 4, 2), np.nan)
        unknown = nowhere[:, 0, 0]
        return Places(nowhere, nowhere[:, 0], unknown, unknown, unknown, contrast, unknown)
    x1, y1, x2, y2 = np.asarray(boxes_xyxy, np.float64).T
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    points = [position.lonlat(np.stack(p, axis=1)) for p in ((x, y), (x1, y), (x2, y), (x, y1), (x, y2))]
    sides = np.stack([distances_m(points[1], points[2]), distances_m(points[3], points[4])])
    stern, bow, left, right = (position.lonlat(ends) for ends in _ends(shapes))
    along, across = distances_m(stern, bow), distances_m(left, right)
    known = np.isfinite(along)
    return Places(
        position.corners(boxes_xyxy),
        points[0],
        length_m=np.where(known, along, sides.max(axis=0)),
        width_m=np.where(known, across, sides.min(axis=0)),
        heading_deg=azimuths_deg(stern, bow) % 180,
        contrast_db=contrast,
        coast_m=np.full(count, np.nan),
    )


def _ends(shapes: Sequence[Shape]) -> list[NDArray[np.float64]]:
    """Pixels (N, 2) of the ends of each ship along its axis, and then across it; NaN if its axis is unknown."""
    centre = np.array([shape.centre_xy for shape in shapes], np.float64).reshape(-1, 2)
    axis = np.array([shape.axis_xy for shape in shapes], np.float64).reshape(-1, 2)
    sizes = np.array([(shape.length_px, shape.width_px) for shape in shapes], np.float64).reshape(-1, 2)
    along, across = axis * sizes[:, :1] / 2, np.stack([-axis[:, 1], axis[:, 0]], axis=1) * sizes[:, 1:] / 2
    return [centre - along, centre + along, centre - across, centre + across]


def flags(merged: Merged, width_px: int, height_px: int) -> tuple[tuple[str, ...], ...]:
    """Flags of each ship from the merge, in a scene of that size, alphabetical."""
    boxes = merged.detections.boxes_xyxy
    size = np.array([width_px, height_px])
    at_edge = np.concatenate([boxes[:, :2] <= _EDGE_PX, boxes[:, 2:] >= size - _EDGE_PX], axis=1)
    return named({CUT: merged.cut, EDGE: np.asarray(at_edge.any(axis=1)), JOINED: merged.joined})


def named(masks: Mapping[str, NDArray[np.bool_]]) -> tuple[tuple[str, ...], ...]:
    """Flags of each ship from masks (N,) by flag, alphabetical."""
    rows = np.stack([masks[name] for name in sorted(masks)], axis=1)
    return tuple(tuple(name for name, on in zip(sorted(masks), row, strict=True) if on) for row in rows)


def united(*sources: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """Flags of each ship from several sources, alphabetical."""
    return tuple(tuple(sorted({name for names in ship for name in names})) for ship in zip(*sources, strict=True))
