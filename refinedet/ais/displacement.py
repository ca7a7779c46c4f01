"""Displacement of a moving ship in a radar image, from its true place to where the image shows it. Pure.

The processor places an echo along the flight track where a target at rest would have Doppler frequency 0. So a ship
that moves away from the radar at speed v_r appears shifted backward along the track by R v_r / V, with slant range R
and satellite speed V. On the ground, the shift is R v_r v_g / V_e^2, with ground speed v_g and effective velocity V_e.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinedet.geo.steps import MEAN_RADIUS_M, direction

Array = NDArray[np.float64]

_GRAVITY_M3_S2 = 3.986004418e14
SENTINEL_1_M = 693_000.0
"""Altitude of Sentinel-1, in metres."""
_USUAL_S, _USUAL_INCIDENCE = 115.0, 37.0
"""Range over speed in seconds, and incidence in degrees, of an unknown radar satellite."""
_USUAL_SPREAD = 0.75
"""Spread of the displacement on each axis for an unknown geometry, as a share of the usual displacement."""


@dataclass(frozen=True, slots=True)
class View:
    """View of the radar on K ships."""

    seconds: Array
    """(K,) slant range over speed of the satellite: metres of displacement along the track per m/s of radial speed."""
    incidence_deg: Array
    """(K,) angle between the line of sight and the vertical."""
    track_deg: Array
    """(K,) direction of flight on the ground, clockwise from north; NaN where the geometry is unknown."""
    right: bool = True
    """True if the radar looks to the right of its track."""

    @property
    def away(self) -> Array:
        """(K, 2) unit vectors [east, north] away from the radar, on the ground."""
        return direction(self.track_deg + (90.0 if self.right else -90.0))

    @property
    def known(self) -> NDArray[np.bool_]:
        """(K,) true where the geometry is known."""
        return np.isfinite(self.track_deg)

    @classmethod
    def unknown(cls, count: int) -> View:
        """Unknown view of `count` ships."""
        return cls(np.full(count, _USUAL_S), np.full(count, _USUAL_INCIDENCE), np.full(count, np.nan))


def displacement(view: View, velocity_m_s: Array) -> Array:
    """Displacement [east, north] (K, 2) in metres of ships with velocities (K, 2) in m/s; 0 for an unknown geometry."""
    known = view.known
    radial = (velocity_m_s * np.where(known[:, None], view.away, 0.0)).sum(axis=1) * _sine(view)
    along = direction(np.where(known, view.track_deg, 0.0))
    return np.asarray(-(view.seconds * radial)[:, None] * along)


def covariance(view: View, velocity_m_s: Array, velocity_spread_m_s: Array) -> Array:
    """Covariance (K, 2, 2) in m2 of the displacement, from the spread of velocities (K,).

    For an unknown geometry the displacement is unknown: its usual size is then the spread in every direction.
    """
    scale = view.seconds * _sine(view)
    along = direction(np.where(view.known, view.track_deg, 0.0))
    told = (scale * velocity_spread_m_s)[:, None, None] ** 2 * along[:, :, None] * along[:, None, :]
    speed = np.hypot(np.hypot(*velocity_m_s.T), velocity_spread_m_s)
    untold = (_USUAL_SPREAD * scale * speed)[:, None, None] ** 2 * np.eye(2)
    return np.where(view.known[:, None, None], told, untold)


def range_over_speed(incidence_deg: Array, altitude_m: float = SENTINEL_1_M) -> Array:
    """Slant range over speed of a satellite on a circular orbit around a sphere, in seconds, by the incidence."""
    angle, orbit = np.radians(incidence_deg), MEAN_RADIUS_M + altitude_m
    slant = np.sqrt(orbit**2 - (MEAN_RADIUS_M * np.sin(angle)) ** 2) - MEAN_RADIUS_M * np.cos(angle)
    return np.asarray(slant / np.sqrt(_GRAVITY_M3_S2 / orbit), np.float64)


def _sine(view: View) -> Array:
    return np.asarray(np.sin(np.radians(view.incidence_deg)), np.float64)
