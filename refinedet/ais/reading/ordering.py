"""Order of the fixes of all files: removes duplicates, and separates ships that send the same MMSI."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.reading import reasons
from refinedet.ais.reading.messages import Mask
from refinedet.ais.tables import SHARED, Fixes
from refinedet.ais.tracks import KNOT_M_S
from refinedet.geo.position import distances_m

_REACH_M_S = 100 * KNOT_M_S
"""Greatest speed in m/s (100 knots): no ship exceeds it, even between fixes with times from different clocks."""
_SLACK_M = 2000.0
"""Distance that wrong times and positions can explain: 20 knots for three minutes."""
_MOVING_KN = 2.0
"""Speed above which a ship is never at the same place twice to within a metre."""
_COARSE_M = 150.0
"""Uncertainty from which two fixes at the same place may be different positions."""
_TRACK = 3
"""Fewest fixes of a second ship; fewer unreachable fixes are errors."""


def ordered(parts: Sequence[Fixes], counts: Counter[str]) -> Fixes:
    """Fixes of all parts by MMSI and time, without duplicates; ships that share an MMSI are separated."""
    if not parts:
        nothing = np.zeros(0)
        kinds = (np.int64, "datetime64[ms]", *(np.float64,) * 2, *(np.float32,) * 4)
        return Fixes(*(nothing.astype(kind) for kind in kinds))
    joined = Fixes(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Fixes)))
    by_number = np.argsort(joined.mmsi, kind="stable")
    steps = np.diff(joined.time[by_number]) < np.timedelta64(0, "ms")
    counts[reasons.OUT_OF_ORDER] += int((steps & (np.diff(joined.mmsi[by_number]) == 0)).sum())
    place = joined.latitude_deg, joined.longitude_deg
    fixes = take(joined, np.lexsort((*place, joined.uncertainty_m, joined.time, joined.mmsi)))
    fixes = _left(fixes, ~_repeated(fixes), reasons.DOUBLED, counts)
    mmsi, reached = tell_apart(fixes)
    changed = np.unique(mmsi[reached & (mmsi >= SHARED)] % SHARED)
    counts[reasons.TWO_SHIPS] += len(changed)
    fixes = Fixes(mmsi, *(getattr(fixes, field.name) for field in fields(Fixes)[1:]))
    fixes = _left(fixes, reached, reasons.JUMPED, counts)
    fixes = take(fixes, np.lexsort((fixes.uncertainty_m, fixes.time, fixes.mmsi)))
    at_once = np.zeros(len(fixes), np.bool_)
    at_once[1:] = (np.diff(fixes.mmsi) == 0) & (fixes.time[1:] == fixes.time[:-1])
    return _left(fixes, ~at_once, reasons.DOUBLED, counts)


def take(fixes: Fixes, rows: NDArray[np.intp] | Mask) -> Fixes:
    """Fixes of some rows."""
    return Fixes(*(getattr(fixes, field.name)[rows] for field in fields(Fixes)))


def _left(fixes: Fixes, right: Mask, reason: str, counts: Counter[str]) -> Fixes:
    counts[reason] += int((~right).sum())
    return take(fixes, right)


def _repeated(fixes: Fixes) -> Mask:
    """True for duplicate fixes: of the same time and place, or of a moving ship at the same place later.

    A moving ship that is at the same place again, with the same speed and course, was received late or by two stations.
    """
    lon, lat, speed, course = fixes.longitude_deg, fixes.latitude_deg, fixes.speed_kn, fixes.course_deg
    order = np.lexsort((fixes.time, course, speed, lat, lon, fixes.mmsi))  # NaN comes last
    one, other = order[:-1], order[1:]
    place = (fixes.mmsi[one] == fixes.mmsi[other]) & (lon[one] == lon[other]) & (lat[one] == lat[other])
    same = (speed[one] == speed[other]) & (course[one] == course[other])
    moving = same & (speed[one] >= _MOVING_KN) & (fixes.uncertainty_m[one] < _COARSE_M)
    out = np.zeros(len(order), np.bool_)
    out[other] = place & (moving | (fixes.time[one] == fixes.time[other]))
    return out


def tell_apart(fixes: Fixes) -> tuple[NDArray[np.int64], Mask]:
    """Numbers that separate the ships of a shared MMSI, and the mask of the fixes that belong to a ship.

    The fixes of an MMSI are joined to tracks that a ship can sail. The longest track keeps the MMSI; other tracks of at
    least `_TRACK` fixes get a multiple of `SHARED` added. Shorter tracks beside them are errors.

    Args:
        fixes: sorted by number and time.
    """
    mmsi, reached = fixes.mmsi.copy(), np.ones(len(fixes), np.bool_)
    seconds = fixes.time.astype("datetime64[ms]").astype(np.int64) / 1000
    lonlat = np.stack([fixes.longitude_deg, fixes.latitude_deg], axis=1)
    way = distances_m(lonlat[:-1], lonlat[1:])
    allowed = _SLACK_M + fixes.uncertainty_m[:-1] + fixes.uncertainty_m[1:] + _REACH_M_S * np.diff(seconds)
    jumps = (np.diff(fixes.mmsi) == 0) & (way > allowed)
    for number in np.unique(fixes.mmsi[1:][jumps]):
        start, end = np.searchsorted(fixes.mmsi, [number, number + 1])
        rows = slice(start, end)
        track = _tracks(lonlat[rows], seconds[rows], fixes.uncertainty_m[rows])
        lengths = np.bincount(track)
        rank = np.empty(len(lengths), np.int64)
        rank[np.argsort(-lengths, kind="stable")] = np.arange(len(lengths))
        if lengths.max() >= _TRACK:
            reached[rows] = lengths[track] >= _TRACK
        mmsi[rows] += SHARED * rank[track]
    return mmsi, reached


def _tracks(
    lonlat: NDArray[np.float64], seconds: NDArray[np.float64], uncertainty_m: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Track of each fix, in order of time: the nearest track from whose last fix it is reachable, else a new one."""
    track = np.zeros(len(lonlat), np.int64)
    last: list[int] = []
    for i in range(len(lonlat)):
        if last:
            ends = np.array(last)
            way = distances_m(lonlat[ends], np.repeat(lonlat[i : i + 1], len(ends), axis=0))
            over = way - uncertainty_m[ends] - uncertainty_m[i] - _SLACK_M - _REACH_M_S * (seconds[i] - seconds[ends])
            possible = np.where(over <= 0, way, np.inf)
            best = int(possible.argmin())
            if np.isfinite(possible[best]):
                track[i] = best
                last[best] = i
                continue
        track[i] = len(last)
        last.append(i)
    return track
