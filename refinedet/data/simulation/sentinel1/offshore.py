"""Structures at sea of a scene of kind `sentinel1`: wind turbines, single and in farms, and oil platforms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from refinedet.data.simulation.sentinel1.canvas import Canvas
from refinedet.data.simulation.sentinel1.conditions import Sentinel1Conditions
from refinedet.data.simulation.sentinel1.non_ships import NonShip, NonShipKind
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges
from refinedet.data.simulation.ships import Points

_HUB_M = (60.0, 110.0)
"""Height of the hub of a turbine above the sea."""
_FOOT_SHOWS = 0.5
"""Share of turbines whose foot shows beside the rotor."""
_EDGE_PX = 20.0
_AROUND_PX = 1.5
"""Distance from the outermost scatterers to the box."""


def add_turbines(canvas: Canvas, ranges: Sentinel1Ranges, rng: np.random.Generator) -> list[NonShip]:
    """Add wind turbines to the signal: a farm on a regular grid, single ones, both or none; returns them.

    Those of one scene are of one make.
    """
    places = []
    if rng.random() < ranges.wind_farm_probability:
        places.append(wind_farm(canvas.pixel_m, ranges, rng) + rng.uniform(0.2, 0.8, 2) * canvas.size)
    if rng.random() < ranges.single_turbine_probability:
        places.append(rng.uniform(0, canvas.size, (int(rng.integers(1, 5)), 2)))
    hub_px, make_db = rng.uniform(*_HUB_M) / canvas.pixel_m, rng.uniform(*ranges.turbine_db)
    found = []
    for place in _on_water(canvas, np.concatenate(places)) if places else ():
        points, power = turbine_scatterers(hub_px, canvas.conditions, rng)
        found.append(add_structure(canvas, "turbine", points + place, power, make_db + rng.normal(0, 2.5), rng))
    return found


def add_platforms(canvas: Canvas, ranges: Sentinel1Ranges, rng: np.random.Generator) -> list[NonShip]:
    """Add oil and gas platforms to the signal, or none; returns them."""
    if rng.random() >= ranges.platform_probability:
        return []
    found = []
    count = int(rng.integers(ranges.platforms[0], ranges.platforms[1] + 1))
    for place in _on_water(canvas, rng.uniform(0, canvas.size, (count, 2))):
        points, power = platform_scatterers(canvas.pixel_m, rng)
        found.append(add_structure(canvas, "platform", points + place, power, rng.uniform(*ranges.platform_db), rng))
    return found


def wind_farm(pixel_m: float, ranges: Sentinel1Ranges, rng: np.random.Generator) -> Points:
    """Draw the places (N, 2) of a wind farm around (0, 0): a regular grid, turned, every other row shifted or not."""
    rows, columns = (int(v) for v in rng.integers(2, 8, 2))
    spacing = rng.uniform(*ranges.turbine_spacing_m, 2) / pixel_m
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2).astype(np.float64)
    grid[:, 0] += rng.choice((0.0, 0.5)) * (grid[:, 1] % 2)
    return _turned((grid - grid.mean(axis=0)) * spacing, rng) + rng.normal(0, 0.4, grid.shape)


def turbine_scatterers(
    hub_px: float, conditions: Sentinel1Conditions, rng: np.random.Generator
) -> tuple[Points, NDArray[np.float64]]:
    """Draw the scatterers of a turbine at (0, 0): its foot, its tower laid over towards the radar, its rotor.

    The rotor turns, so its echoes are spread along azimuth; they are most of what shows. The foot shows weakly.
    """
    count = int(rng.integers(5, 13))
    heights = np.concatenate([[0.0], rng.uniform(0, 1, 3), [1.0], 1 + rng.normal(0, 0.08, count)])
    foot = rng.uniform(0.1, 0.8) if rng.random() < _FOOT_SHOWS else 0.02
    power = np.concatenate([[foot], rng.gamma(0.5, 0.05, 3), [rng.uniform(0.3, 1.5)], rng.gamma(0.8, 0.5, count)])
    azimuth = np.concatenate([np.zeros(5), rng.normal(0, rng.uniform(1.2, 3.5), count)])
    return np.stack([conditions.layover() * heights * hub_px, azimuth], axis=1), power


def platform_scatterers(pixel_m: float, rng: np.random.Generator) -> tuple[Points, NDArray[np.float64]]:
    """Draw the scatterers of a platform at (0, 0): one to three blocks of 30 to 90 m, beside one another."""
    side = rng.uniform(30, 90) / pixel_m
    blocks = [
        rng.uniform(-side / 2, side / 2, (int(rng.integers(8, 25)), 2)) + np.array([number * 1.6 * side, 0])
        for number in range(int(rng.integers(1, 4)))
    ]
    points = np.concatenate(blocks)
    return _turned(points - points.mean(axis=0), rng), rng.lognormal(0, 1.2, len(points))


def _turned(points: Points, rng: np.random.Generator) -> Points:
    angle = rng.uniform(0, np.pi)
    return np.asarray(points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]))


def _on_water(canvas: Canvas, places: Points) -> Points:
    places = places[canvas.inside(places, _EDGE_PX)]
    return places[~canvas.is_land(places)]


def add_structure(
    canvas: Canvas,
    kind: NonShipKind,
    points: Points,
    power: NDArray[np.float64],
    peak_db: float,
    rng: np.random.Generator,
) -> NonShip:
    """Add the scatterers (N, 2) of a structure to the signal, with a peak over the sea."""
    canvas.add_points(points, power, peak_db, rng)
    (x1, y1), (x2, y2) = points.min(axis=0) - _AROUND_PX, points.max(axis=0) + _AROUND_PX
    return NonShip(kind, (float(x1), float(y1), float(x2), float(y2)))
