"""Resolution of a scene from its own speckle: the sensor's point response without a word from the product. Pure.

Speckle is what the sensor makes of a rough sea, so neighbouring pixels are as alike as the point response is wide. The
correlation of the intensity of speckle one pixel apart is that of the point response with itself, squared. Swell and
wind also make pixels alike, but over longer distances: the correlation four pixels apart is taken off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float64]
"""(H, W) intensity, linear in power."""
Mask = NDArray[np.bool_]
Pair = tuple[float, float]
"""A number along x (columns) and one along y (rows)."""

USUAL_PX = 2.0
"""Resolution of common products in pixels, for a scene without enough sea: Sentinel-1 IW GRD has about 20 m in 10 m."""

_CORRELATION = (0.0, 0.10, 0.16, 0.24, 0.35, 0.46, 0.59, 0.72, 0.83, 0.90)
"""Correlation of speckle one pixel apart, under a Hamming window of alpha 0.75, for the widths of `_WIDTH_PX`."""
_WIDTH_PX = (0.90, 1.00, 1.11, 1.25, 1.42, 1.66, 2.00, 2.50, 3.33, 4.50)
_FAR_PX = 4
_LEAST_PIXELS = 400
"""Least number of pixels of sea in one window."""
_MOST_ALIKE = 0.4
"""Most correlation of pixels far apart; land and slicks have more."""
_BRIGHT = 8.0
"""Least brightness of what is no speckle, as a multiple of the mean of the sea."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """Size of a pixel and width of the point response of a scene."""

    pixel_m: Pair = (1.0, 1.0)
    """Metres per pixel; (1, 1) without a position, as only their ratio shapes a ship in pixels."""
    resolution_px: Pair = (USUAL_PX, USUAL_PX)
    """Width of the point response at half of its power."""


def speckle_correlation(intensity: Grey, sea: Mask) -> Pair | None:
    """Correlation of speckle one pixel apart along x and y, free of that far apart; None without enough plain sea."""
    if sea.sum() < _LEAST_PIXELS:
        return None
    mean = intensity[sea].mean()
    mean = intensity[sea & (intensity < 4 * mean)].mean() if mean > 0 else mean
    sea = sea & (intensity < _BRIGHT * mean)
    if sea.sum() < _LEAST_PIXELS:
        return None
    value = np.where(sea, intensity - intensity[sea].mean(), 0.0)
    power = np.mean(value[sea] ** 2)
    if power <= 0:
        return None
    found = []
    for turned, mask in ((value, sea), (value.T, sea.T)):
        near, far = (_alike(turned, mask, lag) / power for lag in (1, _FAR_PX))
        if not far < _MOST_ALIKE:
            return None
        found.append(float((near - far) / (1 - far)))
    return found[0], found[1]


def resolution_px(correlations: Sequence[Pair]) -> Pair:
    """Resolution along x and y from the correlations of several windows; USUAL_PX without any."""
    if not correlations:
        return USUAL_PX, USUAL_PX
    x, y = np.interp(np.median(np.array(correlations), axis=0), _CORRELATION, _WIDTH_PX)
    return float(x), float(y)


def _alike(value: Grey, sea: Mask, lag: int) -> float:
    """Mean product of pixels of sea `lag` columns apart; infinite if there are none."""
    both = sea[:, lag:] & sea[:, :-lag]
    return float((value[:, lag:] * value[:, :-lag])[both].mean()) if both.any() else float("inf")
