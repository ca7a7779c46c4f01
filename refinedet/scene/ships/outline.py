"""Turned rectangles of ships: measured length and width along the measured heading, on the ground and in pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from refinedet.geo.position import Points, Position, azimuths_deg, distances_m, moved

_CORNERS = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0]]) / 2
"""Corners in lengths along the heading and widths to the right of it, counter-clockwise on the ground."""
_STEP_PX = 0.5
"""Step on either side of a pixel by which the ground of a pixel is measured."""


def turned_rectangles(
    position: Position,
    centres_px: Points,
    length_m: NDArray[np.float64],
    width_m: NDArray[np.float64],
    heading_deg: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners (N, 4, 2) of turned rectangles in pixels, and in degrees [lon, lat]; NaN where a measure is unknown.

    It is measured on the ground, so its sides in pixels are at right angles only where the pixels are square.

    Args:
        position: position of the scene.
        centres_px: (N, 2) middles of the ships.
        length_m: (N,) metres along the ellipsoid.
        width_m: (N,) likewise.
        heading_deg: (N,) clockwise from true north.
    """
    turn = np.radians(heading_deg)[:, None]
    along, across = length_m[:, None] * _CORNERS[:, 0], width_m[:, None] * _CORNERS[:, 1]
    east = along * np.sin(turn) + across * np.cos(turn)
    north = along * np.cos(turn) - across * np.sin(turn)
    known = np.isfinite(east).all(axis=1)
    pixels, lonlat = np.full((2, len(centres_px), 4, 2), np.nan)
    centres = np.asarray(centres_px, np.float64)[known]
    ground, offsets = _ground(position, centres), np.stack([east, north], axis=-1)[known]
    good = np.flatnonzero(np.isfinite(ground).all(axis=(1, 2)))
    good = good[np.linalg.matrix_rank(ground[good]) == ground.shape[1]]
    rows = np.flatnonzero(known)[good]
    if not len(rows):
        return pixels, lonlat
    centres, ground, offsets = centres[good], ground[good], offsets[good]
    pixels[rows] = centres[:, None] + np.linalg.solve(ground[:, None], offsets[..., None])[..., 0]
    start = np.repeat(position.lonlat(centres), 4, axis=0)
    azimuth = np.degrees(np.arctan2(offsets[..., 0], offsets[..., 1]))
    lonlat[rows] = moved(start, azimuth.ravel(), np.hypot(*offsets.T).T.ravel()).reshape(-1, 4, 2)
    return pixels, lonlat


def _ground(position: Position, pixels: Points) -> NDArray[np.float64]:
    """Metres [east, north] (N, 2, 2) of one pixel to the right (column 0) and one down (column 1), at N pixels."""
    axes = np.full((len(pixels), 2, 2), np.nan)
    for axis, step in enumerate(_STEP_PX * np.eye(2)):
        ends = position.lonlat(pixels - step), position.lonlat(pixels + step)
        directions, metres = np.radians(azimuths_deg(*ends)), distances_m(*ends) / (2 * _STEP_PX)
        axes[:, :, axis] = (metres * np.stack([np.sin(directions), np.cos(directions)])).T
    return axes
