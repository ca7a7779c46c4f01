"""AIS reports in the form in which files and maps of a scene show them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.matching import Match
from refinedet.ais.results.columns import detection_rows, ship_rows
from refinedet.ais.tables import Ais
from refinedet.ais.tracks import whereabouts
from refinedet.geo.steps import moved
from refinedet.scene.reported import AIS_COLUMNS, Reported

Array = NDArray[np.float64]

_REACH_S, _POINTS = 600.0, 9
"""Time before and after the image for which a track is drawn, and the number of its points (odd)."""


def reported(found: Match, reports: Ais, gap_s: float, record: Mapping[str, Any], notes: tuple[str, ...]) -> Reported:
    """AIS reports for the detections of a match; `gap_s` as in `MatchSettings`."""
    ships = found.ships
    return Reported(
        tuple(detection_rows(found)),
        tuple(ship_rows(found)),
        moved(ships.shown_lonlat, found.offset.moved_by(ships.where.velocity_m_s)),
        _tracks(found, reports, gap_s),
        record,
        notes,
    )


def nothing_reported(count: int, reason: str, notes: tuple[str, ...], record: Mapping[str, Any]) -> Reported:
    """Empty reports for a scene that cannot be matched because its place or its time is unknown."""
    row = dict.fromkeys(AIS_COLUMNS) | {"ais": "unknown", "ais_reason": reason, "ais_heard": 0}
    counts = {"detections": {"matched": 0, "dark": 0, "unknown": count}, "ais_ships": {"seen": 0, "unseen": 0}}
    told = {"unknown_because": {reason: count} if count else {}, "notes": list(notes)}
    return Reported((row,) * count, notes=notes, record={**record, **counts, **told})


def _tracks(found: Match, reports: Ais, gap_s: float) -> Array:
    """Tracks (K, T, 2) of the ships, shifted by the offset of the scene."""
    ships, count = found.ships, len(found.ships)
    ways = np.full((count, _POINTS, 2), np.nan)
    for k, away in enumerate(np.linspace(-_REACH_S, _REACH_S, _POINTS)):
        times = ships.time + np.timedelta64(round(1000 * away), "ms")
        where = whereabouts(reports.fixes, ships.mmsi, times, gap_s)
        ways[:, k] = moved(where.lonlat, found.offset.moved_by(where.velocity_m_s))
    ways[:, _POINTS // 2] = moved(ships.where.lonlat, found.offset.moved_by(ships.where.velocity_m_s))
    return ways
