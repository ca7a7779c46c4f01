"""Reports of AIS beside the ships of a scene, as result files and the map show them. Pure.

`refinedet.ais` makes them; here is what the files of a scene need of them.
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
"""Columns that each detection has where a scene was matched with AIS, and their types; None where unknown."""


@dataclass(frozen=True, slots=True)
class Reported:
    """Outcome of a match with AIS: N detections, and K ships of AIS."""

    detections: tuple[Mapping[str, Any], ...]
    """(N,) values of AIS_COLUMNS."""
    ships: tuple[Mapping[str, Any], ...] = ()
    """(K,) columns of the ships of AIS."""
    shown_lonlat: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    """(K, 2) degrees: place at which this scene shows each ship, its own offset included."""
    tracks_lonlat: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0, 2)))
    """(K, T, 2) degrees: way of each ship around the time of its line, the offset of the scene included, the middle one
    at that time; NaN where it is not known."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """Counts, offset, settings and notes, ready for JSON."""
    notes: tuple[str, ...] = ()
    """Facts that the user should know, a sentence each."""
