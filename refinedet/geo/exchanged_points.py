"""Control points whose coordinates are exchanged: latitude for longitude, or column for row.

Both mirror a picture and turn it by about 90 degrees. A map is not mirrored, and a picture in the order of the radar is
mirrored, but turned by no more than its orbit is, which is little outside of the polar regions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from refinedet.geo.wrong_points import points_on_plane
from refinedet.raster import RasterInfo

Exchange = Literal["places", "pixels", "either"]
"""Exchanged coordinates: longitude and latitude, or column and row, or one of these two."""

_SQUARER = 0.1
"""Least difference of the logarithms of two shapes of pixels by which one is nearer to a square."""
_POLAR_DEG = 75.0
"""Latitude beyond which an orbit may turn a picture by 45 degrees or more."""


def exchanged(info: RasterInfo) -> Exchange | None:
    """Exchanged coordinates of the control points of a scene; None if they are right or too few."""
    sides = _sides_m(info)
    if sides is None or not _mirrors_and_turns(sides):
        return None
    system = None if info.gcp_crs is None else CRS.from_user_input(info.gcp_crs)
    if system is None or not system.is_geographic:
        return "either"
    mended = _sides_m(replace(info, gcps=tuple(replace(point, x=point.y, y=point.x) for point in info.gcps)))
    gain = 0.0 if mended is None else _oblong(sides) - _oblong(mended)
    if gain > _SQUARER:
        return "places"
    if float(np.mean([abs(point.y) for point in info.gcps])) > _POLAR_DEG:
        return None
    return "pixels" if gain < -_SQUARER else "either"


def _sides_m(info: RasterInfo) -> NDArray[np.float64] | None:
    """Sides (2, 2) of a pixel: metres to the east and north per column, then per line; None if they are unknown."""
    flat = points_on_plane(info)
    if flat is None:
        return None
    terms = np.array([(1.0, point.pixel, point.line) for point in info.gcps])
    if np.linalg.matrix_rank(terms) < terms.shape[1]:
        return None
    return np.asarray(np.linalg.lstsq(terms, flat, rcond=None)[0][1:])


def _mirrors_and_turns(sides_m: NDArray[np.float64]) -> bool:
    east, north = np.abs(sides_m[0])
    return bool(np.linalg.det(sides_m) > 0 and north > east)


def _oblong(sides_m: NDArray[np.float64]) -> float:
    """Logarithm of the long side by the short one; 0 for a square."""
    wide, high = np.hypot(*sides_m.T)
    return float(abs(np.log(wide / high))) if wide > 0 and high > 0 else np.inf
