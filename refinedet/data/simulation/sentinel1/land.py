"""Land of a scene of kind `sentinel1`: its coast, slopes that face the radar, towns."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from refinedet.data.simulation.fields import Field, Mask, from_db, land_level, relief
from refinedet.data.simulation.sentinel1.canvas import Canvas
from refinedet.data.simulation.sentinel1.conditions import Sentinel1Conditions
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges


def draw_land(
    shape: tuple[int, int], conditions: Sentinel1Conditions, ranges: Sentinel1Ranges, rng: np.random.Generator
) -> tuple[Mask, Field]:
    """Draw the land (H, W), and its mean intensity over that of the sea."""
    if not conditions.sea.land_share:
        return np.zeros(shape, np.bool_), np.ones(shape, np.float32)
    heights = relief(rng, *shape, conditions.sea.land_share)
    brightness = land_level(rng, *shape, ranges.land_db)
    brightness *= from_db(slope_db(heights, conditions, rng.uniform(0, 5)))
    return heights > 0, brightness


def slope_db(heights: Field, conditions: Sentinel1Conditions, steep_db: float) -> Field:
    """Decibels of slopes: those that face the radar are compressed and bright, those behind are dark.

    `steep_db` is the change for one standard deviation of the slope.
    """
    slope = ndimage.gaussian_filter1d(heights, 2.0, axis=1, order=1)
    slope *= np.float32((1 if conditions.radar_left else -1) / max(float(slope.std()), 1e-12))
    return np.asarray(steep_db * np.clip(slope, -2.5, 4), np.float32)


def add_towns(canvas: Canvas, rng: np.random.Generator) -> None:
    """Add bright buildings on land: towns, and single ones."""
    area = float(canvas.land.size)
    centres = rng.uniform(0, canvas.size, (rng.poisson(area / 60_000), 2))
    towns = [centre + rng.normal(0, rng.uniform(3, 25), (int(rng.integers(10, 90)), 2)) for centre in centres]
    singles = rng.uniform(0, canvas.size, (rng.poisson(float(canvas.land.sum()) / 4000), 1, 2))
    for town in (*towns, *singles):
        places = town[canvas.inside(town, 1)]
        places = places[canvas.is_land(places)]
        canvas.add_points(
            places, rng.lognormal(0, 1.2, len(places)), rng.uniform(8, 32 if len(places) > 1 else 22), rng
        )
