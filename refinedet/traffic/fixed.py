"""Fixed objects: places with detections in many passes, more often than by chance in the traffic around. Pure.

A fixed object appears at one place, within the error of the image's position (about 10 m for Sentinel-1) and of the
middle of a detection (10 to 20 m, because the brightest points of a structure change). A ship at anchor swings around
its anchor: its middle lies on a circle of 100 to 300 m, and the next ship anchors elsewhere. So a circle of 50 m with
detections in several passes is one object, unless dense traffic explains them by chance. The probability of chance is
computed from the ships within a kilometre, for all places that could be chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import bdtrc

from refinedet.geo.steps import moved, steps_m
from refinedet.traffic.passes import SeenFrom, on_sphere, pass_numbers
from refinedet.traffic.tables import Scenes, Ships

_AROUND_M = 1000.0
"""Distance in which the density of ships is counted."""
_CHANCE = 1e-3
"""Largest expected number of chance objects in one archive."""
_ROUNDS = 3
"""Number of rounds in which the middle of a circle moves to the mean of its ships."""


@dataclass(frozen=True, slots=True)
class FixedLimits:
    """Limits for a fixed object."""

    passes_min: int = 3
    """Least number of passes that show it."""
    share_min: float = 0.35
    """Least share of the passes over its place that show it."""
    radius_m: float = 50.0
    """Largest distance of its detections from their middle."""


@dataclass(frozen=True, slots=True)
class FixedThing:
    """Fixed object."""

    lon: float
    lat: float
    passes: int
    """Number of passes over the place."""
    seen: int
    """Number of passes that show it."""
    first: np.datetime64
    """Time of the first scene that shows it; NaT where unknown."""
    last: np.datetime64
    length_m: float
    """Median of the lengths; NaN if none is known."""
    score: float
    """Median of the scores."""
    spread_m: float
    """Root mean square of the distances of its detections from their middle."""

    @property
    def persistence(self) -> float:
        """Share of the passes over the place that show it."""
        return self.seen / self.passes


def find_fixed(ships: Ships, scenes: Scenes, limits: FixedLimits) -> list[FixedThing]:
    """Find fixed objects, those with most passes first; each detection belongs to at most one object."""
    if not len(ships):
        return []
    search = _Search(ships, scenes, limits)
    counts = search.scenes_around()
    found = []
    for seed in np.argsort(-counts, kind="stable").tolist():
        if counts[seed] < limits.passes_min:
            break
        if not search.taken[seed] and (thing := search.thing_at(seed)) is not None:
            found.append(thing)
    return found


class _Search:
    """Ships by place, and the mask of those that belong to an object already."""

    def __init__(self, ships: Ships, scenes: Scenes, limits: FixedLimits) -> None:
        self._ships, self._scenes, self._limits = ships, scenes, limits
        self._seen_from = SeenFrom(scenes)
        self._places = on_sphere(ships.lonlat)
        self._tree = cKDTree(self._places)
        self.taken = np.zeros(len(ships), bool)

    def scenes_around(self) -> NDArray[np.int64]:
        """Number (N,) of scenes with a ship within the radius of each."""
        pairs = self._tree.query_pairs(self._limits.radius_m, output_type="ndarray")
        itself = np.arange(len(self._ships))
        ends = np.concatenate([pairs, pairs[:, ::-1], np.stack([itself, itself], axis=1)])
        seen = np.unique(np.stack([ends[:, 0], self._ships.scene[ends[:, 1]]], axis=1), axis=0)
        return np.bincount(seen[:, 0], minlength=len(self._ships))

    def thing_at(self, seed: int) -> FixedThing | None:
        """Fixed object around a ship; None if there is none."""
        limits, middle = self._limits, self._places[seed]
        for _ in range(_ROUNDS):
            members = self._free(middle, limits.radius_m)
            if not len(members):
                return None
            middle = self._places[members].mean(axis=0)
        members = self._free(middle, limits.radius_m)
        scenes = self._ships.scene[members]
        lonlat = self._middle(members)
        over = np.union1d(self._seen_from.scenes_over(lonlat), scenes)
        numbers = pass_numbers(self._scenes.start[over])
        hit = np.unique(numbers[np.searchsorted(over, scenes)])
        passes = int(numbers.max()) + 1
        if len(hit) < limits.passes_min or len(hit) < limits.share_min * passes:
            return None
        if self._chance(middle, len(members), len(hit), passes) > _CHANCE:
            return None
        self.taken[members] = True
        return self._thing(members, lonlat, len(hit), passes)

    def _free(self, middle: NDArray[np.float64], radius_m: float) -> NDArray[np.int64]:
        found = np.array(sorted(self._tree.query_ball_point(middle, radius_m)), np.int64)
        return found[~self.taken[found]]

    def _chance(self, middle: NDArray[np.float64], own: int, hits: int, passes: int) -> float:
        """Expected number of places in the archive with so many hits from passing ships alone."""
        radius = self._limits.radius_m
        others = max(len(self._free(middle, _AROUND_M)) - own, 1)
        expected = others / passes * radius**2 / (_AROUND_M**2 - radius**2)
        return float(len(self._ships) * bdtrc(hits - 1, passes, -np.expm1(-expected)))

    def _middle(self, members: NDArray[np.int64]) -> NDArray[np.float64]:
        lonlat = self._ships.lonlat[members]
        first = np.broadcast_to(lonlat[:1], lonlat.shape)
        return np.asarray(moved(lonlat[:1], steps_m(first, lonlat).mean(axis=0, keepdims=True))[0])

    def _thing(self, members: NDArray[np.int64], lonlat: NDArray[np.float64], hits: int, passes: int) -> FixedThing:
        ships = self._ships.only(members)
        times = self._scenes.start[ships.scene]
        times = times[~np.isnat(times)]
        first, last = (times.min(), times.max()) if len(times) else (np.datetime64("NaT"), np.datetime64("NaT"))
        steps = steps_m(np.broadcast_to(lonlat, ships.lonlat.shape), ships.lonlat)
        lengths = ships.length_m[np.isfinite(ships.length_m)]
        return FixedThing(
            *(float(lonlat[0]), float(lonlat[1]), passes, hits, first, last),
            length_m=float(np.median(lengths)) if len(lengths) else float("nan"),
            score=float(np.median(ships.score)),
            spread_m=float(np.sqrt((steps**2).sum(axis=1).mean())),
        )
