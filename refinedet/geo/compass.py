"""Direction of north in a picture of a scene, and metres per pixel, at the middle of the scene. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from refinedet.geo.position import Position, azimuths_deg, distances_m

_LARGEST_CONDITION = 1e4
"""Ratio of the longest to the shortest ground length of a pixel; beyond it no direction is given."""


def ground_axes(position: Position | None, width_px: int, height_px: int) -> NDArray[np.float64] | None:
    """Metres [east, north] of one pixel to the right (column 0) and one down (column 1), in the middle of a scene.

    None without a position, or if the middle of the scene is not on the earth or is flattened to a line.
    """
    if position is None:
        return None
    size = np.array([width_px, height_px], np.float64)
    steps = np.diag(size / 100)  # within the scene, even if it is thin
    ends = [position.lonlat(size / 2 + sign * steps / 2) for sign in (-1, 1)]
    directions, metres = np.radians(azimuths_deg(*ends)), distances_m(*ends)
    axes = metres * np.stack([np.sin(directions), np.cos(directions)]) / steps.diagonal()
    if not np.isfinite(axes).all() or np.linalg.cond(axes) > _LARGEST_CONDITION:
        return None
    return np.asarray(axes, np.float64)


def north_xy(axes: NDArray[np.float64], stretch_xy: tuple[float, float] = (1.0, 1.0)) -> NDArray[np.float64]:
    """Unit vector (2,) to true north in a picture, x right and y down, whose sides are scaled by `stretch_xy`."""
    direction = np.linalg.solve(axes, [0.0, 1.0]) * stretch_xy
    return np.asarray(direction / np.hypot(*direction), np.float64)


def pixel_metres(axes: NDArray[np.float64]) -> float:
    """Metres from one pixel to the next on its right."""
    return float(np.hypot(*axes[:, 0]))


def nice_length(longest: float) -> float:
    """Largest of 1, 2, 5 times a power of ten that is not above `longest`, a positive number."""
    power = 10.0 ** np.floor(np.log10(longest))
    return float(max(factor * power for factor in (1, 2, 5) if factor * power <= longest * (1 + 1e-9)))


def place_text(lon: float, lat: float) -> str:
    """Text of a place for people: `54.4936° N   7.3054° E`."""
    return f"{abs(lat):.4f}° {'N' if lat >= 0 else 'S'}   {abs(lon):.4f}° {'E' if lon >= 0 else 'W'}"
