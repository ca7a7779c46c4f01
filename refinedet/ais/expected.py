"""Expected AIS ships of a scene: each at the time of its image line, displaced by its speed. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.displacement import covariance, displacement
from refinedet.ais.geometry import SceneGeometry, Times
from refinedet.ais.tables import Ais, Statics
from refinedet.ais.tracks import GAP_S, Whereabouts, at_centre, whereabouts
from refinedet.geo.steps import direction, moved

Array = NDArray[np.float64]

_SHORT_S = 1.0
"""Time steps in seconds that are too short to matter."""


@dataclass(frozen=True, slots=True)
class Expected:
    """K AIS ships of one scene, all with a known place."""

    mmsi: NDArray[np.int64]
    where: Whereabouts
    """Middle of each hull at the time of its image line."""
    time: Times
    """(K,) times of the image lines."""
    shown_lonlat: Array
    """(K, 2) place at which the image shows the middle of the hull."""
    covariance_m2: Array
    """(K, 2, 2) covariance of the shown place."""
    name: NDArray[np.str_]
    ship_type: NDArray[np.str_]
    length_m: Array
    width_m: Array

    def __len__(self) -> int:
        """Number of ships."""
        return len(self.mmsi)

    def only(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Expected:
        """Return the ships of these rows."""
        where = Whereabouts(*(getattr(self.where, name)[rows] for name in Whereabouts.__slots__))
        others = {name: getattr(self, name)[rows] for name in Expected.__slots__ if name != "where"}
        return Expected(where=where, **others)


def expected_ships(
    ais: Ais, geometry: SceneGeometry, middle_lonlat: Array, gap_s: float = GAP_S, *, displaced: bool = True
) -> Expected:
    """AIS ships at the time of the scene, at any place.

    Args:
        ais: reports and static data.
        geometry: times and view of the scene.
        middle_lonlat: (2,) a place of the scene; its time is the first estimate for all ships.
        gap_s: longest time to the nearest report.
        displaced: false leaves out the displacement of moving ships, for comparison.
    """
    about = geometry.times(middle_lonlat[None])[0]
    window = np.timedelta64(round(1000 * (gap_s + _SHORT_S)), "ms") + np.timedelta64(60, "s")
    near = (ais.fixes.time >= about - window) & (ais.fixes.time <= about + window)
    mmsi = np.unique(ais.fixes.mmsi[near])
    time = np.full(len(mmsi), about)
    where = whereabouts(ais.fixes, mmsi, time, gap_s)
    mmsi, where = mmsi[where.told], _told(where)
    time = geometry.times(where.lonlat)
    where = whereabouts(ais.fixes, mmsi, time, gap_s)
    mmsi, time, where = mmsi[where.told], time[where.told], _told(where)
    rows = rows_of(ais.statics, mmsi)
    where = at_centre(where, ais.statics, rows)
    length, width = (_static(ais.statics, name, rows) for name in ("length_m", "width_m"))
    view = geometry.view(where.lonlat)
    spread = where.spread_m[:, None, None] ** 2 * np.eye(2) + _by_clock(where)
    shown = where.lonlat
    if displaced:
        shown = moved(where.lonlat, displacement(view, where.velocity_m_s))
        spread = spread + covariance(view, where.velocity_m_s, where.velocity_spread_m_s)
    name, kind = (
        np.where(rows >= 0, getattr(ais.statics, column)[rows], "") if len(ais.statics) else np.full(len(rows), "")
        for column in ("name", "ship_type")
    )
    return Expected(mmsi, where, time, shown, spread, name, kind, length, width)


def _by_clock(where: Whereabouts) -> Array:
    """Covariance (K, 2, 2) of places from the clock errors of their reports, along the course."""
    course = direction(np.degrees(np.arctan2(where.velocity_m_s[:, 0], where.velocity_m_s[:, 1])))
    return np.asarray(where.along_m[:, None, None] ** 2 * course[:, :, None] * course[:, None, :])


def rows_of(statics: Statics, mmsi: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows (K,) of ships in the static data; -1 for none."""
    if not len(statics):
        return np.full(len(mmsi), -1)
    rows = np.minimum(np.searchsorted(statics.mmsi, mmsi), len(statics) - 1)
    return np.where(statics.mmsi[rows] == mmsi, rows, -1)


def _static(statics: Statics, name: str, rows: NDArray[np.int64]) -> Array:
    if not len(statics):
        return np.full(len(rows), np.nan)
    return np.where(rows >= 0, getattr(statics, name)[rows], np.nan).astype(np.float64)


def _told(where: Whereabouts) -> Whereabouts:
    return Whereabouts(*(getattr(where, name)[where.told] for name in Whereabouts.__slots__))
