"""Likelihood that a detection and an AIS ship are the same ship, by place, length, heading and speed. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from refinedet.ais.assignment import Pairs, distance_squared, log_place
from refinedet.ais.expected import Expected
from refinedet.ais.offset import REACH_M, REACH_S, SceneOffset
from refinedet.geo.position import local_plane
from refinedet.geo.steps import steps_m

Array = NDArray[np.float64]
Index = NDArray[np.int64]

GATE = 6.0
"""Largest distance of a match, in its standard deviations."""
FARTHEST_M = 5000.0
"""Largest distance of a match, however uncertain the place is."""

_CENTRE_M, _CENTRE_SHARE = 20.0, 0.1
"""Standard deviation of the middle of a detection: in metres, and as a share of its length."""
_LENGTH_M, _LENGTH_SHARE, _LENGTHS_M, _LENGTH_LEAST = 12.0, 0.2, 90.0, -5.0
"""Standard deviation of a detected length, in metres and as a share; that of the lengths of other ships; and the lowest
logarithm of the ratio, because reported lengths can be wrong."""
_TURN_DEG, _TURN_SHARE = 8.0, 0.8
"""Standard deviation of a detected axis, and the share of the ships to which that applies."""
_FASTEST_M_S, _SHORTEST_S = 30.0, 30.0
"""Speed that no ship exceeds between its report and its detection, and the shortest time that counts for it."""
_UNREPORTED = 0.3
"""Expected share of detections that are no AIS ship."""
_NEIGHBOURS, _LEAST_DENSITY, _MOST_DENSITY = 5, 1e-10, 1e-4
"""Number of neighbours from which the density of detections is estimated, and its limits in 1/m2."""
_SEEN_MIDDLE_M, _SEEN_SLOPE, _SEEN_UNKNOWN = 25.0, 2.0, 0.8
"""Length at which half of the ships are seen; rise with the logarithm of the length; share at an unknown length."""
_CERTAIN = 3.0
"""Largest logarithm of the odds that a ship is seen."""


@dataclass(frozen=True, slots=True)
class Detected:
    """N detections of one scene; NaN where a value is unknown."""

    lonlat: Array
    """(N, 2) degrees."""
    length_m: Array
    heading_deg: Array
    """(N,) axis, clockwise from north, in [0, 180)."""

    def __len__(self) -> int:
        """Number of detections."""
        return len(self.lonlat)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs (P,) of a detection and a ship that are close enough to be compared."""

    detection: Index
    ship: Index
    residual_m: Array
    """(P, 2) metres [east, north] from the shown place of the ship to the detection."""
    covariance_m2: Array
    """(P, 2, 2) of the residual."""
    velocity_m_s: Array
    """(P, 2) velocity [east, north] of the ship."""


def candidates(detected: Detected, ships: Expected) -> Candidates:
    """Find all pairs within the reach of an offset and of the gate."""
    known = np.flatnonzero(np.isfinite(detected.lonlat).all(axis=1))
    if not len(known) or not len(ships):
        none = np.zeros(0, np.int64)
        return Candidates(none, none, np.zeros((0, 2)), np.zeros((0, 2, 2)), np.zeros((0, 2)))
    plane = local_plane(detected.lonlat[known])
    found, shown = (
        np.stack(plane.transform(*places.T), axis=1) for places in (detected.lonlat[known], ships.shown_lonlat)
    )
    on_plane = np.flatnonzero(np.isfinite(shown).all(axis=1))
    spread = np.sqrt(np.linalg.eigvalsh(ships.covariance_m2)[:, -1])
    speed = np.hypot(*ships.where.velocity_m_s.T)
    reach = np.minimum(
        GATE * np.hypot(spread, _CENTRE_M) + np.sqrt(2) * REACH_M + REACH_S * speed, FARTHEST_M + REACH_M
    )
    near = KDTree(found).query_ball_point(shown[on_plane], reach[on_plane])
    ship = np.repeat(on_plane, [len(one) for one in near])
    detection = known[np.concatenate([np.zeros(0, np.int64), *(np.array(sorted(one), np.int64) for one in near)])]
    residual = steps_m(ships.shown_lonlat[ship], detected.lonlat[detection])
    middle = np.hypot(_CENTRE_M, _CENTRE_SHARE * np.nan_to_num(detected.length_m))[detection]
    covariance = ships.covariance_m2[ship] + middle[:, None, None] ** 2 * np.eye(2)
    return Candidates(detection, ship, residual, covariance, ships.where.velocity_m_s[ship])


def weigh(
    near: Candidates, detected: Detected, ships: Expected, offset: SceneOffset, length_bias_m: float
) -> tuple[Pairs, Array]:
    """Weigh the pairs within the gate; also return the distances (P,) of these pairs in metres without the offset."""
    residual = near.residual_m - offset.moved_by(near.velocity_m_s)
    distance = np.hypot(*residual.T)
    squared = distance_squared(residual, near.covariance_m2)
    hurried = np.hypot(*near.velocity_m_s.T) + distance / np.maximum(ships.where.gap_s[near.ship], _SHORTEST_S)
    inside = (squared <= GATE**2) & (distance <= FARTHEST_M) & (hurried <= _FASTEST_M_S)
    d, s = near.detection[inside], near.ship[inside]
    ratio = log_place(residual[inside], near.covariance_m2[inside]) - np.log(_UNREPORTED * density(detected.lonlat))[d]
    ratio += log_length(detected.length_m[d] - length_bias_m, ships.length_m[s])
    ratio += log_heading(detected.heading_deg[d], ships.where.heading_deg[s])
    ratio += log_seen(ships.length_m[s])
    return Pairs(d, s, ratio), distance[inside]


def log_length(found_m: Array, told_m: Array) -> Array:
    """Logarithm of the likelihood ratio (P,) from the lengths; 0 where a length is unknown."""
    own = _LENGTH_M + _LENGTH_SHARE * told_m
    apart = found_m - told_m
    ratio = np.log(_LENGTHS_M / own) - apart**2 / 2 * (1 / own**2 - 1 / np.maximum(_LENGTHS_M, own) ** 2)
    return np.where(np.isfinite(apart), np.maximum(ratio, _LENGTH_LEAST), 0.0)


def log_heading(axis_deg: Array, heading_deg: Array) -> Array:
    """Logarithm of the likelihood ratio (P,) from axis and heading; 0 where one of them is unknown."""
    turn = np.abs((axis_deg - heading_deg + 90) % 180 - 90)
    normal = 180 / (_TURN_DEG * np.sqrt(2 * np.pi)) * np.exp(-((turn / _TURN_DEG) ** 2) / 2)
    return np.where(np.isfinite(turn), np.log(_TURN_SHARE * normal + 1 - _TURN_SHARE), 0.0)


def log_seen(length_m: Array) -> Array:
    """Logarithm of the odds (P,) that a ship of that length is detected."""
    known = np.log(np.maximum(length_m, 1.0) / _SEEN_MIDDLE_M) * _SEEN_SLOPE
    unknown = np.log(_SEEN_UNKNOWN / (1 - _SEEN_UNKNOWN))
    return np.where(np.isfinite(length_m), np.clip(known, -_CERTAIN, _CERTAIN), unknown)


def density(lonlat: Array) -> Array:
    """Detections per m2 around each (N,), from the distance to its neighbours; the least for a lone detection."""
    found = np.full(len(lonlat), _LEAST_DENSITY)
    known = np.flatnonzero(np.isfinite(lonlat).all(axis=1))
    count = min(_NEIGHBOURS, len(known) - 1)
    if count < 1:
        return found
    flat = np.stack(local_plane(lonlat[known]).transform(*lonlat[known].T), axis=1)
    away = KDTree(flat).query(flat, [count + 1])[0][:, 0]
    found[known] = np.clip(count / np.pi / np.maximum(away, 1.0) ** 2, _LEAST_DENSITY, _MOST_DENSITY)
    return found
