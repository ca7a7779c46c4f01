"""Attributes of each ship beside its box: place, size in metres, heading, contrast and flags. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import Boxes
from refinedet.geo.position import Position, azimuths_deg, distances_m
from refinedet.scene.ships.measuring.shape import UNKNOWN, Shape
from refinedet.scene.ships.outline import turned_rectangles
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
"""Flag: the box lies at an azimuth ambiguity of a clearly brighter ship, or repeats the pattern of bright land."""

_EDGE_PX = 1.0
_BEAM_SHARE, _BEAM_M = 0.14, 1.7
"""Width of a merchant ship: share of its length, and metres; fitted on the AIS sizes of 179 ships of 28 to 363 m."""
_RESOLVED_FROM, _RESOLVED = 2.0, 3.0
"""Widths of the point response from which on a measured width counts for something, and for all."""
_SPREAD_SHARE, _SPREAD_BLUR = 0.2, 1.5
"""Factor, less one, between the measured and the true length that four ships in five do not exceed: a share of all
lengths, and widths of the point response along the ship over its length, added in square; fitted on Sentinel-1 ships
with AIS. A factor reaches further up than down, as short ships are measured too short rather than too long."""


@dataclass(frozen=True, slots=True)
class Places:
    """Places of N boxes on the ground, their sizes, headings and contrasts."""

    corners_lonlat: NDArray[np.float64]
    """(N, 4, 2) degrees, in the order of `Position.corners`; NaN where unknown."""
    centres_lonlat: NDArray[np.float64]
    """(N, 2) degrees; NaN where unknown."""
    length_m: NDArray[np.float64]
    """(N,) metres along the ellipsoid: length of the ship along its axis, free of the sensor's blur; NaN without a
    position, or if too few pixels are bright to tell."""
    length_m_low: NDArray[np.float64]
    """(N,) metres: lower end of the interval that holds the true length of about four ships in five."""
    length_m_high: NDArray[np.float64]
    """(N,) metres: upper end of that interval."""
    width_m: NDArray[np.float64]
    """(N,) metres along the ellipsoid: width of the ship across its axis; the usual one of a ship of that length where
    the sensor is too coarse to measure it."""
    heading_deg: NDArray[np.float64]
    """(N,) axis of the ship, clockwise from true north, in [0, 180): bow and stern look alike. NaN where unknown."""
    contrast_db: NDArray[np.float64]
    """(N,) decibels: brightest pixel over the water around, in power; NaN where unknown."""
    coast_m: NDArray[np.float64]
    """(N,) metres to the nearest coast, from land or sea; NaN where unknown or too far; `survey` sets it."""
    oriented_lonlat: NDArray[np.float64]
    """(N, 4, 2) degrees: corners of the rectangle of `length_m` and `width_m` along `heading_deg` around the middle of
    the ship; NaN where one of these is unknown."""
    oriented_px: NDArray[np.float64]
    """(N, 4, 2) pixels of the scene: the same corners."""


def places(boxes_xyxy: Boxes, position: Position | None, shapes: Sequence[Shape] | None = None) -> Places:
    """Places of boxes (N, 4) in a scene, and measures from their shapes; NaN without a position, but for contrast."""
    count = len(boxes_xyxy)
    shapes = [UNKNOWN] * count if shapes is None else shapes
    contrast = np.array([shape.contrast_db for shape in shapes], np.float64)
    unknown = np.full(count, np.nan)
    if position is None:
        nowhere = np.full((count, 4, 2), np.nan)
        return Places(
            nowhere,
            nowhere[:, 0],
            *(unknown, unknown, unknown, unknown, unknown),
            contrast_db=contrast,
            coast_m=unknown,
            oriented_lonlat=nowhere,
            oriented_px=nowhere,
        )
    stern, bow, left, right = (position.lonlat(ends) for ends in _ends(shapes))
    blur = np.array([shape.blur for shape in shapes], np.float64).reshape(-1, 2)
    length, elongated = distances_m(stern, bow), np.array([shape.elongated for shape in shapes], np.bool_)
    spread = 1 + np.hypot(_SPREAD_SHARE, _SPREAD_BLUR * blur[:, 0])
    boxes = np.asarray(boxes_xyxy, np.float64)
    width = _widths(length, distances_m(left, right), blur[:, 1])
    heading = np.where(elongated, azimuths_deg(stern, bow) % 180, np.nan)
    middles = np.array([shape.centre_xy for shape in shapes], np.float64).reshape(-1, 2)
    pixels, lonlat = turned_rectangles(position, middles, length, width, heading)
    return Places(
        position.corners(boxes_xyxy),
        position.lonlat((boxes[:, :2] + boxes[:, 2:]) / 2),
        length_m=length,
        length_m_low=length / spread,
        length_m_high=length * spread,
        width_m=width,
        heading_deg=heading,
        contrast_db=contrast,
        coast_m=unknown,
        oriented_lonlat=lonlat,
        oriented_px=pixels,
    )


def _widths(
    length_m: NDArray[np.float64], measured_m: NDArray[np.float64], blur: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Widths (N,) as measured where the sensor resolves them, else as usual for ships of that length."""
    usual = _BEAM_SHARE * length_m + _BEAM_M
    share = np.clip((1 / blur - _RESOLVED_FROM) / (_RESOLVED - _RESOLVED_FROM), 0, 1)
    return np.asarray(usual + share * (measured_m - usual))


def _ends(shapes: Sequence[Shape]) -> list[NDArray[np.float64]]:
    """Pixels (N, 2) of the ends of each ship along its axis, and then of its sides; NaN where unknown."""
    centre, axis, side = (
        np.array([getattr(shape, name) for shape in shapes], np.float64).reshape(-1, 2)
        for name in ("centre_xy", "axis_xy", "side_xy")
    )
    return [centre - axis, centre + axis, centre - side, centre + side]


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
