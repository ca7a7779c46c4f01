"""Geometry of a scene for AIS: the time at which each place was imaged, and the view of the radar. Pure.

The view comes from the run record, which has it at a few nodes from the annotation of a product, or from the user, or
is unknown. A quadratic in metres east and north interpolates between the nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.displacement import SENTINEL_1_M, View, range_over_speed
from refinedet.errors import InputError
from refinedet.geo.steps import steps_m

Array = NDArray[np.float64]
Times = NDArray[np.datetime64]

_SCALE_M = 100_000.0
_QUADRATIC, _PLANE = 6, 3
"""Fewest places to which a quadratic or a plane is fitted."""
_NODE = 6
"""Count of numbers in a node: longitude, latitude, seconds, range over speed, incidence, direction of flight."""


@dataclass(frozen=True, slots=True)
class Surface:
    """Values over the ground: a polynomial in metres east and north of a middle."""

    middle: Array
    """(1, 2) longitude and latitude in degrees."""
    terms: Array
    """(T, C) factors of the terms for each of C values; T is 1, 3 or 6."""

    @classmethod
    def through(cls, lonlat: Array, values: Array) -> Surface:
        """Fit a surface to values (N, C) at places (N, 2), N at least 1."""
        middle = lonlat[[np.argmin(np.abs(lonlat - np.median(lonlat, axis=0)).sum(axis=1))]]
        made = _terms(middle, lonlat)
        fitted = made[:, : _QUADRATIC if len(made) > _QUADRATIC else _PLANE if len(made) >= _PLANE else 1]
        return cls(middle, np.asarray(np.linalg.lstsq(fitted, values, rcond=1e-9)[0], np.float64))

    def at(self, lonlat: Array) -> Array:
        """Values (N, C) at places (N, 2)."""
        return np.asarray(_terms(self.middle, lonlat)[:, : len(self.terms)] @ self.terms)


@dataclass(frozen=True, slots=True)
class SceneGeometry:
    """Time and view of each place of one scene."""

    start: np.datetime64
    """Time of second 0, UTC."""
    seconds: Surface
    """Seconds after the start (1 value)."""
    looks: Surface | None
    """Range over speed, incidence, and direction of flight as a unit vector (4 values); None: unknown."""
    right: bool = True
    source: str = "unknown"
    """Origin of the view: annotation, stated or unknown."""

    def times(self, lonlat: Array) -> Times:
        """Times (N,) at which places (N, 2) were imaged, datetime64[ms]."""
        after = np.nan_to_num(self.seconds.at(lonlat)[:, 0])
        return self.start + np.round(1000 * after).astype("timedelta64[ms]")

    def view(self, lonlat: Array) -> View:
        """View on places (N, 2)."""
        if self.looks is None:
            return View.unknown(len(lonlat))
        seconds, incidence, east, north = self.looks.at(lonlat).T
        return View(seconds, incidence, np.degrees(np.arctan2(east, north)) % 360, self.right)


def from_record(view: Mapping[str, Any]) -> SceneGeometry:
    """Geometry from the entry `view` of a run record, which `looking.view_of` made from an annotation.

    Raises:
        InputError: the entry is damaged.
    """
    try:
        nodes = np.array(view["nodes"], np.float64)
        start = np.datetime64(str(view["start"]).removesuffix("Z"), "ms")
        right = {"right": True, "left": False}[view["look"]]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"expected the view of a radar in the record of the scene, found a damaged one ({error})"
        ) from error
    if nodes.ndim != 2 or nodes.shape[1] != _NODE or not len(nodes) or not np.isfinite(nodes).all():
        raise InputError(f"expected nodes of {_NODE} numbers in the view of the record, found others")
    lonlat, seconds, ratio, incidence, track = nodes[:, :2], nodes[:, [2]], nodes[:, 3], nodes[:, 4], nodes[:, 5]
    looks = Surface.through(lonlat, _looks(ratio, incidence, track))
    return SceneGeometry(start, Surface.through(lonlat, seconds), looks, right, "annotation")


def from_times(lonlat: Array, times: Times) -> SceneGeometry:
    """Geometry from the times (N,) of some places (N, 2) alone; N is at least 1."""
    start = times.min()
    seconds = (times - start).astype("timedelta64[ms]").astype(np.float64)[:, None] / 1000
    varied = bool((seconds != seconds[0]).any())
    # equal times define no plane, and a plane through few places does not hold beyond them
    flat = Surface(lonlat[:1], seconds.mean(axis=0, keepdims=True))
    if not varied or len(lonlat) < _PLANE:
        return SceneGeometry(start, flat, None)
    middle = lonlat[:1]
    terms = np.linalg.lstsq(_terms(middle, lonlat)[:, :_PLANE], seconds, rcond=1e-3)[0]
    return SceneGeometry(start, Surface(middle, terms), None)


def stated(
    known: SceneGeometry,
    track_deg: float,
    incidence_deg: float,
    altitude_m: float = SENTINEL_1_M,
    *,
    right: bool = True,
) -> SceneGeometry:
    """Geometry with the times of `known` and one view for all places, as a user states it."""
    incidence = np.array([incidence_deg])
    values = _looks(range_over_speed(incidence, altitude_m), incidence, np.array([track_deg]))
    return SceneGeometry(known.start, known.seconds, Surface(known.seconds.middle, values), right, "stated")


def _looks(ratio: Array, incidence: Array, track: Array) -> Array:
    angle = np.radians(track)
    return np.stack([ratio, incidence, np.sin(angle), np.cos(angle)], axis=1)


def _terms(middle: Array, lonlat: Array) -> Array:
    """Terms (N, 6) of a quadratic at places (N, 2)."""
    x, y = steps_m(np.broadcast_to(middle, np.shape(lonlat)), lonlat).T / _SCALE_M
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
