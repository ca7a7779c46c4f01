"""AIS on the map: columns of the detections, ships of AIS with their tracks, and counts in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.geo.pixels import pixels_of
from refinedet.geo.position import Position
from refinedet.scene.reported import Reported
from refinedet.scene.views.page_columns import Column

_DIGITS = 1

COLUMNS = (
    Column("ais", "AIS", text=True),
    Column("mmsi", "MMSI", spare=True),
    Column("ais_name", "name", text=True, spare=True),
    Column("ais_reason", "reason", text=True, spare=True),
    Column("ais_type", "type", text=True, table=False, spare=True),
    Column("ais_length_m", "length by AIS", "m", table=False, spare=True),
    Column("ais_speed_kn", "speed by AIS", "kn", 1, table=False, spare=True),
    Column("ais_distance_m", "distance from AIS", "m", table=False, spare=True),
    Column("ais_gap_s", "nearest report", "s", table=False, spare=True),
    Column("ais_probability", "probability", digits=2, table=False, spare=True),
    Column("ais_other_mmsi", "next likely", table=False, spare=True),
    Column("ais_other_probability", "its probability", digits=2, table=False, spare=True),
    Column("ais_heard", "heard within 20 km", table=False, spare=True),
)
"""Columns of AIS of a detection; the columns of the table come first."""

_TOLD = ("mmsi", "name", "type", "length_m", "width_m", "speed_kn", "course_deg", "gap_s", "lon", "lat", "reason")


def reports_data(
    reports: Reported, position: Position | None, width: int, height: int, numbers: Sequence[int] | None = None
) -> dict[str, Any]:
    """Ships of AIS for the script of the page, each in pixels.

    Args:
        reports: the match.
        position: position of the pixels; None: the scene has no position, and so no ships of AIS.
        width: width of the map in pixels.
        height: its height.
        numbers: detections on the page, as rows of the match; None: all detections in their order.
    """
    rows = range(len(reports.detections)) if numbers is None else numbers
    place = {row: number for number, row in enumerate(rows)}
    ships = []
    if position is not None and reports.ships:
        count = len(reports.ships)
        ways = reports.tracks_lonlat
        lonlat = np.concatenate([reports.shown_lonlat, ways.reshape(-1, 2)])
        pixels = pixels_of(position, width, height, lonlat)
        shown, tracks = pixels[:count], pixels[count:].reshape(ways.shape)
        for k, ship in enumerate(reports.ships):
            seen = ship["detection"]
            told = {name: ship[name] for name in _TOLD}
            told |= {"detection": None if seen is None else place.get(seen - 1), "seen": ship["status"] == "seen"}
            ships.append(told | {"at": _point(shown[k]), "track": [_point(one) for one in tracks[k]]})
    return {"ships": ships, "offset": _offset(reports.record)}


def reports_in_words(detections: Sequence[Mapping[str, Any]], reports: Reported) -> str:
    """Counts of a match in words."""
    states = [row["ais"] for row in detections]
    unseen = sum(ship["status"] == "unseen" for ship in reports.ships)
    counts = ", ".join(f"{states.count(state):,} {state}" for state in ("matched", "dark", "unknown"))
    return f"{counts}; {unseen:,} of AIS not seen"


def _offset(record: Mapping[str, Any]) -> list[float] | None:
    """Offset of the scene from AIS in metres east and north; None if no offset was subtracted."""
    offset = record.get("offset") or {}
    east, north = offset.get("east_m") or 0.0, offset.get("north_m") or 0.0
    return [round(east), round(north)] if east or north else None


def _point(xy: NDArray[np.float64]) -> list[float] | None:
    return xy.round(_DIGITS).tolist() if np.isfinite(xy).all() else None
