"""Stretch of a scene to 8 bits by the level of its sea, the same for training and detection. Pure NumPy.

`stretch_limits.py` measures limits and levels once per scene. A pixel then depends only on its value and its place,
so a window never depends on its neighbours.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.config import Radiometry
from refinedet.radiometry import (
    Pixels,
    StretchLimits,
    in_domain,
    to_uint8,
    valid_mask,
)
from refinedet.raster.info import RasterInfo
from refinedet.stretch.sea_level import SeaLevels
from refinedet.stretch.stretch_limits import scene_limits
from refinedet.tiling import Window

Places = NDArray[np.int64]
"""(N,) rows or columns of a scene, ascending."""

_BLOCK_PX = 32
"""Side of the blocks of pixels with one level."""
_TABLE_BYTES = 2
"""Width of the widest integers that are stretched by a table: 65,536 values."""
_PART_PX = 1 << 20
"""Number of values that are computed at once, in float64."""
_CHUNK_PX = 1 << 17
"""Number of values that are computed at once by levels: they stay in the cache of the processor."""
_FIXED_BITS = 30
"""Bits of a fixed-point number: one less than a signed 32-bit integer holds, so that a sum of two fits."""
_HIGHEST = 255


def stretch_whole(pixels: Pixels, nodata: float | None, radiometry: Radiometry) -> NDArray[np.uint8]:
    """Stretch all pixels (H, W) or (H, W, 3) of a picture as detection does; 8-bit pictures stay as they are."""
    height, width = pixels.shape[:2]
    limits = scene_limits(pixels, pixels.dtype, nodata, radiometry)
    info = RasterInfo(width, height, 1, pixels.dtype.name, nodata)
    return Stretch(info, limits)(pixels, Window(0, 0, height, width))


class Stretch:
    """Stretch of the pixels of one scene, wherever they are in it."""

    def __init__(self, info: RasterInfo, limits: StretchLimits | None) -> None:
        """Take a scene and the limits of its stretch, from `scene_limits`."""
        self._info, self._limits = info, limits
        self._levels = None if limits is None else limits.levels
        self._table: NDArray[np.uint8] | None = None
        dtype = np.dtype(info.dtype)
        if self._levels is None and _is_short(dtype):
            every = np.arange(1 << (8 * dtype.itemsize)).astype(f"u{dtype.itemsize}").view(dtype)
            self._table = self._alike(every[:, None])[:, 0]

    def __call__(self, pixels: Pixels, window: Window) -> NDArray[np.uint8]:
        """Return the pixels of a window in 8 bits, of the same shape; 0 where nothing was measured.

        If there are fewer pixels than in the window, they count as evenly spread over it (a thinned picture).
        """
        if self._limits is None or self._levels is None or pixels.ndim == 3:
            return self._without_levels(pixels)
        high, wide = pixels.shape
        blocks = (window.y + np.arange(high) * window.height // high) // _BLOCK_PX
        columns = (window.x + np.arange(wide) * window.width // wide) // _BLOCK_PX
        middles = np.arange(0.5, -(-self._info.width // _BLOCK_PX), dtype=np.float64) * (_BLOCK_PX / self._info.width)
        rows = min(high, max(1, _CHUNK_PX // wide))
        short = _is_short(pixels.dtype) and self._limits.domain == "amplitude"
        way = (_Integers if short else _Floats)(self._limits, self._levels, pixels.dtype, (rows, wide))
        stretched = np.empty(pixels.shape, np.uint8)
        with np.errstate(over="ignore", invalid="ignore"):  # from values that are invalid or beyond the limits
            for block, start, end in _runs(blocks):
                levels_db = self._levels.line((block + 0.5) * (_BLOCK_PX / self._info.height), middles)
                steps = np.take(way.steps(levels_db), columns, mode="clip")
                for first in range(start, end, rows):
                    part = slice(first, min(first + rows, end))
                    way.apply(pixels[part], steps, stretched[part])
                    valid = valid_mask(pixels[part], self._info.nodata).view(np.uint8)  # bool would be converted
                    np.multiply(stretched[part], valid, out=stretched[part])
        return stretched

    def _without_levels(self, pixels: Pixels) -> NDArray[np.uint8]:
        if self._table is None or pixels.ndim == 3:
            parts = range(0, len(pixels), max(1, _PART_PX // pixels[0].size))
            return np.concatenate([self._alike(pixels[y : y + parts.step]) for y in parts])
        stretched = np.empty(pixels.shape, np.uint8)
        for row, line in zip(pixels.view(f"u{pixels.dtype.itemsize}"), stretched, strict=True):
            np.take(self._table, row, mode="clip", out=line)  # row by row: indices are widened to 8 bytes
        return stretched

    def _alike(self, pixels: Pixels) -> NDArray[np.uint8]:
        return to_uint8(pixels, valid_mask(pixels, self._info.nodata), self._limits)


class _Way(ABC):
    """Arithmetic of a stretch that follows the level; its buffer of a few rows stays in the cache."""

    def __init__(self, limits: StretchLimits, levels: SeaLevels, dtype: np.dtype[Any], shape: tuple[int, int]) -> None:
        """Take limits and levels, and the type and largest shape of the pixels."""
        self._domain, self._gain = limits.domain, (_HIGHEST - 1) / (limits.high - limits.low)
        self._first = 1.5 - limits.low * self._gain
        """Grey of the lowest value, and the half by which cutting off decimals rounds."""
        self._prepare(levels, dtype, shape)

    @abstractmethod
    def _prepare(self, levels: SeaLevels, dtype: np.dtype[Any], shape: tuple[int, int]) -> None: ...

    @abstractmethod
    def steps(self, levels_db: NDArray[np.float64]) -> NDArray[Any]:
        """Factor or difference for each of N levels."""

    @abstractmethod
    def apply(self, pixels: Pixels, steps: NDArray[Any], out: NDArray[np.uint8]) -> None:
        """Stretch rows of pixels (h, W) by the steps (W,) of their columns into `out`; NaN becomes any value."""


class _Integers(_Way):
    """Stretch of amplitudes in integers of up to 16 bits, by fixed-point factors: as quick as a table."""

    def _prepare(self, levels: SeaLevels, dtype: np.dtype[Any], shape: tuple[int, int]) -> None:
        largest = max(abs(bound) for bound in (np.iinfo(dtype).min, np.iinfo(dtype).max))
        steepest = self._gain * 10 ** (-levels.span()[0] / 20)
        self._shift = max(0, int(_FIXED_BITS - np.log2(max(largest * steepest, abs(self._first), _HIGHEST))))
        self._work = np.empty(shape, np.int32)

    def steps(self, levels_db: NDArray[np.float64]) -> NDArray[Any]:
        return np.rint(self._gain * 10 ** (-levels_db / 20) * (1 << self._shift)).astype(np.int32)

    def apply(self, pixels: Pixels, steps: NDArray[Any], out: NDArray[np.uint8]) -> None:
        values = self._work[: len(pixels)]
        np.copyto(values, pixels)
        values *= steps
        values += round(self._first * (1 << self._shift))
        values >>= self._shift
        np.clip(values, np.int32(1), np.int32(_HIGHEST), out=values)
        out[...] = values


class _Floats(_Way):
    """Stretch of values of other types, and of decibels."""

    def _prepare(self, levels: SeaLevels, dtype: np.dtype[Any], shape: tuple[int, int]) -> None:
        del levels
        self._work = np.empty(shape, np.float32 if _is_short(dtype) or dtype == np.float32 else np.float64)

    def steps(self, levels_db: NDArray[np.float64]) -> NDArray[Any]:
        factors = levels_db if self._domain == "decibel" else self._gain * 10 ** (-levels_db / 20)
        return factors.astype(self._work.dtype)

    def apply(self, pixels: Pixels, steps: NDArray[Any], out: NDArray[np.uint8]) -> None:
        values = self._work[: len(pixels)]
        np.copyto(values, pixels)
        if self._domain == "decibel":
            values = in_domain(values, "decibel")
            values -= steps
            values *= self._gain
        else:
            values *= steps
        values += self._first
        one, top = (values.dtype.type(end) for end in (1, _HIGHEST))  # of one type: NumPy is three times faster
        np.clip(values, one, top, out=values)
        out[...] = values


def _is_short(dtype: np.dtype[Any]) -> bool:
    """True for integers of up to 16 bits."""
    return dtype.kind in "iu" and dtype.itemsize <= _TABLE_BYTES


def _runs(blocks: Places) -> Iterator[tuple[int, int, int]]:
    """Each block, and the first and last row (exclusive) that lie in it."""
    ends = [*(np.flatnonzero(np.diff(blocks)) + 1).tolist(), len(blocks)]
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        yield int(blocks[start]), start, end
