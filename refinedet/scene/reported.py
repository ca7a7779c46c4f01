"""Match of a scene with AIS, as result files and the map show it. Pure.

`refinedet.ais` makes the match. This module holds the parts of it that the result files of a scene need.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

AIS_COLUMNS: dict[str, type] = {
    "ais": str,
    "ais_reason": str,
    "mmsi": int,
    "ais_name": str,
    "ais_type": str,
    "ais_length_m": float,
    "ais_speed_kn": float,
    "ais_distance_m": float,
    "ais_gap_s": float,
    "ais_probability": float,
    "ais_other_mmsi": int,
    "ais_other_probability": float,
    "ais_heard": int,
}
"""Columns and types of each detection of a scene that was matched with AIS; values are None where unknown."""

AIS_SHIP_COLUMNS = (
    *("mmsi", "name", "type", "length_m", "width_m", "lon", "lat", "real_lon", "real_lat", "spread_m"),
    *("speed_kn", "course_deg", "heading_deg", "gap_s", "time", "status", "reason", "detection"),
)
"""Columns of each ship of AIS."""


@dataclass(frozen=True, slots=True)
class Reported:
    """Outcome of a match with AIS: N detections, and K ships of AIS."""

    detections: tuple[Mapping[str, Any], ...]
    """(N,) values of AIS_COLUMNS."""
    ships: tuple[Mapping[str, Any], ...] = ()
    """(K,) values of AIS_SHIP_COLUMNS."""
    shown_lonlat: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    """(K, 2) degrees: position at which this scene shows each ship, with the offset of the scene."""
    tracks_lonlat: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0, 2)))
    """(K, T, 2) degrees: track of each ship around the time of its line, with the offset of the scene. The middle point
    is at that time; NaN where unknown."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """Counts, offset, settings and notes, ready for JSON."""
    notes: tuple[str, ...] = ()
    """Facts that the user should know, a sentence each."""
