"""Random fields of a simulated scene: speckle, sea texture, coast, land. Pure functions of a random generator.

H and W are rows and columns. Fields are made in the frequency domain.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import special

from refinedet.data.simulation.spec import Conditions

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]
Spectrum = Callable[[Field, Field], Field]
"""Function from (fy, fx) in cycles per pixel, broadcastable, to the amplitude of a field's spectrum."""

BANDWIDTH = 0.7
"""Bandwidth of the imaging system over the sampling rate, on both axes; pixels are finer than the resolution."""
SPECKLE_BLOCK_PX = 512
"""Side of the blocks of speckle, each with its own seed; speckle is correlated over two pixels, so no seam shows."""


def gaussian_field(rng: np.random.Generator, height: int, width: int, spectrum: Spectrum) -> Field:
    """Draw a Gaussian random field (H, W) of mean 0 and variance 1 with the given amplitude spectrum."""
    size = (_good_size(height), _good_size(width))
    fy = np.fft.fftfreq(size[0]).astype(np.float32)[:, None]
    fx = np.fft.rfftfreq(size[1]).astype(np.float32)[None, :]
    noise = rng.standard_normal((size[0], fx.shape[1], 2), np.float32).view(np.complex64)[..., 0]
    noise *= spectrum(fy, fx)
    noise[0, 0] = 0
    field = np.fft.irfft2(noise, size)[:height, :width].astype(np.float32, copy=False)
    return np.asarray((field - field.mean()) / max(float(field.std()), 1e-12), np.float32)


def point_response(offset_px: NDArray[np.float64], aperture_weight: float, band: float = BANDWIDTH) -> Field:
    """Amplitude of a point scatterer at a distance along one axis: 1 at 0, side lobes beyond.

    It is the transform of a generalised Hamming window a + (1 - a) cos(2 pi f / B) over the band B.
    """
    t = offset_px * band
    lobes = aperture_weight * np.sinc(t) + (1 - aperture_weight) / 2 * (np.sinc(t - 1) + np.sinc(t + 1))
    return np.asarray(lobes / aperture_weight, np.float32)


def speckle_blocks(
    seed: np.random.SeedSequence, height: int, width: int, conditions: Conditions
) -> Iterator[tuple[slice, slice, Iterator[NDArray[np.complex64]]]]:
    """Yield the rows, the columns and the looks of each block of a plain scene, as `look_blocks`."""
    return look_blocks(seed, height, width, conditions.looks, aperture(conditions.aperture_weight))


def look_blocks(
    seed: np.random.SeedSequence, height: int, width: int, count: int, window: Field
) -> Iterator[tuple[slice, slice, Iterator[NDArray[np.complex64]]]]:
    """Yield the rows, the columns and the looks of each block of a scene; `window` is from `aperture`.

    A look is complex circular Gaussian speckle of unit mean intensity, correlated by the imaging system's response.
    """
    side = SPECKLE_BLOCK_PX
    buffer = np.empty((side, side, 2), np.float32)
    corners = [(y, x) for y in range(0, height, side) for x in range(0, width, side)]
    for (y, x), child in zip(corners, seed.spawn(len(corners)), strict=True):
        rows, columns = slice(y, min(y + side, height)), slice(x, min(x + side, width))
        rng = np.random.default_rng(child)
        looks = (_look(rng, window, buffer)[: rows.stop - y, : columns.stop - x] for _ in range(count))
        yield rows, columns, looks


def aperture(weight: float, bands: tuple[float, float] = (BANDWIDTH, BANDWIDTH)) -> Field:
    """Frequency response of the imaging system on a block; noise of variance 1 in both parts becomes unit speckle.

    `bands` are the bandwidths over the sampling rate along rows and columns.
    """
    side = SPECKLE_BLOCK_PX
    f = np.fft.fftfreq(side)
    down, along = (
        np.where(np.abs(f) < band / 2, weight + (1 - weight) * np.cos(2 * np.pi * f / band), 0) for band in bands
    )
    window = np.outer(down, along)
    return np.asarray(window * (side / np.sqrt(2 * np.mean(window**2))), np.float32)


def sea_texture(rng: np.random.Generator, height: int, width: int, conditions: Conditions) -> Field:
    """Draw gamma-distributed texture (H, W) of unit mean; speckle on top of it is K-distributed."""
    return to_gamma(texture_field(rng, height, width, conditions), conditions)


def texture_field(rng: np.random.Generator, height: int, width: int, conditions: Conditions) -> Field:
    """Draw the Gaussian field (H, W) of the texture, with short (spikes), long (gusts) and swell correlation."""
    k = 1 / conditions.swell_px
    ky, kx = k * math.sin(conditions.swell_rad), k * math.cos(conditions.swell_rad)
    groups_px = 0.9 * conditions.swell_px

    def spectrum(fy: Field, fx: Field) -> Field:
        f2 = fy * fy + fx * fx
        short = (0.92 - conditions.swell_share) * gaussian_power(f2, 1.1)
        gusts = 0.08 * gaussian_power(f2, 25.0)
        # Both +k and -k, because the half spectrum of a real field holds only one of them at fx = 0.
        swell = gaussian_power((fy - ky) ** 2 + (fx - kx) ** 2, groups_px) + gaussian_power(
            (fy + ky) ** 2 + (fx + kx) ** 2, groups_px
        )
        return np.asarray(np.sqrt(short + gusts + 0.5 * conditions.swell_share * swell), np.float32)

    return gaussian_field(rng, height, width, spectrum)


def to_gamma(field: Field, conditions: Conditions) -> Field:
    """Map a field of mean 0 and variance 1 to the gamma law of shape `conditions.shape`, point by point.

    Source: Tough and Ward, J. Phys. D 32, 1999.
    """
    normal, gamma = _gamma_table(conditions.shape)
    return np.interp(field, normal, gamma).astype(np.float32)


def mean_level(rng: np.random.Generator, height: int, width: int, conditions: Conditions) -> Field:
    """Mean sea intensity (H, W): falls off with range (columns), changes slowly with the wind."""
    span_db = rng.uniform(1, 4)
    wind = gaussian_field(
        rng, height, width, lambda fy, fx: np.sqrt(gaussian_power(fy * fy + fx * fx, 0.12 * max(height, width)))
    )
    ramp = np.linspace(span_db / 2, -span_db / 2, width, dtype=np.float32)
    return from_db(0.9 * wind + ramp) * np.float32(conditions.mean_amplitude**2)


def coast(rng: np.random.Generator, height: int, width: int, share: float) -> Mask:
    """Draw land (H, W) on about `share` of the scene, with a fractal coast of dimension about 1.25; 0 gives none."""
    if share <= 0:
        return np.zeros((height, width), np.bool_)
    return relief(rng, height, width, share) > 0


def relief(rng: np.random.Generator, height: int, width: int, share: float) -> Field:
    """Draw heights (H, W) without a unit, above 0 on about `share` of the scene."""
    # fBm of Hurst exponent 0.75 has the spectrum f^-(2H+2); below one cycle a scene it is flat here.
    floor = np.float32(1 / max(height, width) ** 2)
    field = gaussian_field(rng, height, width, lambda fy, fx: (fy * fy + fx * fx + floor) ** np.float32(-0.875))
    return np.asarray(field - np.quantile(field[::4, ::4], 1 - share), np.float32)


def land_level(rng: np.random.Generator, height: int, width: int, mean_db: tuple[float, float] = (3, 7)) -> Field:
    """Mean land intensity (H, W) relative to the sea: brighter, with fields, ridges and dark patches at many scales."""
    above_db = rng.uniform(*mean_db)
    patches = gaussian_field(
        rng, height, width, lambda fy, fx: (fy * fy + fx * fx + np.float32(2e-4)) ** np.float32(-0.7)
    )
    return from_db(above_db + 2.6 * patches)


def nodata_border(rng: np.random.Generator, height: int, width: int) -> Mask:
    """Draw the mask of measured pixels: a slightly turned swath, slanted left and right, cut top and bottom."""
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    columns = np.arange(width, dtype=np.float32)[None, :]
    left, right, slant = (float(v) * width for v in rng.uniform((0.005, 0.005, -0.06), (0.05, 0.05, 0.06)))
    top, bottom = (int(v) for v in rng.uniform(0, 0.02, 2) * height)
    shift = slant * rows + max(0.0, -slant)
    valid = (columns >= left + shift) & (columns < width - right - abs(slant) + shift)
    valid[:top] = False
    valid[height - bottom :] = False
    return np.asarray(valid)


def gaussian_power(f2: Field, correlation_px: float) -> Field:
    """Spectrum of a Gaussian correlation of that length, of unit total power."""
    scale = np.float32(2 * math.pi**2 * correlation_px**2)
    return np.asarray(np.exp(-f2 * scale) * np.float32(correlation_px**2), np.float32)


def _gamma_table(shape: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Quantiles of the standard normal law, and of the gamma law of unit mean at the same probabilities."""
    normal = np.linspace(-4.5, 4.5, 1801)
    return normal, special.gammaincinv(shape, special.ndtr(normal)) / shape


def _look(rng: np.random.Generator, window: Field, buffer: NDArray[np.float32]) -> NDArray[np.complex64]:
    rng.standard_normal(dtype=np.float32, out=buffer)
    noise = buffer.view(np.complex64)[..., 0]
    noise *= window
    return np.asarray(np.fft.ifft2(noise), np.complex64)


def from_db(decibels: Field) -> Field:
    """Convert decibels to a factor of the intensity."""
    return np.asarray(np.exp(decibels * np.float32(math.log(10) / 10)), np.float32)


def _good_size(length: int) -> int:
    """Length with a fast transform, a little longer than `length`, so that the far ends of a field do not meet."""
    return -(-(length + 32) // 64) * 64
