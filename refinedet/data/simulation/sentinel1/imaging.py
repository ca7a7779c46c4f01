"""Imaging system of Sentinel-1's IW ground range products: point response, speckle, and the sum of looks.

The band on each axis is chosen so that the speckle of neighbouring pixels is correlated as in real images: 0.62 along
range and 0.58 along azimuth, in power. Slow changes of the sea raise the measured values. The resulting point response
is 21 m by 20 m wide, about as stated for the product.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from refinedet.data.simulation.fields import Field, aperture, look_blocks, point_response
from refinedet.data.simulation.sentinel1.conditions import APERTURE_WEIGHT, SUB_LOOKS
from refinedet.data.simulation.ships import Points

_RANGE_BAND_AT_10_M, _AZIMUTH_BAND_AT_10_M = 0.477, 0.510
LOBES_PX = 48
"""Distance from a scatterer up to which its side lobes are drawn."""


def bands(pixel_m: float) -> tuple[float, float]:
    """Band over the sampling rate along azimuth (rows) and range (columns)."""
    return _AZIMUTH_BAND_AT_10_M * pixel_m / 10, _RANGE_BAND_AT_10_M * pixel_m / 10


def look_weights(looks: float) -> NDArray[np.float32]:
    """Weights of the sub-looks, of sum 1, whose mean has the given equivalent number of looks (3.6 to 5)."""
    spread = np.sqrt((SUB_LOOKS**2 / looks - SUB_LOOKS) / 2)
    return np.asarray((1 + spread * np.array([-1, 0, 0, 0, 1])) / SUB_LOOKS, np.float32)


def render_points(
    points: Points, power: NDArray[np.float64], pixel_m: float, rng: np.random.Generator
) -> tuple[int, int, Field]:
    """Render scatterers: first row, first column, and the intensity summed over looks.

    The phases of scatterers differ from look to look, so close ones fade as they do in real images.
    """
    first = np.floor(points.min(axis=0)).astype(int) - LOBES_PX
    last = np.ceil(points.max(axis=0)).astype(int) + LOBES_PX
    azimuth, across = (
        point_response(
            np.arange(first[k], last[k])[None, :] + 0.5 - points[:, k, None], APERTURE_WEIGHT, bands(pixel_m)[1 - k]
        )
        for k in (1, 0)
    )
    root = np.sqrt(power).astype(np.float32)
    patch = np.zeros((azimuth.shape[1], across.shape[1]), np.float32)
    for _ in range(SUB_LOOKS if len(points) > 1 else 1):
        phase = np.exp(1j * rng.uniform(0, 2 * np.pi, len(points))).astype(np.complex64)
        look = (azimuth * (root * phase)[:, None]).T @ across
        patch += look.real**2 + look.imag**2
    return int(first[1]), int(first[0]), patch / np.float32(SUB_LOOKS if len(points) > 1 else 1)


def detect_amplitude(
    clutter: Field, signal: Field, seed: np.random.SeedSequence, looks: float, pixel_m: float
) -> NDArray[np.uint16]:
    """Amplitude: root of the weighted mean over the looks of |root(clutter) * speckle + root(signal)|^2, at least 1."""
    weights = look_weights(looks)
    pixels = np.empty(clutter.shape, np.uint16)
    window = aperture(APERTURE_WEIGHT, bands(pixel_m))
    height, width = clutter.shape
    for rows, columns, blocks in look_blocks(seed, height, width, SUB_LOOKS, window):
        root, target = np.sqrt(clutter[rows, columns]), np.sqrt(signal[rows, columns])
        intensity = np.zeros_like(root)
        for weight, speckle in zip(weights, blocks, strict=True):
            np.multiply(speckle, root, out=speckle)
            intensity += weight * (np.square(speckle.real + target) + np.square(speckle.imag))
        pixels[rows, columns] = np.clip(np.rint(np.sqrt(intensity)), 1, 65535)
    return pixels
