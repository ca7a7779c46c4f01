"""Steps on the ground: metres east and north between near places, and places at such steps. Pure.

The radii of the ellipsoid at the middle latitude make both right to 0.01 % within 50 km, apart from the poles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MEAN_RADIUS_M = 6_371_008.8
"""Radius of the sphere that stands for the earth where the ellipsoid does not matter."""

_RADIUS_M, _FLATTENING = 6_378_137.0, 1 / 298.257223563
_ECCENTRICITY_2 = _FLATTENING * (2 - _FLATTENING)
_ROUNDS = 3
_LEAST_COSINE = 1e-6


def steps_m(start_lonlat: Array, end_lonlat: Array) -> Array:
    """Metres [east, north] (N, 2) from places to near ones, (N, 2) degrees each; the short way round the earth."""
    start, end = np.asarray(start_lonlat, np.float64), np.asarray(end_lonlat, np.float64)
    turn = (end[:, 0] - start[:, 0] + 180.0) % 360.0 - 180.0
    per_degree = _metres_per_degree((start[:, 1] + end[:, 1]) / 2)
    return np.stack([turn, end[:, 1] - start[:, 1]], axis=1) * per_degree


def moved(lonlat: Array, steps: Array) -> Array:
    """Places (N, 2) in degrees at steps [east, north] (N, 2) in metres; the inverse of `steps_m`."""
    start = np.asarray(lonlat, np.float64)
    end = start
    for _ in range(_ROUNDS):
        end = start + steps / _metres_per_degree((start[:, 1] + end[:, 1]) / 2)
    turned = (end[:, 0] + 180.0) % 360.0 - 180.0
    return np.stack([turned, end[:, 1]], axis=1)


def direction(degrees: Array) -> Array:
    """Unit vectors [east, north] (N, 2) of directions clockwise from north."""
    angle = np.radians(degrees)
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1)


def _metres_per_degree(latitude_deg: Array) -> Array:
    """Metres of a degree of longitude and of latitude (N, 2)."""
    latitude = np.radians(latitude_deg)
    root = 1 - _ECCENTRICITY_2 * np.sin(latitude) ** 2
    across = _RADIUS_M / np.sqrt(root) * np.maximum(np.cos(latitude), _LEAST_COSINE)
    along = _RADIUS_M * (1 - _ECCENTRICITY_2) / root**1.5
    return np.radians(np.stack([across, along], axis=-1))
