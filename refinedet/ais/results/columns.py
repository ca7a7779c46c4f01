"""Columns of a match for each detection and for each AIS ship. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np

from refinedet.ais.matching import Match
from refinedet.ais.tables import sent_number
from refinedet.ais.tracks import KNOT_M_S

_DIGITS = 6
_STILL_KN = 0.1
"""Speed below which the course is meaningless."""


def detection_rows(found: Match) -> list[dict[str, Any]]:
    """AIS columns of each detection; None where a value is unknown or there is no match."""
    return [_detection(found, i) for i in range(len(found.verdicts.status))]


def ship_rows(found: Match) -> list[dict[str, Any]]:
    """Columns of each AIS ship: its place, its place in the image, and whether it was seen there."""
    ships, where = found.ships, found.ships.where
    speed = np.hypot(*where.velocity_m_s.T) / KNOT_M_S
    course = np.degrees(np.arctan2(*where.velocity_m_s.T)) % 360
    spread = np.sqrt(np.linalg.eigvalsh(ships.covariance_m2)[:, -1]) if len(ships) else speed
    rows = []
    for k in range(len(ships)):
        detection = int(found.seen.detection[k])
        rows.append(
            {
                "mmsi": sent(ships.mmsi[k]),
                "name": str(ships.name[k]) or None,
                "type": str(ships.ship_type[k]) or None,
                "length_m": _known(ships.length_m[k]),
                "width_m": _known(ships.width_m[k]),
                "lon": _known(ships.shown_lonlat[k, 0], _DIGITS),
                "lat": _known(ships.shown_lonlat[k, 1], _DIGITS),
                "real_lon": _known(where.lonlat[k, 0], _DIGITS),
                "real_lat": _known(where.lonlat[k, 1], _DIGITS),
                "spread_m": _known(spread[k]),
                "speed_kn": _known(speed[k]),
                "course_deg": _known(course[k]) if speed[k] >= _STILL_KN else None,
                "heading_deg": _known(where.heading_deg[k]),
                "gap_s": _known(where.gap_s[k]),
                "time": str(ships.time[k].astype("datetime64[ms]")) + "Z",
                "status": "seen" if detection >= 0 else "unseen",
                "reason": found.seen.reason[k] or None,
                "detection": detection + 1 if detection >= 0 else None,
            }
        )
    return rows


def sent(mmsi: int | np.int64) -> int:
    """MMSI as the ship sent it."""
    return int(sent_number(np.array([mmsi]))[0])


def _detection(found: Match, i: int) -> dict[str, Any]:
    ships, assigned = found.ships, found.assigned
    k, other = int(assigned.ship[i]), int(assigned.other[i])
    row: dict[str, Any] = {
        "ais": found.verdicts.status[i],
        "ais_reason": found.verdicts.reason[i] or None,
        "mmsi": None,
        "ais_name": None,
        "ais_type": None,
        "ais_length_m": None,
        "ais_speed_kn": None,
        "ais_distance_m": None,
        "ais_gap_s": None,
        "ais_probability": None,
        "ais_other_mmsi": sent(ships.mmsi[other]) if other >= 0 else None,
        "ais_other_probability": _known(assigned.other_probability[i], 3) if other >= 0 else None,
        "ais_heard": int(found.verdicts.heard[i]),
    }
    if k < 0:
        return row
    return row | {
        "mmsi": sent(ships.mmsi[k]),
        "ais_name": str(ships.name[k]) or None,
        "ais_type": str(ships.ship_type[k]) or None,
        "ais_length_m": _known(ships.length_m[k]),
        "ais_speed_kn": _known(np.hypot(*ships.where.velocity_m_s[k]) / KNOT_M_S),
        "ais_distance_m": _known(found.distance_m[i]),
        "ais_gap_s": _known(ships.where.gap_s[k]),
        "ais_probability": _known(assigned.probability[assigned.pair[i]], 3),
    }


def _known(value: float, digits: int = 1) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None
