"""Cleaning of messages: drops those without a ship's position, removes impossible values, and counts all changes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.reading import reasons
from refinedet.ais.reading.messages import Mask, Messages, Rows, Wanted
from refinedet.ais.reading.numbers import is_number, is_odd, no_ships
from refinedet.ais.tables import Fixes

_FIRST_TIME = np.datetime64("1998-01-01", "ms")
"""Earliest time: AIS did not exist before, so an earlier time means a wrong clock."""
_AHEAD = np.timedelta64(24 * 60 * 60 * 1000, "ms")
"""Longest time ahead of now that a time zone of a log can explain."""
_GOOD_M, _LOW_M, _LONG_RANGE_M = 10.0, 100.0, 185.0
"""Uncertainty of a position: with the accuracy flag (ITU-R M.1371: 10 m), without it, or to a tenth of a minute."""
_LONG_RANGE = 27
_NO_LONGITUDE = 181
"""Longitude that means "not available"; others above 180 are from a range of 0 to 360."""
_FASTEST_KN = 102.2
"""Greatest speed of a message; it means this speed or more."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Part of a file after cleaning."""

    fixes: Fixes
    """Fixes in the order of the file."""
    statics: Messages
    """Messages whose static data may be used."""


def clean(rows: Rows, wanted: Wanted, now: np.datetime64, counts: Counter[str]) -> Cleaned:
    """Select the positions of ships in the area and time, and all messages that may have static data of such ships.

    Args:
        rows: part of a file.
        wanted: area and time.
        now: time of reading in UTC; positions more than a day later have a wrong clock.
        counts: counts by reason, to which this call adds.
    """
    lat, beyond = rows.latitude_deg, (rows.longitude_deg > 180) & (rows.longitude_deg <= 360)
    beyond &= rows.longitude_deg != _NO_LONGITUDE
    lon = np.where(beyond, rows.longitude_deg - 360, rows.longitude_deg)
    counts[reasons.MESSAGES] += len(lon)
    missing = np.isnan(lon) | np.isnan(lat)
    unavailable = ~missing & ((lon == _NO_LONGITUDE) | (lat == 91))
    impossible = ~missing & ~unavailable & ((np.abs(lon) > 180) | (np.abs(lat) > 90) | ((lon == 0) & (lat == 0)))
    nowhere = missing | unavailable | impossible
    chosen = nowhere | wanted.inside(lon, lat)
    counts[reasons.OUTSIDE_AREA] += len(lon) - int(chosen.sum())
    messages = replace(rows.take(chosen), longitude_deg=lon[chosen])
    left = _without(is_number(messages.mmsi), np.ones(len(messages), np.bool_), reasons.NO_NUMBER, counts)
    for reason, found in no_ships(messages.mmsi, messages.message_type, messages.mobile):
        left = _without(~found, left, reason, counts)
    ships = left
    static_alone = missing[chosen] & _has_static(messages)
    counts[reasons.STATIC] += int((left & static_alone).sum())
    left = left & ~static_alone
    left = _without(~missing[chosen], left, reasons.NO_POSITION, counts)
    left = _without(~unavailable[chosen], left, reasons.POSITION_UNAVAILABLE, counts)
    left = _without(~impossible[chosen], left, reasons.POSITION_IMPOSSIBLE, counts)
    left = _without(~np.isnat(messages.time), left, reasons.NO_TIME, counts)
    with_time = np.where(np.isnat(messages.time), now, messages.time)
    left = _without((with_time >= _FIRST_TIME) & (with_time <= now + _AHEAD), left, reasons.CLOCK_OFF, counts)
    left = _without(wanted.during(with_time), left, reasons.OUTSIDE_TIME, counts)
    counts[reasons.BEYOND_180] += int((left & beyond[chosen]).sum())
    return Cleaned(_fixes(messages.take(left), counts), messages.take(ships))


def _without(right: Mask, left: Mask, reason: str, counts: Counter[str]) -> Mask:
    """Rows of `left` that are `right`; the others are counted under `reason`."""
    counts[reason] += int((left & ~right).sum())
    return left & right


def _has_static(messages: Messages) -> Mask:
    """True for messages with any static data."""
    numbers = (messages.sides_m > 0).any(axis=1) | (messages.size_m > 0).any(axis=1)
    return np.asarray(numbers | (messages.name != "") | (messages.ship_type != ""))


def _fixes(messages: Messages, counts: Counter[str]) -> Fixes:
    """Fixes of the kept messages; values that mean "not available" become NaN."""
    long_range = messages.message_type == _LONG_RANGE
    low = (messages.accuracy == 0) & ~long_range
    counts[reasons.LONG_RANGE] += int(long_range.sum())
    counts[reasons.LOW_ACCURACY] += int(low.sum())
    counts[reasons.ODD_NUMBER] += int(is_odd(messages.mmsi).sum())
    speed, course, heading = messages.speed_kn, messages.course_deg, messages.heading_deg
    no_speed = np.isclose(speed, 102.3, atol=0.04) | (speed == 1023) | (long_range & (speed == 63))
    no_course = (course == 360) | (course == 511) | (course == 3600)
    heading = np.where(heading == 360, 0, heading)
    of_speed = reasons.SPEED_UNAVAILABLE, reasons.SPEED_IMPOSSIBLE
    of_course = reasons.COURSE_UNAVAILABLE, reasons.COURSE_IMPOSSIBLE
    of_heading = reasons.HEADING_UNAVAILABLE, reasons.HEADING_IMPOSSIBLE
    return Fixes(
        mmsi=messages.mmsi,
        time=messages.time,
        longitude_deg=messages.longitude_deg,
        latitude_deg=messages.latitude_deg,
        speed_kn=_usable(speed, no_speed, _FASTEST_KN - 0.05, of_speed, counts),
        course_deg=_usable(course, no_course, 360, of_course, counts),
        heading_deg=_usable(heading, heading == 511, 360, of_heading, counts),
        uncertainty_m=np.select([long_range, low], [_LONG_RANGE_M, _LOW_M], _GOOD_M).astype(np.float32),
    )


def _usable(
    values: NDArray[np.float64], unavailable: Mask, limit: float, told: tuple[str, str], counts: Counter[str]
) -> NDArray[np.float32]:
    """Values from 0 to below `limit`; NaN for the others, which are counted as unavailable or impossible."""
    known = np.isfinite(values)
    impossible = known & ~unavailable & ((values < 0) | (values >= limit))
    counts[told[0]] += int((known & unavailable).sum())
    counts[told[1]] += int(impossible.sum())
    return np.where(known & ~unavailable & ~impossible, values, np.nan).astype(np.float32)
