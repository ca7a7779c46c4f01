"""Reader of a scene at another pixel size: area means if it shrinks, linear interpolation if it grows.

Means are means of power, which a coarser sensor would measure. Each pixel is a fixed sum over source pixels that
depends only on its own place, so windows join without a seam, to the last bit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from refinedet.errors import InputError
from refinedet.radiometry import valid_mask
from refinedet.raster.base import Reader
from refinedet.raster.info import RasterInfo
from refinedet.tiling import Window

FACTORS = (0.01, 16.0)
"""Smallest and largest factor."""

_SOURCE_PX = 2048
"""Rough side, in source pixels, of the pieces in which a window is computed; it bounds the memory."""
_LEAST_MEASURED = 0.5
"""Least measured share of a pixel; a pixel with less is nodata."""


class ResampledReader(Reader):
    """Reader of `source` resampled by factors, at a size rounded to whole pixels; x = source x * `factors[0]`.

    8-bit scenes stay in 8 bits; others become float32, NaN where nothing was measured. `info` has no position.
    """

    def __init__(self, source: Reader, factor_x: float, factor_y: float, sample: NDArray[Any]) -> None:
        """Take a reader, its factors, and `source.sample()`, which shows the kind of values that the scene holds.

        Raises:
            InputError: a factor lies outside of FACTORS.
        """
        smallest, largest = FACTORS
        if not (smallest <= factor_x <= largest and smallest <= factor_y <= largest):
            raise InputError(
                f"expected a scale from {smallest} to {largest}, found {factor_x:g} x {factor_y:g}; "
                "is the pixel size the right one?"
            )
        self._source = source
        info = source.info
        width, height = max(1, round(info.width * factor_x)), max(1, round(info.height * factor_y))
        valid = valid_mask(sample, info.nodata)
        self._power = not (sample[valid] < 0).any()
        eight_bit = info.dtype == "uint8"
        self.factors = (width / info.width, height / info.height)
        self.label = source.label
        self.info = RasterInfo(
            width, height, info.count, "uint8" if eight_bit else "float32", info.nodata if eight_bit else np.nan
        )

    def read(self, window: Window) -> NDArray[Any]:
        """Pixels of `window`, as `Reader.read` gives them."""
        self._check_inside(window)
        wide, high = (max(1, round(_SOURCE_PX * min(1.0, factor))) for factor in self.factors)
        rows = []
        for y in range(window.y, window.y + window.height, high):
            piece = Window(y, window.x, min(high, window.y + window.height - y), wide)
            columns = range(window.x, window.x + window.width, wide)
            pieces = [replace(piece, x=x, width=min(wide, window.x + window.width - x)) for x in columns]
            rows.append(np.concatenate([self._piece(one) for one in pieces], axis=1))
        return np.concatenate(rows)

    def _piece(self, window: Window) -> NDArray[Any]:
        info = self._source.info
        left, across = _weights(window.x, window.width, info.width, self.factors[0])
        top, down = _weights(window.y, window.height, info.height, self.factors[1])
        pixels = self._source.read(Window(top, left, down.shape[1], across.shape[1]))
        valid = valid_mask(pixels, info.nodata)
        mask = valid[..., None] if pixels.ndim == 3 else valid
        values = self._to_mean(np.where(mask, pixels, 1).astype(np.float64)) * mask
        measured = _apply(down, across, valid.astype(np.float64))
        share = measured[..., None] if pixels.ndim == 3 else measured
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = self._from_mean(_apply(down, across, values) / share)
        return self._stored(mean, share >= _LEAST_MEASURED)

    def _to_mean(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        # the square must fit into float64; no larger value is a measurement
        return np.clip(values, -1e150, 1e150) ** 2 if self._power else values

    def _from_mean(self, mean: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sqrt(mean) if self._power else mean

    def _stored(self, mean: NDArray[np.float64], measured: NDArray[np.bool_]) -> NDArray[Any]:
        nodata = self.info.nodata
        if self.info.dtype != "uint8":
            limit = np.finfo(np.float32).max
            return np.where(measured, np.clip(mean, -limit, limit), np.nan).astype(np.float32)
        eight = np.rint(np.where(measured, mean, 0)).astype(np.uint8)
        if nodata is None:
            return eight
        # a mean that happens to equal nodata is changed by one
        free = np.uint8(nodata + 1 if nodata < 255 else nodata - 1)
        return np.where(measured, np.where(eight == nodata, free, eight), np.uint8(nodata))


def _weights(first: int, count: int, length: int, factor: float) -> tuple[int, csr_array]:
    """First source pixel of `count` target pixels from `first` along one axis, and their (count, n) weights.

    Shrinking: the share of each source pixel in the target pixel. Growing: linear between the two nearest centres.
    """
    target = np.arange(first, first + count)
    if factor <= 1:
        low, high = target / factor, (target + 1) / factor
        start = np.minimum(np.floor(low + 1e-9).astype(np.int64), length - 1)
        taps = start[:, None] + np.arange(int(np.ceil(1 / factor)) + 1)
        weights = (np.minimum(taps + 1, high[:, None]) - np.maximum(taps, low[:, None])) * factor
        weights[(weights < 1e-9) | (taps >= length)] = 0
    else:
        centre = (target + 0.5) / factor - 0.5
        start = np.floor(centre).astype(np.int64)
        taps = np.clip(start[:, None] + np.arange(2), 0, length - 1)
        weights = np.stack([start + 1 - centre, centre - start], axis=1)
    used = weights > 0
    begin, end = int(taps[used].min()), int(taps[used].max()) + 1
    rows = np.broadcast_to(np.arange(count)[:, None], taps.shape)
    return begin, csr_array((weights[used], (rows[used], taps[used] - begin)), shape=(count, end - begin))


def _apply(down: csr_array, across: csr_array, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted sums along both axes of (h, w) or (h, w, 3)."""
    return np.swapaxes(_sums(across, np.swapaxes(_sums(down, values), 0, 1)), 0, 1)


def _sums(weights: csr_array, values: NDArray[np.float64]) -> NDArray[np.float64]:
    flat = np.ascontiguousarray(values).reshape(len(values), -1)
    return np.asarray(weights @ flat).reshape(weights.shape[0], *values.shape[1:])
