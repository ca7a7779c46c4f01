"""Place of simulated scenes on the earth, and the time and view by which a radar satellite would have taken them."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pyproj
from numpy.typing import NDArray

from refinedet.ais.displacement import range_over_speed
from refinedet.stated_acquisition import StatedAcquisition

Points = NDArray[np.float64]

CRS = "EPSG:32632"
"""Reference system of every written scene."""
_CORNER_M = (380_000.0, 6_050_000.0)
"""Upper left corner of every written scene, in CRS; it lies in the German Bight, but sea and land are invented."""
_GROUND_M_S = 6_800.0
"""Speed of the satellite's point on the ground."""
_NODES = 4
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


def acquisition(
    size_px: tuple[int, int], pixel_m: float, start: datetime, incidence_deg: float, *, radar_left: bool
) -> StatedAcquisition:
    """Time and view of a scene whose rows are lines, by a radar that looks to the right of its track.

    A radar at the left of the scene flies up, one at the right flies down.
    """
    width, height = size_px
    x, y = np.meshgrid(np.linspace(0, width, _NODES), np.linspace(0, height, _NODES))
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    flight = (up_deg(points, pixel_m) + (0.0 if radar_left else 180.0)) % 360
    columns = [
        *lonlat(points, pixel_m).T,
        _seconds(points[:, 1] - 0.5, height, pixel_m, up=radar_left),
        np.full(len(points), float(range_over_speed(np.array([incidence_deg]))[0])),
        np.full(len(points), incidence_deg),
        flight,
    ]
    nodes = tuple(tuple(node) for node in np.stack(columns, axis=1).round(6).tolist())
    first, last = _seconds(np.array([0.0, height - 1.0]), height, pixel_m, up=radar_left).round(6).tolist()
    return StatedAcquisition(start, (first, last), size_px, "right", nodes)


def _seconds(line: NDArray[np.float64], height: int, pixel_m: float, *, up: bool) -> NDArray[np.float64]:
    """Seconds of lines after the first one that was taken."""
    passed = height - 1 - line if up else line
    return np.asarray(passed * pixel_m / _GROUND_M_S, np.float64)
