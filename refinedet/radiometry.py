"""Stretch of the pixel values of a scene to the 8 bits that a network sees. Pure NumPy, for training and detection.

The limits are measured once per scene and then applied pixel by pixel, so a window never depends on its neighbours.
Values are amplitudes: other kinds are turned into them while a scene is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from refinedet.config import Radiometry, StretchChoice
from refinedet.errors import InputError

Pixels = NDArray[Any]
"""Pixels of any real type: (H, W) for one band, (H, W, 3) for RGB."""
Mask = NDArray[np.bool_]
Domain = Literal["amplitude", "decibel"]
"""Values that are stretched: the amplitudes of the scene, or decibels from them."""

_AUTO = StretchChoice()
_LEAST_AMPLITUDE = 1e-12
_TABLE_BYTES = 2
"""Width of the widest integers that are stretched by a table: 65,536 values."""
_PART_PX = 1 << 20
"""Number of values that are computed at once, in float64."""


@dataclass(frozen=True, slots=True)
class StretchLimits:
    """Limits of a linear stretch: `low` becomes 1, `high` becomes 255."""

    low: float
    high: float
    domain: Domain = "amplitude"
    """Kind of both values; pixels are converted to it before they are stretched."""

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise InputError(f"expected finite limits with low < high, found {self.low} and {self.high}")


def valid_mask(pixels: Pixels, nodata: float | None) -> Mask:
    """True where a pixel was measured; shape (H, W), also for RGB (there a pixel is invalid if all channels are).

    NaN, infinity and the value `nodata` are invalid. Where no nodata is declared, 0 is invalid too, because SAR
    products pad with zero, except in 8-bit pictures and in signed integers (dB), where 0 is a value like any other.
    Masks and alpha bands of a file are in its pixels already: `SceneReader.read` gives what they hide as `nodata`.
    """
    valid = np.isfinite(pixels) if pixels.dtype.kind == "f" else np.ones(pixels.shape, np.bool_)
    if nodata is None and _zero_is_padding(pixels.dtype):
        nodata = 0.0
    if nodata is not None:
        valid &= pixels != nodata
    return np.asarray(valid.any(axis=2) if valid.ndim == 3 else valid, np.bool_)


def measure_limits(sample: Pixels, valid: Mask, radiometry: Radiometry, domain: Domain = "amplitude") -> StretchLimits:
    """Stretch limits of a scene from a `sample` of its pixels and their mask, by the percentiles of `radiometry`.

    Every sample gives usable limits. Without a valid pixel they are 0 and 1. If both percentiles are equal, the highest
    value is the upper limit. A constant sample gets an upper limit one unit above it. No limit lies above the highest
    value, because values that were cut off before, such as 8-bit values in a wider type, need no headroom.
    """
    values = sample[valid].astype(np.float64)
    values = _in_domain(values[values > 0] if domain == "decibel" else values, domain)
    if values.size == 0:
        return StretchLimits(0.0, 1.0, domain)
    low, high = (float(v) for v in np.percentile(values, (radiometry.low_percentile, radiometry.high_percentile)))
    highest = float(values.max())
    if high <= low:
        high = highest
    if high <= low:
        return StretchLimits(low, low + max(1.0, abs(low) * 1e-3), domain)
    return StretchLimits(low, min(low + radiometry.headroom * (high - low), highest), domain)


def scene_limits(
    sample: Pixels, dtype: DTypeLike, nodata: float | None, radiometry: Radiometry, choice: StretchChoice = _AUTO
) -> StretchLimits | None:
    """Stretch limits of a scene with pixels of `dtype`; None where its values are taken as 8-bit values already.

    None is returned for the stretch "none", and for uint8 unless `choice` names a stretch. Amplitudes are brought to
    decibels for a network that knows those.
    """
    eight_bit = np.dtype(dtype) == np.uint8
    stretch = radiometry.stretch if choice.kind == "auto" else choice.kind
    if stretch == "none" or (eight_bit and choice.kind == "auto"):
        return None
    if stretch == "fixed":
        return StretchLimits(choice.low, choice.high)
    valid = valid_mask(sample, nodata)
    return measure_limits(sample, valid, radiometry, "decibel" if stretch == "decibel" else "amplitude")


def to_uint8(pixels: Pixels, valid: Mask, limits: StretchLimits | None) -> NDArray[np.uint8]:
    """8-bit pixels of the same shape; a pixel outside the mask `valid` (H, W) becomes 0.

    With limits, valid pixels are stretched linearly to 1..255 and clipped. Without, they keep their values: uint8
    passes unchanged, other types are rounded and clipped to 0..255.
    """
    mask = valid[..., None] if pixels.ndim == 3 else valid
    if limits is None and pixels.dtype == np.uint8:
        return np.where(mask, pixels, np.uint8(0))
    low, high = (0.0, 255.0) if limits is None else (limits.low, limits.high)
    values = np.where(mask, pixels, 1)
    if limits is not None and limits.domain != "amplitude":
        values = _in_domain(values.astype(np.float64), limits.domain)
    # Clipped before anything is computed, so that no undeclared -3.4e38 overflows.
    values = np.clip(values, low, high).astype(np.float64)
    if limits is not None:
        values = 1 + (values - low) * (254 / (high - low))
    return np.where(mask, np.rint(values), 0).astype(np.uint8)


class Stretch:
    """Stretch of the windows of one scene: the bytes of `to_uint8`, by a table for integers of up to 16 bits.

    Args:
        dtype: type of the scene's pixels.
        nodata: value of pixels that were not measured, as for `valid_mask`.
        limits: limits of the stretch, from `scene_limits`.
    """

    def __init__(self, dtype: DTypeLike, nodata: float | None, limits: StretchLimits | None) -> None:
        self._nodata, self._limits = nodata, limits
        dtype = np.dtype(dtype)
        self._table: NDArray[np.uint8] | None = None
        if dtype.kind in "iu" and dtype.itemsize <= _TABLE_BYTES:
            every = np.arange(1 << (8 * dtype.itemsize)).astype(f"u{dtype.itemsize}").view(dtype)
            self._table = self._computed(every[:, None])[:, 0]

    def __call__(self, pixels: Pixels) -> NDArray[np.uint8]:
        """Return 8-bit pixels of the same shape; 0 where nothing was measured."""
        if self._table is None or pixels.ndim == 3:
            parts = range(0, len(pixels), max(1, _PART_PX // pixels[0].size))
            return np.concatenate([self._computed(pixels[y : y + parts.step]) for y in parts])
        stretched = np.empty(pixels.shape, np.uint8)
        for row, line in zip(pixels.view(f"u{pixels.dtype.itemsize}"), stretched, strict=True):
            np.take(self._table, row, mode="clip", out=line)  # row by row: indices are widened to 8 bytes
        return stretched

    def _computed(self, pixels: Pixels) -> NDArray[np.uint8]:
        return to_uint8(pixels, valid_mask(pixels, self._nodata), self._limits)


def _in_domain(values: NDArray[np.float64], domain: Domain) -> NDArray[np.float64]:
    if domain == "decibel":
        return np.asarray(20 * np.log10(np.maximum(values, _LEAST_AMPLITUDE)))
    return values


def _zero_is_padding(dtype: np.dtype[Any]) -> bool:
    return dtype.kind == "f" or (dtype.kind == "u" and dtype.itemsize > 1)
