"""Reference systems of vector files, and boxes in them. Pure."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from pyproj import CRS, Transformer

Box = tuple[float, float, float, float]
"""(min x, min y, max x, max y) in a reference system, x first."""
Shapes = NDArray[Any]
"""(N,) shapely geometries."""

TURN = 360.0
"""Degrees of longitude once round the earth."""
WGS84 = CRS.from_epsg(4326)
"""Degrees, the reference system of regions."""


def reference_system(told: str) -> CRS:
    """Parse a reference system whose coordinates can be converted to degrees.

    Raises:
        CRSError, ProjError: there is no such system, or it cannot be converted.
    """
    crs = CRS.from_user_input(told)
    Transformer.from_crs(crs, WGS84)
    return crs


def is_plain_degrees(crs: CRS) -> bool:
    """True if coordinates are degrees east of Greenwich and north, so that the antimeridian is known."""
    greenwich = crs.prime_meridian is not None and crs.prime_meridian.longitude == 0
    return bool(crs.is_geographic and greenwich and {axis.unit_name for axis in crs.axis_info[:2]} == {"degree"})


def turned_boxes(boxes: list[Box], *, degrees: bool) -> list[tuple[float, Box]]:
    """Boxes, each with its shift to the east; in degrees also shifted by a full turn, for longitudes beyond 180."""
    turns = (-TURN, 0.0, TURN) if degrees else (0.0,)
    return [(turn, (west + turn, south, east + turn, north)) for turn in turns for west, south, east, north in boxes]
