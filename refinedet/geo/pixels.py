"""Pixels of places: the inverse of `Position.lonlat`, for scenes located by a transform or control points."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from refinedet.geo.position import Points, Position, local_plane

_OUTLINE_POINTS = 17
_REACH = 2.0
"""Places farther from the middle than this multiple of the scene's reach have no pixel."""
_STEP_PX = 0.5
"""Step on either side of a pixel by which slopes are measured."""
_STEPS = 20
_EXACT_PX = 1e-6
_RIGHT_PX = 0.05
"""Largest distance between a place and the place of its pixel, in pixels."""


def pixels_of(position: Position, width_px: int, height_px: int, lonlat: Points) -> Points:
    """Pixels [x, y] (N, 2) of places (N, 2) in degrees, right to 1e-6 px, by Newton's method on a plane.

    NaN for a place far outside the scene, or not on the earth.
    """
    size = np.array([width_px, height_px], np.float64)
    grid = np.stack(np.meshgrid(*(np.linspace(0, side, _OUTLINE_POINTS) for side in size)), axis=-1).reshape(-1, 2)
    degrees = position.lonlat(grid)
    known = np.isfinite(degrees).all(axis=1)
    found = np.full((len(lonlat), 2), np.nan)
    if not known.any() or not len(lonlat):
        return found
    plane = local_plane(degrees[known])

    def on_plane(pixels: Points) -> NDArray[np.float64]:
        return np.stack(plane.transform(*position.lonlat(pixels).T), axis=1)

    flat = np.stack(plane.transform(*degrees[known].T), axis=1)
    places = np.stack(plane.transform(*np.asarray(lonlat, np.float64).T), axis=1)
    reach = _REACH * np.hypot(*flat.T).max()
    rows = np.flatnonzero(np.isfinite(places).all(axis=1) & (np.hypot(*places.T) <= reach))
    if len(rows):
        affine = np.linalg.lstsq(np.c_[flat, np.ones(len(flat))], grid[known], rcond=None)[0]
        found[rows] = _newton(on_plane, np.c_[places[rows], np.ones(len(rows))] @ affine, places[rows], size)
    return found


def _newton(
    on_plane: Callable[[Points], NDArray[np.float64]],
    pixels: Points,
    places: NDArray[np.float64],
    size: NDArray[np.float64],
) -> Points:
    """Pixels at `places`, from a first guess; NaN where no pixel is near the scene."""
    low, high = -_REACH * size, (1 + _REACH) * size
    slopes = np.empty((len(pixels), 2, 2))
    for _ in range(_STEPS):
        for axis, step in enumerate(_STEP_PX * np.eye(2)):
            slopes[:, :, axis] = (on_plane(pixels + step) - on_plane(pixels - step)) / (2 * _STEP_PX)
        short = places - on_plane(pixels)
        good = np.isfinite(slopes).all(axis=(1, 2)) & np.isfinite(short).all(axis=1)
        known = np.where(good.reshape(-1, 1, 1), slopes, np.eye(2))
        good &= np.abs(np.linalg.det(known)) > 0
        moves = np.full_like(pixels, np.nan)
        moves[good] = np.linalg.solve(slopes[good], short[good, :, None])[..., 0]
        pixels = np.clip(pixels + moves, low, high)
        if not (np.abs(moves[good]) > _EXACT_PX).any():
            break
    right = np.abs(moves).max(axis=1) <= _RIGHT_PX
    return np.where(right[:, None], pixels, np.nan)
