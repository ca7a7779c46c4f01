"""Place of simulated scenes on the earth."""

from __future__ import annotations

import numpy as np
import pyproj
from numpy.typing import NDArray

Points = NDArray[np.float64]

CRS = "EPSG:32632"
"""Reference system of every written scene."""
_CORNER_M = (380_000.0, 6_050_000.0)
"""Upper left corner of every written scene, in CRS; it lies in the German Bight, but sea and land are invented."""
_NORTH_M = 100.0
"""Length by which the direction of the columns is measured."""


def transform(pixel_m: float) -> tuple[float, float, float, float, float, float]:
    """Affine transform of a scene with pixels of that size."""
    return (pixel_m, 0.0, _CORNER_M[0], 0.0, -pixel_m, _CORNER_M[1])


def lonlat(points_xy: Points, pixel_m: float) -> Points:
    """Degrees [lon, lat] (N, 2) of pixels (N, 2)."""
    x, y = np.asarray(points_xy, np.float64).T
    to_lonlat = pyproj.Transformer.from_crs(CRS, "OGC:CRS84", always_xy=True)
    return np.stack(to_lonlat.transform(_CORNER_M[0] + x * pixel_m, _CORNER_M[1] - y * pixel_m), axis=1)


def up_deg(points_xy: Points, pixel_m: float) -> NDArray[np.float64]:
    """Direction (N,) from each of the pixels (N, 2) to the top of the scene, clockwise from true north."""
    ahead = np.asarray(points_xy, np.float64) - (0.0, _NORTH_M / pixel_m)
    start, end = lonlat(points_xy, pixel_m), lonlat(ahead, pixel_m)
    return np.asarray(pyproj.Geod(ellps="WGS84").inv(*start.T, *end.T)[0], np.float64) % 360
