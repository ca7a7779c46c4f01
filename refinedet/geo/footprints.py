"""Boxes on the ground as RFC 7946 polygons: counter-clockwise, closed, cut at the antimeridian. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import translate
from shapely.geometry.polygon import orient

DIGITS = 7
"""Decimals of a degree that are kept: a centimetre."""

_TURN = 360.0
_WORLD = shapely.box(-180, -90, 180, 90)


def footprint(corners_lonlat: NDArray[np.float64]) -> shapely.Polygon | shapely.MultiPolygon | None:
    """Polygon of the corners (4, 2) [lon, lat] of one box in degrees, or None where one of them is unknown.

    A box across the antimeridian becomes a MultiPolygon of its two halves, so that no reader draws it around the earth.
    """
    if not np.isfinite(corners_lonlat).all():
        return None
    ring = _unwrapped(corners_lonlat)
    polygon = _tidy(shapely.Polygon(ring))
    if ring[:, 0].min() >= -180.0 and ring[:, 0].max() <= 180.0:
        return polygon
    parts = _cut(shapely.make_valid(polygon))
    return shapely.MultiPolygon(parts) if parts else None


def area_on_earth(area: shapely.Geometry) -> shapely.Geometry | None:
    """Polygons in degrees, of an area less than half of the earth wide, cut at the antimeridian; None if unknown.

    Edges are taken the short way round the earth. An area with an unknown place is unknown.
    """
    places = shapely.get_coordinates(area)
    if not np.isfinite(places).all():
        return None
    if not len(places):
        return area
    whole = shapely.make_valid(shapely.set_coordinates(area, _unwrapped(places)))
    parts = _cut(whole)
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def bounds_on_earth(areas: Iterable[shapely.Geometry | None]) -> list[float] | None:
    """Narrowest box [west, south, east, north] of areas in degrees; west is above east across the antimeridian.

    Areas are cut there, as `area_on_earth` leaves them; None without any place.
    """
    parts = [part for area in areas if area is not None for part in shapely.get_parts(area)]
    return narrowest_box([list(part.bounds) for part in parts if not part.is_empty])


def narrowest_box(boxes: Sequence[Sequence[float]]) -> list[float] | None:
    """Narrowest box [west, south, east, north] around such boxes, in degrees; None without any box."""
    if not boxes:
        return None
    _, south, _, north = zip(*boxes, strict=True)
    spans = sorted(span for west, _, east, _ in boxes for span in _spans(west, east))
    first, reached = spans[0]
    widest, west, east = 0.0, first, first
    for start, end in spans:
        if start - reached > widest:
            widest, west, east = start - reached, start, reached
        reached = max(reached, end)
    if first + _TURN - reached >= widest:  # no box lies at the antimeridian, or the widest gap lies there
        west, east = first, reached
    return [round(value, DIGITS) for value in (west, min(south), east, max(north))]


def _spans(west: float, east: float) -> list[tuple[float, float]]:
    """Longitudes of a box, in two parts across the antimeridian."""
    return [(west, east)] if west <= east else [(west, _TURN / 2), (-_TURN / 2, east)]


def _unwrapped(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places (N, 2) with longitudes within half a turn of the first, so that no edge goes around the earth."""
    near = lonlat.copy()
    near[:, 0] = near[0, 0] + (near[:, 0] - near[0, 0] + 180.0) % 360.0 - 180.0
    return near


def _cut(whole: shapely.Geometry) -> list[shapely.Polygon]:
    """Polygons of a shape; parts beyond the antimeridian are moved by a full turn."""
    halves = [translate(whole, shift).intersection(_WORLD) for shift in (-360.0, 0.0, 360.0)]
    parts = [part for half in halves for part in shapely.get_parts(half)]
    return [_tidy(part) for part in parts if isinstance(part, shapely.Polygon) and not part.is_empty]


def _tidy(polygon: shapely.Polygon) -> shapely.Polygon:
    """Exterior counter-clockwise, coordinates rounded."""
    rounded: shapely.Polygon = shapely.transform(orient(polygon), lambda degrees: np.round(degrees, DIGITS))
    return rounded
