"""Ships under way in a scene of kind `sentinel1`: displaced and smeared along azimuth (rows), and their wakes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.data.simulation.fields import Field
from refinedet.data.simulation.sentinel1.canvas import Canvas
from refinedet.data.simulation.sentinel1.conditions import Sentinel1Conditions
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges
from refinedet.data.simulation.ships import Ship

_RANGE_OVER_SPEED_S = 115.0
"""Slant range over the speed of the satellite; it turns a radial speed into a distance along azimuth."""
_KNOT_M_S = 0.514444
_KELVIN_RAD = math.radians(19.5)
"""Half angle of a ship's wave pattern."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Motion of one ship, as the image shows it."""

    displaced_px: float
    """Rows by which the ship lies below its true place, where its wake begins; negative: above it."""
    smear_px: float
    wake: bool
    speed_kn: float = 0.0


STILL = Motion(0.0, 0.0, wake=False)


def draw_motion(
    ship: Ship, pixel_m: float, conditions: Sentinel1Conditions, ranges: Sentinel1Ranges, rng: np.random.Generator
) -> Motion:
    """Draw the motion of a ship; many ships lie still."""
    if rng.random() >= ranges.moving_probability:
        return STILL
    speed_kn = float(rng.uniform(*ranges.speed_kn))
    # With the radar on the other side, flight and look are both reversed, so one sign holds for both sides.
    radial = (
        speed_kn
        * _KNOT_M_S
        * math.sin(math.radians(ship.heading_deg))
        * math.sin(math.radians(conditions.incidence_deg))
    )
    smear = rng.uniform(*ranges.smear_m) / pixel_m
    wake = bool(rng.random() < ranges.wake_probability)
    return Motion(radial * _RANGE_OVER_SPEED_S / pixel_m, smear, wake, speed_kn)


def smeared(patch: Field, smear_px: float) -> Field:
    """Blur a patch along azimuth (rows) over a length."""
    side = round(smear_px) + 1
    return patch if side == 1 else ndimage.uniform_filter1d(patch, side, axis=0, mode="constant")


def add_wake(canvas: Canvas, ship: Ship, motion: Motion, rng: np.random.Generator) -> None:
    """Change the level of the sea along the wake of a ship: a dark band with a bright rim, and arms of waves."""
    length = rng.uniform(500, 5000) / canvas.pixel_m
    stern = np.array([ship.x, ship.y - motion.displaced_px])
    heading = math.radians(ship.heading_deg)
    back = np.array([-math.sin(heading), math.cos(heading)])
    width = max(ship.width_px, 1.0) + rng.uniform(0.5, 2)
    canvas_db = [(0.0, -rng.uniform(2, 6), width), (rng.choice((-1, 1)) * width / length, rng.uniform(0, 4), 1.2)]
    canvas_db += [(side * math.tan(_KELVIN_RAD), rng.uniform(0, 2.5), 1.5) for side in (-1, 1)]
    for slope, step_db, thick in canvas_db:
        line = back + slope * np.array([-back[1], back[0]])
        _scale_along(canvas, stern, line / np.hypot(*line), length * (1 if slope == 0 else 0.5), step_db, thick)


def _scale_along(
    canvas: Canvas,
    start: NDArray[np.float64],
    ahead: NDArray[np.float64],
    length: float,
    step_db: float,
    thick: float,
) -> None:
    """Raise the level by decibels along a line that fades to its end."""
    ends = np.array([start, start + ahead * length])
    x1, y1 = np.maximum(np.floor(ends.min(axis=0) - 4 * thick).astype(int), 0)
    x2, y2 = np.minimum(np.ceil(ends.max(axis=0) + 4 * thick).astype(int), canvas.land.shape[::-1])
    if x1 >= x2 or y1 >= y2:
        return
    y, x = np.ogrid[y1:y2, x1:x2]
    dx, dy = x + 0.5 - start[0], y + 0.5 - start[1]
    along, across = dx * ahead[0] + dy * ahead[1], dy * ahead[0] - dx * ahead[1]
    fading = np.clip(1 - along / length, 0, 1) * (along > 0)
    decibels = step_db * fading * np.exp(-0.5 * (across / thick) ** 2)
    canvas.level[y1:y2, x1:x2] *= (10 ** (decibels / 10)).astype(np.float32)
