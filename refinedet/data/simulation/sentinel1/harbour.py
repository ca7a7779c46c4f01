"""Harbours of a scene of kind `sentinel1`: quays with cranes and sheds, and breakwaters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.data.simulation.sentinel1.canvas import Canvas
from refinedet.data.simulation.sentinel1.non_ships import NonShip
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges

_LEAST_PX = 40
"""Distance of a harbour from the edges of the scene."""


def add_harbours(
    canvas: Canvas,
    ranges: Sentinel1Ranges,
    rng: np.random.Generator,
) -> list[NonShip]:
    """Add harbours on the coast; returns their breakwaters."""
    soft = ndimage.gaussian_filter(canvas.land.astype(np.float32), 6)
    inner = np.zeros_like(canvas.land)
    inner[_LEAST_PX:-_LEAST_PX, _LEAST_PX:-_LEAST_PX] = True
    shore = np.argwhere((np.abs(soft - 0.5) < 0.05) & inner)
    found: list[NonShip] = []
    if not len(shore):
        return found
    for _ in range(int(rng.integers(ranges.harbours[0], ranges.harbours[1] + 1))):
        y, x = shore[int(rng.integers(len(shore)))]
        outward = -np.array([soft[y, x + 3] - soft[y, x - 3], soft[y + 3, x] - soft[y - 3, x]], np.float64)
        outward /= max(float(np.hypot(*outward)), 1e-12)
        start = np.array([x + 0.5, y + 0.5])
        add_quay(canvas, start, outward, rng)
        found += add_breakwaters(canvas, start, outward, ranges, rng)
    return found


def add_quay(
    canvas: Canvas,
    start: NDArray[np.float64],
    outward: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    """Add a rectangle of land with cranes along its edge and sheds behind."""
    along = np.array([-outward[1], outward[0]])
    length, depth = rng.uniform(200, 900) / canvas.pixel_m, rng.uniform(80, 250) / canvas.pixel_m
    corner = start - along * length / 2
    _fill(canvas, start, start + outward * depth, length, 10 ** (rng.uniform(0, 8) / 10))
    pitch = rng.uniform(30, 90) / canvas.pixel_m
    cranes = corner + outward * (depth - 1) + along * np.arange(1, length - 1, pitch)[:, None]
    sheds = [
        corner
        + along * rng.uniform(0, length)
        + outward * rng.uniform(-depth, depth - 4)
        + (along * rng.uniform(0, 12, (20, 1)) + outward * rng.uniform(0, 3, (20, 1)))
        for _ in range(int(rng.integers(1, 6)))
    ]
    points = np.concatenate([cranes, *sheds])
    power = rng.lognormal(0, 1.2, len(points))
    power[: len(cranes)] *= rng.uniform(1, 8)
    canvas.add_points(points, power, rng.uniform(15, 36), rng)


def add_breakwaters(
    canvas: Canvas,
    start: NDArray[np.float64],
    outward: NDArray[np.float64],
    ranges: Sentinel1Ranges,
    rng: np.random.Generator,
) -> list[NonShip]:
    """Add one or two breakwaters of two legs that run out from the coast; returns them."""
    along = np.array([-outward[1], outward[0]])
    found = []
    for side in rng.permutation((-1, 1))[: int(rng.integers(1, 3))]:
        length = rng.uniform(*ranges.breakwater_m) / canvas.pixel_m
        root = start + side * along * rng.uniform(20, 60) * 10 / canvas.pixel_m - 3 * outward
        knee = root + 0.6 * length * (outward + side * rng.normal(-0.2, 0.3) * along)
        head = knee + 0.4 * length * (0.5 * outward - side * along * rng.uniform(0.2, 1.0))
        width, above = rng.uniform(12, 35) / canvas.pixel_m, 10 ** (rng.uniform(*ranges.breakwater_db) / 10)
        for a, b in ((root, knee), (knee, head)):
            _fill(canvas, a, b, width, above)
        blocks = root + (knee - root) * rng.uniform(0, 1, (int(length / 6) + 1, 1))
        canvas.add_points(blocks, rng.gamma(1, size=len(blocks)), rng.uniform(8, 20), rng)
        corners = np.array([root, knee, head])
        (x1, y1), (x2, y2) = corners.min(axis=0) - width / 2, corners.max(axis=0) + width / 2
        found.append(NonShip("breakwater", (float(x1), float(y1), float(x2), float(y2))))
    return found


def _fill(canvas: Canvas, a: NDArray[np.float64], b: NDArray[np.float64], width: float, above: float) -> None:
    """Turn the rectangle of that width about the line from a to b into land, of intensity `above` over the sea."""
    reach = width / 2 + 1
    x1, y1 = np.maximum(np.floor(np.minimum(a, b) - reach).astype(int), 0)
    x2, y2 = np.minimum(np.ceil(np.maximum(a, b) + reach).astype(int), canvas.land.shape[::-1])
    if x1 >= x2 or y1 >= y2:
        return
    y, x = np.mgrid[y1:y2, x1:x2] + 0.5
    length = float(np.hypot(*(b - a)))
    ahead = (b - a) / max(length, 1e-12)
    along = (x - a[0]) * ahead[0] + (y - a[1]) * ahead[1]
    across = (y - a[1]) * ahead[0] - (x - a[0]) * ahead[1]
    # The line is wide enough for its pixels to touch.
    within = (along > -0.5) & (along < length + 0.5) & (np.abs(across) <= max(width / 2, 0.71))
    canvas.land[y1:y2, x1:x2] |= within
    canvas.brightness[y1:y2, x1:x2][within] = above
