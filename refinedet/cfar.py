"""Two-parameter CFAR: the classical ship detector, as a baseline for networks. It makes Detections from pixels.

A pixel is bright if it exceeds the local mean by `k` local standard deviations, both measured in a square ring around
it (background without guard). Bright pixels close to each other are one detection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.detections import Detections
from refinedet.errors import InputError


@dataclass(frozen=True, slots=True)
class CfarConfig:
    """Settings of the detector, in pixels of the scene.

    Raises:
        InputError: the guard does not fit into the background, or a limit is out of range.
    """

    k: float = 5.0
    """Threshold over the local mean, in local standard deviations."""
    guard_px: int = 45
    """Side of the guard, the square around a pixel that is no background: odd, and at least a ship's length."""
    background_px: int = 75
    """Side of the square around a pixel that is background except for the guard: odd."""
    pixels_min: int = 8
    """Fewest bright pixels in a detection."""
    length_max_px: float = 80.0
    """Longest side of a detection: longer ones are coast."""
    close_px: int = 2
    """Bright pixels are merged across gaps of up to twice this."""

    def __post_init__(self) -> None:
        if not (1 <= self.guard_px < self.background_px and self.guard_px % 2 == 1 and self.background_px % 2 == 1):
            raise InputError(
                f"expected odd sides, guard below background, found {self.guard_px} and {self.background_px}"
            )
        if not (np.isfinite(self.k) and self.pixels_min >= 1 and self.length_max_px > 0 and self.close_px >= 0):
            raise InputError(f"expected finite k, pixels_min >= 1, length_max_px > 0 and close_px >= 0, found {self}")


def contrast(pixels: NDArray[Any], valid: NDArray[np.bool_], config: CfarConfig) -> NDArray[np.float32]:
    """Local contrast (H, W): (pixel - ring mean) / ring standard deviation; 0 where there is no valid pixel or ring.

    `pixels` (H, W) is an amplitude or intensity; `valid` (H, W) marks what was measured.
    """
    values = np.where(valid, pixels, 0).astype(np.float64)
    count = _ring(valid.astype(np.float64), config)
    known = count > 0.5
    count = np.where(known, count, 1)
    mean = _ring(values, config) / count
    variance = np.maximum(_ring(values * values, config) / count - mean * mean, 0)
    # A ring of equal values (synthetic input) must not make every speck a ship, nor divide by zero.
    std = np.sqrt(variance) + 1e-6 * np.abs(mean) + 1e-12
    return np.where(known & valid, (values - mean) / std, 0).astype(np.float32)


def detect_bright(contrast_map: NDArray[np.float32], config: CfarConfig) -> Detections:
    """Boxes around the bright regions of a `contrast` map; scores grow with the peak contrast, label 0."""
    bright = contrast_map > config.k
    square = np.ones((3, 3), np.bool_)
    dilated = ndimage.binary_dilation(bright, square, iterations=config.close_px) if config.close_px else bright
    regions, _ = ndimage.label(dilated, square)
    regions[~bright] = 0
    boxes, scores = [], []
    for index, place in enumerate(ndimage.find_objects(regions), start=1):
        if place is None:
            continue
        region = regions[place] == index
        rows, columns = place
        long_side = max(rows.stop - rows.start, columns.stop - columns.start)
        if region.sum() >= config.pixels_min and long_side <= config.length_max_px:
            boxes.append((columns.start, rows.start, columns.stop, rows.stop))
            peak = float(contrast_map[place][region].max())
            scores.append(peak / (1 + peak) if peak > 0 else 0.0)
    return Detections.of(boxes, scores, np.zeros(len(boxes), np.int64))


def cfar(pixels: NDArray[Any], valid: NDArray[np.bool_], config: CfarConfig) -> Detections:
    """Ships in an amplitude or intensity image (H, W) by two-parameter CFAR; `valid` (H, W) marks measured pixels."""
    return detect_bright(contrast(pixels, valid, config), config)


def _ring(values: NDArray[np.float64], config: CfarConfig) -> NDArray[np.float64]:
    """Sum over the ring around each pixel, zero beyond the edge."""
    total = ndimage.uniform_filter(values, config.background_px, mode="constant") * config.background_px**2
    guarded = ndimage.uniform_filter(values, config.guard_px, mode="constant") * config.guard_px**2
    return np.asarray(total - guarded, np.float64)
