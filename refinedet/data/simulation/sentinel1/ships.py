"""Ships of a scene of kind `sentinel1`: sizes and contrast as of real ships, and how the radar sees them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from refinedet.data.simulation.sentinel1.conditions import Sentinel1Conditions
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges
from refinedet.data.simulation.ships import Points, Ship
from refinedet.data.simulation.spec import log_uniform

_PITCH_PX = 0.7
"""Distance of the scatterers of a hull."""
_HULL_DB = (-13.0, -6.0)
"""Power of one scatterer of the hull over that of a typical strong one."""
_STRONG_EVERY_M = 50.0
"""Length of ship for each strong scatterer beyond the first."""
_HEIGHT_OF_LENGTH, _HIGHEST_M = 0.14, 40.0
"""Height of the highest scatterers relative to the length of the ship, and its upper limit in metres."""
RESOLUTION_M = 20.0
"""Least side of a box: the image of a boat is no smaller than the point response."""


def draw_shapes(
    count: int, pixel_m: float, conditions: Sentinel1Conditions, ranges: Sentinel1Ranges, rng: np.random.Generator
) -> list[Ship]:
    """Draw length, width, heading and peak of the ships of a scene; all are at (0, 0)."""
    ships = []
    for _ in range(count):
        length_m = draw_length_m(ranges, rng)
        width_m = length_m * beam_ratio(length_m) * float(rng.lognormal(0, 0.12))
        peak_db = conditions.expected_peak_db(length_m, ranges) + rng.normal(0, ranges.contrast_of_ship_db)
        least_db = ranges.least_peak_db + rng.exponential(1.5)
        ships.append(
            Ship(
                0.0,
                0.0,
                length_m / pixel_m,
                width_m / pixel_m,
                float(rng.uniform(0, 360)),
                float(np.clip(peak_db, least_db, 50)),
            )
        )
    return ships


def draw_length_m(ranges: Sentinel1Ranges, rng: np.random.Generator) -> float:
    """Draw the length of a boat or of a ship."""
    if rng.random() < ranges.boat_share:
        return log_uniform(rng, *ranges.boat_m)
    low, high = np.log(ranges.ship_m)
    return float(np.exp(rng.triangular(low, low + (high - low) / 3, high)))


def beam_ratio(length_m: float) -> float:
    """Usual ratio of beam to length: 1 to 6.5 for ships, wider for boats."""
    return 0.148 + 0.12 * math.exp(-length_m / 35)


def scatterers(
    ship: Ship, pixel_m: float, conditions: Sentinel1Conditions, rng: np.random.Generator
) -> tuple[Points, NDArray[np.float64]]:
    """Draw the scatterers of a ship: positions (N, 2) and powers (N,), to be scaled.

    A few strong ones (bridge, masts, cranes, corners) give the peak. They stand above the deck, and so lie nearer to
    the radar in the image. The hull between them is much weaker.
    """
    along = np.arange(-ship.length_px / 2 + _PITCH_PX / 2, ship.length_px / 2, _PITCH_PX)
    across = np.linspace(-0.5, 0.5, 1 + max(int(ship.width_px / _PITCH_PX), 1)) * max(ship.width_px - 0.4, 0.2)
    hull = np.stack(np.meshgrid(along, across, indexing="ij"), axis=-1).reshape(-1, 2)
    hull[:, 1] *= np.clip((ship.length_px / 2 - hull[:, 0]) / (ship.length_px / 4), 0.15, 1)
    count = 1 + int(rng.poisson(ship.length_px * pixel_m / _STRONG_EVERY_M))
    strong = rng.uniform((-0.47, -0.35), (0.47, 0.35), (count, 2)) * (ship.length_px, ship.width_px)
    points = np.concatenate([ship.place(*hull.T), ship.place(*strong.T)])
    heights = rng.uniform(0, 1, count) * min(_HEIGHT_OF_LENGTH * ship.length_px, _HIGHEST_M / pixel_m)
    points[len(hull) :, 0] += conditions.layover() * heights
    hull_power = rng.gamma(0.7, size=len(hull)) * 10 ** (rng.uniform(*_HULL_DB) / 10)
    return points, np.concatenate([hull_power, rng.lognormal(0, 1.4, count)])


def visible_box(ship: Ship, pixel_m: float) -> tuple[float, float, float, float]:
    """Box around the hull, at least one resolution cell wide and high."""
    x1, y1, x2, y2 = ship.box()
    half = RESOLUTION_M / pixel_m / 2
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return min(x1, x - half), min(y1, y - half), max(x2, x + half), max(y2, y + half)
