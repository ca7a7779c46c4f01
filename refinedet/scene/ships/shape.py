"""Shape of a ship from its pixels: its axis, its size along and across it, and its brightness. Pure.

The ship is the blob of bright pixels at its box. Its length and width are the sides of a rectangle with the same second
moments. Only a blob that is clearly longer than wide has an axis. Then the width comes from the mean brightness across
the axis instead, because the edge of a blob lies further out the brighter the ship is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.tiling import Window

Grey = NDArray[np.float64]
"""(H, W) intensity, linear in power."""
Mask = NDArray[np.bool_]
Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels, half-open."""

MARGIN_PX = 16
"""Water that is read on each side of a box."""

_GUARD_PX = 3
"""Pixels next to a box that do not count as water, since they may hold side lobes."""
_LEAST_WATER = 40
"""Least number of pixels of water; with fewer, all of the shape is unknown."""
_LEAST_BLOB = 4
"""Least number of pixels of a blob; with fewer, only the contrast is known."""
_LEAST_ELONGATION = 1.35
"""Least ratio of length to width of a ship whose axis is known."""
_FALSE_BRIGHT = 3.0
"""Least brightness of a ship's pixel, as a multiple of the mean of the water."""
_OF_PEAK_DB = -15.0
"""Least brightness of a ship's pixel relative to the brightest one at the box."""
_SMOOTHING = np.outer([1, 2, 1], [1, 2, 1]) / 16
_BLUR_PX2 = 0.25
"""Variance, in square pixels, that the sensor's point response adds to a blob along each axis."""
_PROFILE_SHARE = 0.8
"""Middle share of a ship's length from which its width is taken: bow and stern are narrower."""
_PROFILE_LEVEL = 0.4
"""Share of the highest mean brightness at which a ship ends."""
_PROFILE_STEP_PX = 0.25


@dataclass(frozen=True, slots=True)
class Shape:
    """Shape of one ship, in pixels of its scene; NaN where unknown."""

    centre_xy: tuple[float, float]
    """Middle of the blob; x right, y down, half-open."""
    axis_xy: tuple[float, float]
    """Unit vector along the ship; which end is the bow is not known."""
    length_px: float
    width_px: float
    contrast_db: float
    """Brightest point over the mean of the water around, in power."""

    def moved(self, x: float, y: float) -> Self:
        """Return the shape moved `x` pixels to the right and `y` down."""
        return replace(self, centre_xy=(self.centre_xy[0] + x, self.centre_xy[1] + y))


UNKNOWN = Shape((np.nan, np.nan), (np.nan, np.nan), np.nan, np.nan, np.nan)
"""Shape of which nothing is known."""


def surroundings(box_xyxy: Box, width_px: int, height_px: int) -> Window:
    """Window around a box, for `measure`, in a scene of that size."""
    x1, y1, x2, y2 = box_xyxy
    left, top = max(0, int(x1) - MARGIN_PX), max(0, int(y1) - MARGIN_PX)
    right, bottom = min(width_px, int(np.ceil(x2)) + MARGIN_PX), min(height_px, int(np.ceil(y2)) + MARGIN_PX)
    return Window(top, left, bottom - top, right - left)


def to_intensity(pixels: NDArray[Any]) -> Grey:
    """Power (H, W): the square of amplitudes (H, W), or of the mean of (H, W, 3)."""
    values = pixels.astype(np.float64)
    values = values.mean(axis=2) if values.ndim == 3 else values
    return np.asarray(values**2)


def measure(intensity: Grey, valid: Mask, box_xyxy: Box) -> Shape:
    """Measure the shape of the ship at a box.

    Args:
        intensity: pixels of the box and MARGIN_PX around it, as far as the scene reaches.
        valid: (H, W) false where nothing was measured.
        box_xyxy: the box, in pixels of `intensity`.
    """
    inside, near = _within(intensity.shape, box_xyxy, 1.0), _within(intensity.shape, box_xyxy, _GUARD_PX)
    water = intensity[valid & ~near]
    if water.size < _LEAST_WATER or not (inside & valid).any():
        return UNKNOWN
    # other ships and land around are brighter than water: the mean of the darker part is taken, twice
    mean = water.mean()
    for _ in range(2):
        mean = water[water <= 4 * mean].mean()
    if mean <= 0:
        return UNKNOWN
    ship = np.where(inside & valid, intensity, 0.0)
    peak = ship.max()
    # speckle raises the brightest pixel, smoothing lowers a true peak; the mean of both, in decibels, errs least
    smooth = ndimage.convolve(np.where(valid, intensity, 0.0), _SMOOTHING)[inside & valid].max()
    contrast = 5 * np.log10(peak * smooth / mean**2)
    blob = _blob(ship, max(_FALSE_BRIGHT * mean, peak * 10 ** (_OF_PEAK_DB / 10)))
    if blob.sum() < _LEAST_BLOB:
        return replace(UNKNOWN, contrast_db=float(contrast))
    shape = _moments(blob, contrast)
    if not np.isfinite(shape.axis_xy).all():
        return shape
    return replace(shape, width_px=_width(np.where(valid, intensity - mean, 0.0), shape))


def _within(shape: tuple[int, ...], box_xyxy: Box, margin: float) -> Mask:
    """Pixels whose centres lie in a box that is larger by `margin`."""
    x1, y1, x2, y2 = box_xyxy
    x, y = np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5
    columns, rows = (x > x1 - margin) & (x < x2 + margin), (y > y1 - margin) & (y < y2 + margin)
    return np.asarray(rows[:, None] & columns)


def _blob(ship: Grey, threshold: float) -> Mask:
    """Heaviest group of touching pixels above `threshold`, small gaps closed."""
    bright = ship >= threshold
    labels, count = ndimage.label(ndimage.binary_dilation(bright), np.ones((3, 3)))
    if count == 0:
        return bright
    weight = ndimage.sum_labels(ship * bright, labels, np.arange(1, count + 1))
    return np.asarray(bright & (labels == 1 + int(np.argmax(weight))))


def _moments(blob: Mask, contrast: float) -> Shape:
    rows, columns = np.nonzero(blob)
    points = np.stack([columns + 0.5, rows + 0.5], axis=1)
    centre = points.mean(axis=0)
    # a pixel is a square of variance 1/12, not a point
    covariance = np.cov(points.T, bias=True) + np.eye(2) / 12
    (across, along), axes = np.linalg.eigh(covariance)
    length, width = np.sqrt(12 * np.maximum([along - _BLUR_PX2, across - _BLUR_PX2], 1 / 12))
    elongated = along > _LEAST_ELONGATION**2 * across
    axis = tuple(axes[:, 1].tolist()) if elongated else (np.nan, np.nan)
    return Shape(tuple(centre.tolist()), axis, float(length), float(width), float(contrast))


def _width(above: Grey, shape: Shape) -> float:
    """Width of a ship from the fall of its brightness `above` that of the water on both sides of its axis."""
    reach = max(4.0, 1.5 * shape.width_px)
    along = np.arange(-0.5, 0.5, _PROFILE_STEP_PX / shape.length_px) * _PROFILE_SHARE * shape.length_px
    across = np.arange(-reach, reach, _PROFILE_STEP_PX)
    (x, y), (dx, dy) = shape.centre_xy, shape.axis_xy
    columns = x + along[:, None] * dx - across * dy
    rows = y + along[:, None] * dy + across * dx
    profile = ndimage.map_coordinates(above, [rows - 0.5, columns - 0.5], order=1).mean(axis=0)
    level = profile - _PROFILE_LEVEL * profile.max()
    top = int(np.argmax(profile))
    sides = [_crossing(level[top:]), _crossing(level[top::-1])]
    blur = 8 * np.log(2) * _BLUR_PX2  # square of the width at half height of a Gaussian of that variance
    return float(np.sqrt(max((sum(sides) * _PROFILE_STEP_PX) ** 2 - blur, 1.0)))


def _crossing(level: Grey) -> float:
    """Steps from the start of `level` (N,) to where it first falls below 0; N where it never does."""
    below = np.flatnonzero(level < 0)
    if not len(below):
        return float(len(level))
    first = int(below[0])
    return float(first - level[first] / (level[first] - level[first - 1])) if first else 0.0
