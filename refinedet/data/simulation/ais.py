"""Simulated AIS: reports of ships whose places in a radar image are known. Some of the ships are silent.

The image shows a moving ship displaced; its track passes through its real place at the time of its line. Course and
speed vary, and some ships turn. Reports have the errors of real ones: an antenna off the middle, rounded speeds and
courses, gaps, late messages, and missing headings and sizes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.displacement import displacement
from refinedet.ais.geometry import SceneGeometry
from refinedet.ais.tables import Ais, Fixes, Statics
from refinedet.ais.tracks import KNOT_M_S
from refinedet.geo.steps import direction, moved

Array = NDArray[np.float64]

FIRST_MMSI = 999_000_001
"""MMSI of the first simulated ship; no real ship has such a number."""

_STEP_S = 5.0
_TYPES = ("cargo", "tanker", "fishing", "passenger", "tug")


@dataclass(frozen=True, slots=True)
class AisSpec:
    """Specification of simulated reports."""

    seed: int = 1
    first_mmsi: int = FIRST_MMSI
    """Number of the first ship."""
    reporting: float = 0.7
    """Share of the ships that report."""
    gap_s: float = 900.0
    """Longest time from the image to the nearest report on either side."""
    place_m: float = 8.0
    """Standard deviation of a reported place, on each axis."""
    late_share: float = 0.05
    late_s: float = 35.0
    """Share of the ships whose reports have the time of reception, and the longest delay."""
    turning: float = 0.15
    """Share of the moving ships that turn by up to a right angle near the time of the image."""
    no_heading: float = 0.15
    no_size: float = 0.1
    """Shares of the ships that report no heading, and no size."""


@dataclass(frozen=True, slots=True)
class ShipsShown:
    """Ships (N,) as an image shows them."""

    lonlat: Array
    """(N, 2) middle of each hull in the image."""
    heading_deg: Array
    speed_kn: Array
    length_m: Array
    width_m: Array


@dataclass(frozen=True, slots=True)
class SimulatedAis:
    """Reports of ships, and the truth."""

    ais: Ais
    mmsi: NDArray[np.int64]
    """(N,) MMSI of each ship, also of silent ones."""
    reporting: NDArray[np.bool_]
    """(N,) false for silent ships."""
    lonlat: Array
    """(N, 2) real place of each ship at the time of its line."""


def simulate_ais(shown: ShipsShown, geometry: SceneGeometry, spec: AisSpec) -> SimulatedAis:
    """Simulate the reports of ships that an image shows; equal specs give equal reports."""
    rng = np.random.default_rng(spec.seed)
    count = len(shown.lonlat)
    velocity = shown.speed_kn[:, None] * KNOT_M_S * direction(shown.heading_deg)
    view = geometry.view(shown.lonlat)
    real = moved(shown.lonlat, -displacement(view, velocity))
    times = geometry.times(real)
    mmsi = spec.first_mmsi + rng.permutation(count)
    reporting = np.zeros(count, np.bool_)
    reporting[rng.permutation(count)[: round(spec.reporting * count)]] = True
    antenna = _antennas(shown, rng)
    columns: list[Array] = []
    for i in np.flatnonzero(reporting).tolist():
        seconds, steps, speed, course, heading = _track(shown, i, spec, rng)
        bow = direction(heading)
        right = np.stack([bow[:, 1], -bow[:, 0]], axis=1)
        places = steps + antenna[i, 0] * bow + antenna[i, 1] * right + rng.normal(0, spec.place_m, steps.shape)
        lonlat = moved(np.broadcast_to(real[i], places.shape), places)
        late = rng.uniform(0.3, 1) * spec.late_s if rng.random() < spec.late_share else 0.0
        when = times[i].astype(np.int64) + np.round(seconds + late) * 1000
        told = heading if rng.random() >= spec.no_heading else np.full(len(heading), np.nan)
        columns.append(np.stack([np.full(len(when), mmsi[i]), when, *lonlat.T, speed, course, told], axis=1))
    fixes = _fixes(np.concatenate([np.zeros((0, 7)), *columns]))
    statics = _statics(shown, mmsi, antenna, reporting, rng, spec)
    counts = {"kept": len(fixes)}
    return SimulatedAis(Ais(fixes, statics, counts, ("simulated",)), mmsi, reporting, real)


def _track(
    shown: ShipsShown, i: int, spec: AisSpec, rng: np.random.Generator
) -> tuple[Array, Array, Array, Array, Array]:
    """Reports of a ship: seconds from its line, steps (R, 2) from its place then, speed in knots, course, heading."""
    reach = 2 * spec.gap_s
    side = np.arange(0, reach + _STEP_S, _STEP_S)
    speed_kn, moving = float(shown.speed_kn[i]), shown.speed_kn[i] > 0
    rate = rng.uniform(-1, 1) * 90 / 300 if moving and rng.random() < spec.turning else 0.0
    parts = []
    for sign in (-1, 1):
        walk = np.concatenate([[0.0], np.cumsum(rng.normal(0, 0.12 if moving else 0.3, len(side) - 1))])
        turn = rate * np.clip(side - rng.uniform(0, 300), 0, 300)  # it begins some minutes before or after the image
        course = shown.heading_deg[i] + walk + sign * turn
        speed = np.maximum(speed_kn * (1 + np.concatenate([[0.0], np.cumsum(rng.normal(0, 0.002, len(side) - 1))])), 0)
        velocity = speed[:, None] * KNOT_M_S * direction(course)
        steps = np.concatenate([np.zeros((1, 2)), np.cumsum((velocity[1:] + velocity[:-1]) / 2 * _STEP_S, axis=0)])
        gap = min(spec.gap_s, rng.exponential(spec.gap_s / 3))
        interval = rng.uniform(30, 180) if moving else 180.0
        at = np.arange(gap, reach, interval)
        if rng.random() < 0.1 and sign > 0:
            at = at[:0]  # the receiver lost the ship
        columns = [np.interp(at, side, values) for values in (*steps.T, speed, course)]
        parts.append(np.stack([sign * at, sign * columns[0], sign * columns[1], columns[2], columns[3]], axis=1))
    seconds, east, north, speed, course = np.concatenate(parts).T
    heading = (course + rng.normal(0, 1.5, len(course))) % 360
    course = np.where(moving, course + rng.normal(0, 1, len(course)), rng.uniform(0, 360, len(course))) % 360
    speed = np.round(np.maximum(speed + rng.normal(0, 0.1, len(speed)), 0), 1) if moving else np.zeros(len(speed))
    return seconds, np.stack([east, north], axis=1), speed, np.round(course, 1), np.round(heading) % 360


def _antennas(shown: ShipsShown, rng: np.random.Generator) -> Array:
    """Places (N, 2) of the antennas: metres ahead of the middle and to starboard; mostly on the bridge at the stern."""
    count = len(shown.length_m)
    share = np.where(rng.random(count) < 0.8, rng.uniform(-0.42, -0.25, count), rng.uniform(-0.1, 0.35, count))
    return np.stack([share * shown.length_m, rng.uniform(-0.2, 0.2, count) * shown.width_m], axis=1)


def _fixes(rows: Array) -> Fixes:
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    mmsi, when, lon, lat, speed, course, heading = rows.T
    few = [column.astype(np.float32) for column in (speed, course, heading, np.full(len(rows), 10.0))]
    return Fixes(mmsi.astype(np.int64), when.astype(np.int64).astype("datetime64[ms]"), lon, lat, *few)


def _statics(
    shown: ShipsShown,
    mmsi: NDArray[np.int64],
    antenna: Array,
    reporting: NDArray[np.bool_],
    rng: np.random.Generator,
    spec: AisSpec,
) -> Statics:
    rows = np.flatnonzero(reporting & (rng.random(len(mmsi)) >= spec.no_size))
    rows = rows[np.argsort(mmsi[rows])]
    length, width = np.round(shown.length_m[rows]), np.round(shown.width_m[rows])
    bow, port = np.round(length / 2 - antenna[rows, 0]), np.round(width / 2 + antenna[rows, 1])
    kinds = np.array(_TYPES)[rng.integers(0, len(_TYPES), len(rows))]
    sizes = [one.astype(np.float32) for one in (length, width, bow, length - bow, port, width - port)]
    names = np.array([f"SHIP {number - FIRST_MMSI + 1}" for number in mmsi[rows]], np.str_)
    return Statics(mmsi[rows], names, kinds, *sizes)
