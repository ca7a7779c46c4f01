"""Tracks: the place, velocity and heading of ships at given times, from their position reports. Pure.

Between two reports, the track is the cubic through both places with both velocities (Hermite). This is also the most
probable track of a ship whose velocity changes at random. The spread of the place comes from this model: it grows with
the third power of the time and is 0 at each report. After the last report the ship moves straight on.

Source: Rodger and Guida, Classification-aided SAR and AIS data fusion, Remote Sensing 13(1) 104, 2021 (the cubic).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.tables import Fixes, Statics
from refinedet.geo.steps import direction, moved, steps_m

Array = NDArray[np.float64]

KNOT_M_S = 1852 / 3600
GAP_S = 1800.0
"""Longest time in seconds from a report within which a place is still estimated."""

_STILL_KN = 0.3
"""Speed below which the course is meaningless and the ship counts as still."""
_COURSE_M_S = 1.0
"""Speed from which the bow points along the course."""
_WANDER_STILL, _WANDER_TURN = 2e-6, 1e-5
"""Random change of the velocity, in m2/s3: at rest, and for each (m/s)^2 of speed (4 degrees in ten minutes)."""
_SPEED_SPREAD_M_S, _COURSE_SPREAD = 0.1, 0.02
"""Errors of a reported velocity: of speed, and of course as a share of the speed."""
_UNKNOWN_SPREAD_M_S = 4.0
"""Error of the velocity of a ship that reports none."""
_CLOCK_SPREAD_S = 5.0
"""Error of the time of a report: it is the time of reception, and the place is older."""
_ANTENNA_AHEAD, _ANTENNA_SPREAD, _ANTENNA_M = 0.2, 0.15, 20.0
"""Distance from an antenna at an unknown place ahead to the middle of the hull, as a share of the length (mean of ships
that report it). Its spread: as a share of the length, or in metres if the length is unknown."""
_FASTEST_M_S = 35.0
"""Speed between two reports above which they are not from one ship."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Places and velocities of K ships, each at its own time; NaN where a place is unknown."""

    lonlat: Array
    """(K, 2) degrees."""
    velocity_m_s: Array
    """(K, 2) east, north."""
    heading_deg: Array
    """(K,) direction of the bow, clockwise from north; NaN where it is unknown."""
    spread_m: Array
    """(K,) standard deviation of the place, on each axis."""
    along_m: Array
    """(K,) additional standard deviation along the course, due to the clock."""
    velocity_spread_m_s: Array
    """(K,) standard deviation of the velocity, on each axis."""
    gap_s: Array
    """(K,) seconds to the nearest report."""

    @property
    def told(self) -> NDArray[np.bool_]:
        """(K,) true where a place is known."""
        return np.asarray(np.isfinite(self.lonlat).all(axis=1))


def whereabouts(
    fixes: Fixes, mmsi: NDArray[np.int64], time: NDArray[np.datetime64], gap_max_s: float = GAP_S
) -> Whereabouts:
    """Places of ships (K,) at times (K,); unknown if no report lies within `gap_max_s`."""
    before, after = _around(fixes, mmsi, time)
    since, until = (_seconds(fixes, index, time) for index in (before, after))
    until = -until
    nearest = np.where(np.nan_to_num(since, nan=np.inf) <= np.nan_to_num(until, nan=np.inf), before, after)
    gap = np.fmin(since, until)
    lonlat, velocity, spread, velocity_spread = _straight(fixes, nearest, np.where(nearest == before, since, -until))
    bridged = (before >= 0) & (after >= 0) & (since > 0)
    rows = np.flatnonzero(bridged)
    if len(rows):
        cubic = _cubic(fixes, before[rows], after[rows], since[rows], until[rows])
        fine = cubic[4]
        for target, values in zip((lonlat, velocity, spread, velocity_spread), cubic[:4], strict=True):
            target[rows[fine]] = values[fine]
    known = (nearest >= 0) & (gap <= gap_max_s)
    speed = np.hypot(*velocity.T)
    heading = np.where(nearest >= 0, fixes.heading_deg[nearest] if len(fixes) else np.nan, np.nan).astype(np.float64)
    course = np.degrees(np.arctan2(velocity[:, 0], velocity[:, 1])) % 360
    heading = np.where(np.isnan(heading) & (speed >= _COURSE_M_S), course, heading)

    def hide(values: Array) -> Array:
        return np.where(known if values.ndim == 1 else known[:, None], values, np.nan)

    columns = (lonlat, velocity, heading, spread, _CLOCK_SPREAD_S * speed, velocity_spread, gap)
    return Whereabouts(*(hide(np.asarray(column, np.float64)) for column in columns))


def at_centre(where: Whereabouts, statics: Statics, rows: NDArray[np.int64]) -> Whereabouts:
    """Move places from the antenna to the middle of the hull; `rows` (K,) are the ships' rows in `statics`, or -1.

    An antenna at an unknown place is assumed astern of the middle, like most antennas; the spread grows by the error of
    this assumption. If the heading is unknown, it grows by the whole distance.
    """
    ahead, aside, length = (
        _of_ship(statics, rows, of)
        for of in (
            lambda one: (one.bow_m - one.stern_m) / 2,
            lambda one: (one.starboard_m - one.port_m) / 2,
            lambda one: one.length_m,
        )
    )
    usual = np.isnan(ahead)
    doubt = np.where(usual, np.where(np.isnan(length), _ANTENNA_M, _ANTENNA_SPREAD * length), 0.0)
    ahead = np.where(usual, _ANTENNA_AHEAD * np.nan_to_num(length), ahead)
    aside = np.nan_to_num(aside)
    turned = np.isfinite(where.heading_deg)
    bow = direction(np.where(turned, where.heading_deg, 0.0))
    right = np.stack([bow[:, 1], -bow[:, 0]], axis=1)
    step = np.where(turned[:, None], ahead[:, None] * bow + aside[:, None] * right, 0.0)
    doubt = np.where(turned, doubt, np.hypot(doubt, np.hypot(ahead, aside) / np.sqrt(2)))
    return replace(where, lonlat=moved(where.lonlat, step), spread_m=np.hypot(where.spread_m, doubt))


def _of_ship(statics: Statics, rows: NDArray[np.int64], of: Callable[[Statics], NDArray[np.float32]]) -> Array:
    """Values (K,) of the static data of ships; NaN for those without."""
    if not len(statics):
        return np.full(len(rows), np.nan)
    return np.where(rows >= 0, of(statics)[rows].astype(np.float64), np.nan)


def _around(
    fixes: Fixes, mmsi: NDArray[np.int64], time: NDArray[np.datetime64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Last report (K,) at or before each time, and first report after it; -1 where a ship has none."""
    if not len(fixes):
        return np.full(len(mmsi), -1), np.full(len(mmsi), -1)
    ships, ranks = np.unique(fixes.mmsi, return_inverse=True)
    when = fixes.time.astype("datetime64[ms]").astype(np.int64)
    start, span = when.min(), when.max() - when.min() + 3
    keys = ranks * span + (when - start + 1)
    rank = np.searchsorted(ships, mmsi)
    there = rank < len(ships)
    there[there] = ships[rank[there]] == np.asarray(mmsi)[there]
    asked = np.clip(time.astype("datetime64[ms]").astype(np.int64) - start + 1, 0, span - 1)
    place = np.searchsorted(keys, rank * span + asked, side="right")
    first, last = np.searchsorted(fixes.mmsi, mmsi, "left"), np.searchsorted(fixes.mmsi, mmsi, "right")
    before = np.where(there & (place > first), place - 1, -1)
    return before, np.where(there & (place < last), place, -1)


def _seconds(fixes: Fixes, index: NDArray[np.int64], time: NDArray[np.datetime64]) -> Array:
    """Seconds from reports to times (K,); NaN where there is no report."""
    found = np.full(len(index), np.nan)
    known = index >= 0
    found[known] = (time[known] - fixes.time[index[known]]).astype("timedelta64[ms]").astype(np.float64) / 1000
    return found


def _velocity(fixes: Fixes, index: NDArray[np.int64]) -> Array:
    """Reported velocities (K, 2) in m/s; NaN where they are unknown."""
    speed = fixes.speed_kn[index].astype(np.float64)
    course = fixes.course_deg[index].astype(np.float64)
    still = speed <= _STILL_KN
    reported = speed[:, None] * KNOT_M_S * direction(course)
    return np.where(still[:, None], 0.0, reported)


def _places(fixes: Fixes, index: NDArray[np.int64]) -> Array:
    return np.stack([fixes.longitude_deg[index], fixes.latitude_deg[index]], axis=1)


def _wander(speed_m_s: Array) -> Array:
    return _WANDER_STILL + _WANDER_TURN * speed_m_s**2


def _straight(fixes: Fixes, index: NDArray[np.int64], seconds: Array) -> tuple[Array, Array, Array, Array]:
    """Places, velocities and spreads of both (K,) from one report, if the ship moves straight on."""
    count = len(index)
    found = np.full((count, 2), np.nan), np.full((count, 2), np.nan), np.full(count, np.nan), np.full(count, np.nan)
    known = index >= 0
    if not known.any():
        return found
    index, seconds = index[known], seconds[known]
    velocity = _velocity(fixes, index)
    unknown = np.asarray(np.isnan(velocity).any(axis=1))
    velocity = np.where(unknown[:, None], 0.0, velocity)
    speed, away = np.hypot(*velocity.T), np.abs(seconds)
    error = np.where(unknown, _UNKNOWN_SPREAD_M_S, np.hypot(_SPEED_SPREAD_M_S, _COURSE_SPREAD * speed))
    error = np.where(speed == 0, np.where(unknown, error, 0.0), error)
    place = moved(_places(fixes, index), velocity * seconds[:, None])
    spread = np.sqrt(fixes.uncertainty_m[index] ** 2 + (error * away) ** 2 + _wander(speed) * away**3 / 3)
    parts = place, velocity, spread, np.sqrt(error**2 + _wander(speed) * away)
    for target, values in zip(found, parts, strict=True):
        target[known] = values
    return found


def _cubic(
    fixes: Fixes, before: NDArray[np.int64], after: NDArray[np.int64], since: Array, until: Array
) -> tuple[Array, Array, Array, Array, NDArray[np.bool_]]:
    """Places, velocities and spreads of both (K,) between two reports, and true where one ship can have sent both."""
    whole = since + until
    start = _places(fixes, before)
    step = steps_m(start, _places(fixes, after))
    mean = step / whole[:, None]
    first, last = (_velocity(fixes, index) for index in (before, after))
    first, last = (np.where(np.isnan(v).any(axis=1, keepdims=True), mean, v) for v in (first, last))
    share = (since / whole)[:, None]
    rise = 3 * share**2 - 2 * share**3
    leave, arrive = share * (1 - share) ** 2, share**2 * (share - 1)
    moves = rise * step + whole[:, None] * (leave * first + arrive * last)
    slope = 6 * share * (1 - share)
    velocity = slope * mean + (1 - share) * (1 - 3 * share) * first + share * (3 * share - 2) * last
    speed = np.maximum(np.hypot(*mean.T), np.hypot(*velocity.T))
    wander = _wander(speed)
    errors = (1 - share[:, 0]) * fixes.uncertainty_m[before], share[:, 0] * fixes.uncertainty_m[after]
    spread = np.sqrt(errors[0] ** 2 + errors[1] ** 2 + wander * (since * until / whole) ** 3 / 3)
    rate = np.sqrt(_SPEED_SPREAD_M_S**2 + wander * since * until / whole)
    return moved(start, moves), velocity, spread, rate, np.hypot(*mean.T) <= _FASTEST_M_S
