"""Statistics of one ship's patch and of the sea around it: contrast, size, side lobes, speckle. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

SEA_FACTOR = 4.0
"""Multiple of the sea above which a pixel is not sea."""
BLOB_DB = 12.0
"""Level over the sea of the wider of the two blobs."""
_LEAST_SEA_PX = 150
_LOBES_PX = (5, 16)
"""Distance from the hull at which side lobes are measured."""

Power = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Signature:
    """Statistics of one ship; NaN if the patch does not show them."""

    length_m: float
    peak_db: float
    """Brightest pixel over the mean of the sea."""
    half_px: tuple[float, float]
    """Length and width of the blob above half the peak."""
    blob_px: tuple[float, float]
    """Length and width of the blob `BLOB_DB` above the sea."""
    lobe_y: float
    """Mean power beyond the hull on the peak's column (azimuth), less the sea's, over the peak."""
    lobe_x: float
    """Mean power beyond the hull on the peak's row (range), less the sea's, over the peak."""
    sea_amplitude: float
    looks: float
    """Equivalent number of looks of the sea, its texture included."""
    correlation_y: float
    """Correlation of the power of neighbouring sea pixels along azimuth."""
    correlation_x: float


def measure(
    amplitude: NDArray[np.floating],
    middle_xy: NDArray[np.float64],
    length_m: float,
    axis_deg: float,
    pixel_m: float = 10.0,
) -> Signature:
    """Measure a ship in a patch (H, W) of amplitude; its axis is clockwise from the top of the patch."""
    power = np.asarray(amplitude, np.float64) ** 2
    y, x = np.mgrid[: power.shape[0], : power.shape[1]] + 0.5
    distance = np.hypot(x - middle_xy[0], y - middle_xy[1])
    reach = length_m / pixel_m / 2 + 3
    sea = (distance > reach + 3) & (power < SEA_FACTOR * np.median(power) / 0.925)
    level = power[sea].mean() if sea.any() else np.nan
    ship = np.where(distance <= reach, power, 0)
    top = np.unravel_index(int(np.argmax(ship)), ship.shape)
    peak = ship[top]
    lobe_y, lobe_x = _lobes(power, (int(top[0]), int(top[1])), middle_xy, length_m / pixel_m, axis_deg)
    looks, correlation_y, correlation_x = speckle(power, sea)
    return Signature(
        length_m,
        float(10 * np.log10(peak / level)),
        blob(power, top, peak / 2),
        blob(power, top, level * 10 ** (BLOB_DB / 10)),
        float((lobe_y - level) / peak),
        float((lobe_x - level) / peak),
        float(np.sqrt(level)),
        looks,
        correlation_y,
        correlation_x,
    )


def blob(power: Power, top: tuple[np.intp, ...], threshold: float) -> tuple[float, float]:
    """Length and width, along its own axes, of the connected pixels around `top` above a threshold; 0 where none."""
    if not power[top] > threshold:
        return 0.0, 0.0
    labels, _ = ndimage.label(power > threshold)
    points = np.argwhere(labels == labels[top]).astype(np.float64)
    points -= points.mean(axis=0)
    _, axes = np.linalg.eigh(points.T @ points)
    across, along = np.ptp(points @ axes, axis=0) + 1
    return float(along), float(across)


def speckle(power: Power, sea: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Looks, and correlation of neighbours along y and along x, of the power of the sea; NaN where sea is scarce."""
    if sea.sum() < _LEAST_SEA_PX:
        return np.nan, np.nan, np.nan
    excess = power / power[sea].mean() - 1
    variance = float(excess[sea].var())
    down, across = sea[1:] & sea[:-1], sea[:, 1:] & sea[:, :-1]
    return (
        1 / variance,
        float((excess[1:] * excess[:-1])[down].mean()) / variance,
        float((excess[:, 1:] * excess[:, :-1])[across].mean()) / variance,
    )


def _lobes(
    power: Power, top: tuple[int, int], middle_xy: NDArray[np.float64], length_px: float, axis_deg: float
) -> tuple[float, float]:
    """Mean power on the column and on the row of the peak, beyond the hull; NaN if the patch ends before."""
    axis = np.radians(axis_deg)
    half = length_px / 2 * np.abs([np.cos(axis), np.sin(axis)])
    means = []
    for line, middle, reach in ((power[:, top[1]], middle_xy[1], half[0]), (power[top[0]], middle_xy[0], half[1])):
        offset = np.abs(np.arange(line.size) + 0.5 - middle) - reach
        beyond = (offset > _LOBES_PX[0]) & (offset <= _LOBES_PX[1])
        means.append(float(line[beyond].mean()) if beyond.sum() >= 8 else np.nan)
    return means[0], means[1]
