"""Passes of satellites over places: scenes of one overflight are one pass; each place has its own passes. Pure."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from refinedet.geo.steps import MEAN_RADIUS_M
from refinedet.traffic.tables import Scenes, Ships

PASS_S = 600.0
"""Scenes that begin within this time belong to one pass: slices overlap, and an orbit takes ten times as long."""

_TWICE_M = 100.0
"""Distance up to which ships of two scenes of one pass are one ship."""


def on_sphere(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places (N, 3) in metres; their straight distances equal ground distances up to some kilometres."""
    lon, lat = np.radians(lonlat).T
    return np.asarray(
        MEAN_RADIUS_M * np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1),
        np.float64,
    )


class SeenFrom:
    """Scenes that saw a place."""

    def __init__(self, scenes: Scenes) -> None:
        known = np.array([area is not None and not area.is_empty for area in scenes.areas], bool)
        self._numbers = np.flatnonzero(known)
        self._tree = shapely.STRtree(scenes.areas[self._numbers])
        shapely.prepare(self._tree.geometries)

    def scenes_over(self, lonlat: NDArray[np.float64]) -> NDArray[np.int64]:
        """Numbers of the scenes that saw a place (2,), in order."""
        found = self._tree.query(shapely.Point(lonlat), predicate="intersects")
        return np.sort(self._numbers[found])


def pass_numbers(start: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Number of the pass (N,) of scenes (N,) over one place; each scene of unknown time is a pass of its own."""
    order = np.argsort(start, kind="stable")  # NaT comes last
    ordered = start[order]
    gaps = np.diff(ordered) / np.timedelta64(1, "s")
    numbers = np.zeros(len(start), np.int64)
    numbers[order[1:]] = np.cumsum(~(gaps <= PASS_S))
    return numbers


def counted_once(ships: Ships, scenes: Scenes) -> Ships:
    """Ships without duplicates from overlapping scenes of the same pass."""
    pairs = cKDTree(on_sphere(ships.lonlat)).query_pairs(_TWICE_M, output_type="ndarray") if len(ships) else []
    if not len(pairs):
        return ships
    one, other = ships.scene[pairs].T
    apart = np.abs(scenes.start[one] - scenes.start[other]) / np.timedelta64(1, "s")
    again = pairs[(one != other) & (apart <= PASS_S)].max(axis=1)
    keep = np.ones(len(ships), bool)
    keep[again] = False
    return ships.only(keep)
