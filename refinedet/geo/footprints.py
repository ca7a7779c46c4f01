"""Boxes on the ground as RFC 7946 polygons: counter-clockwise, closed, cut at the antimeridian. Pure."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import translate
from shapely.geometry.polygon import orient

DIGITS = 7
"""Decimals of a degree that are kept: a centimetre."""

_WORLD = shapely.box(-180, -90, 180, 90)


def footprint(corners_lonlat: NDArray[np.float64]) -> shapely.Polygon | shapely.MultiPolygon | None:
    """Polygon of the corners (4, 2) [lon, lat] of one box in degrees, or None where one of them is unknown.

    A box across the antimeridian becomes a MultiPolygon of its two halves, so that no reader draws it around the earth.
    """
    if not np.isfinite(corners_lonlat).all():
        return None
    ring = corners_lonlat.copy()
    ring[:, 0] = ring[0, 0] + (ring[:, 0] - ring[0, 0] + 180.0) % 360.0 - 180.0
    polygon = _tidy(shapely.Polygon(ring))
    if ring[:, 0].min() >= -180.0 and ring[:, 0].max() <= 180.0:
        return polygon
    whole = shapely.make_valid(polygon)
    halves = [translate(whole, shift).intersection(_WORLD) for shift in (-360.0, 0.0, 360.0)]
    parts = [_tidy(part) for half in halves for part in shapely.get_parts(half) if isinstance(part, shapely.Polygon)]
    return shapely.MultiPolygon(parts) if parts else None


def _tidy(polygon: shapely.Polygon) -> shapely.Polygon:
    """Exterior counter-clockwise, coordinates rounded."""
    rounded: shapely.Polygon = shapely.transform(orient(polygon), lambda degrees: np.round(degrees, DIGITS))
    return rounded
