"""Islets and rocks of a scene of kind `sentinel1`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.data.simulation.fields import Field, Mask
from refinedet.data.simulation.sentinel1.canvas import Canvas
from refinedet.data.simulation.sentinel1.conditions import Sentinel1Conditions
from refinedet.data.simulation.sentinel1.non_ships import NonShip
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges
from refinedet.data.simulation.spec import log_uniform

_ROCK_PX = 4.0
"""Diameter below which an islet is a few bright scatterers instead of an area."""
_SCATTERED = 0.5
"""Share of scenes whose islets lie anywhere; the others have them in one group."""


def add_islets(canvas: Canvas, ranges: Sentinel1Ranges, rng: np.random.Generator) -> list[NonShip]:
    """Add islets to the land, and rocks to the signal; returns them."""
    count = int(rng.integers(ranges.islets[0], ranges.islets[1] + 1))
    places = rng.uniform(0.03, 0.97, (count, 2)) * canvas.size
    if rng.random() >= _SCATTERED:
        places = places[:1] + rng.normal(0, 0.06 * canvas.size.min(), (count, 2))
    found = []
    for place in places:
        size, above_db = log_uniform(rng, *ranges.islet_m) / canvas.pixel_m, float(rng.uniform(*ranges.islet_db))
        if not canvas.inside(place[None], 2 * size + 2)[0] or canvas.is_land(place[None])[0]:
            continue
        found.append((_add_rock if size < _ROCK_PX else _add_islet)(canvas, place, size, above_db, rng))
    return found


def islet_mask(size_px: float, rng: np.random.Generator) -> Mask:
    """Draw the outline of an islet of about that diameter, on its own small grid."""
    side = int(2 * size_px) + 3
    y, x = (np.mgrid[:side, :side] - side / 2 + 0.5) / (size_px / 2)
    angle, longer = rng.uniform(0, np.pi), rng.uniform(1, 2.2)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    noise = ndimage.gaussian_filter(rng.standard_normal((side, side)), size_px / 6)
    noise /= max(float(noise.std()), 1e-12)
    mask: Mask = np.hypot(along / longer**0.5, across * longer**0.5) < 1 + 0.3 * noise
    mask[side // 2, side // 2] = True
    labels, _ = ndimage.label(mask)
    return np.asarray(labels == labels[side // 2, side // 2])


def islet_brightness(mask: Mask, above_db: float, conditions: Sentinel1Conditions, rng: np.random.Generator) -> Field:
    """Intensity of an islet over the sea: patchy, with a bright shore of cliffs and surf towards the radar."""
    patches = 2.5 * rng.standard_normal(mask.shape)
    shift = 1 if conditions.radar_left else -1
    shore = mask & ~np.roll(mask, shift, axis=1)
    return np.asarray(10 ** ((above_db + patches + rng.uniform(0, 12) * shore) / 10), np.float32)


def _add_islet(
    canvas: Canvas, place: NDArray[np.float64], size: float, above_db: float, rng: np.random.Generator
) -> NonShip:
    mask = islet_mask(size, rng)
    column, row = place.astype(int) - mask.shape[0] // 2
    window = (slice(row, row + mask.shape[0]), slice(column, column + mask.shape[1]))
    canvas.land[window] |= mask
    canvas.brightness[window][mask] = islet_brightness(mask, above_db, canvas.conditions, rng)[mask]
    rows, columns = np.nonzero(mask)
    x1, y1, x2, y2 = (float(v) for v in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
    return NonShip("islet", (column + x1, row + y1, column + x2, row + y2))


def _add_rock(
    canvas: Canvas, place: NDArray[np.float64], size: float, above_db: float, rng: np.random.Generator
) -> NonShip:
    points = place + rng.uniform(-size / 2, size / 2, (int(rng.integers(1, 5)), 2))
    canvas.add_points(points, rng.gamma(1, size=len(points)), above_db, rng)
    half = max(size, 2.0) / 2
    (x1, y1), (x2, y2) = place - half, place + half
    return NonShip("rock", (float(x1), float(y1), float(x2), float(y2)))
