"""Stretch of a scene to 8 bits by the level of its sea, the same for training and detection. Pure NumPy.

`stretch_limits.py` measures limits and levels once per scene. They then decide each pixel by its value and its place
alone, so a window never depends on its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from refinedet.config import Radiometry
from refinedet.radiometry import (
    Mask,
    Pixels,
    StretchLimits,
    in_domain,
    nodata_value,
    to_uint8,
    valid_mask,
)
from refinedet.raster.info import RasterInfo
from refinedet.sea_level import SeaLevels
from refinedet.stretch_limits import scene_limits
from refinedet.tiling import Window

Places = NDArray[np.int64]
"""(N,) rows or columns of a scene, ascending."""

_BLOCK_PX = 32
"""Side of the blocks of pixels with one level."""
_TABLE_BYTES = 2
"""Width of the widest integers that are stretched by a table: 65,536 values."""
_PART_PX = 1 << 20
"""Number of values that are computed at once, in float64."""
_CHUNK_PX = 1 << 16
"""Number of values that are computed at once by levels: they stay in the cache of the processor."""
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
        self._nodata, self._limits = info.nodata, limits
        self._steps = _Steps(info, limits, limits.levels) if limits and limits.levels else None
        self._table: NDArray[np.uint8] | None = None
        dtype = np.dtype(info.dtype)
        if self._steps is None and _is_short(dtype):
            every = np.arange(1 << (8 * dtype.itemsize)).astype(f"u{dtype.itemsize}").view(dtype)
            self._table = self._alike(every[:, None])[:, 0]

    def __call__(self, pixels: Pixels, window: Window) -> NDArray[np.uint8]:
        """Return the pixels of a window in 8 bits, of the same shape; 0 where nothing was measured.

        Fewer pixels than the window has are spread evenly over it: a thinned picture.
        """
        if self._steps is None or pixels.ndim == 3:
            return self._without_levels(pixels)
        high, wide = pixels.shape
        blocks = (window.y + np.arange(high) * window.height // high) // _BLOCK_PX
        columns = (window.x + np.arange(wide) * window.width // wide) // _BLOCK_PX
        stretched = np.empty(pixels.shape, np.uint8)
        work = _Work.like(pixels, max(1, _CHUNK_PX // wide))
        with np.errstate(over="ignore", invalid="ignore"):  # of values that are not valid, or beyond the limits
            for block, rows in _runs(blocks):
                steps = np.take(self._steps.of(block).astype(work.floats.dtype), columns, mode="clip")
                for first in range(rows.start, rows.stop, len(work.floats)):
                    part = slice(first, min(first + len(work.floats), rows.stop))
                    self._steps.apply(pixels[part], steps, work, stretched[part])
                    work.hide(pixels[part], self._nodata, stretched[part])
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
        return to_uint8(pixels, valid_mask(pixels, self._nodata), self._limits)


class _Work(NamedTuple):
    """Memory of a few rows that is used again and again, so that it stays in the cache of the processor."""

    floats: NDArray[Any]
    """(h, W) float32 for integers of up to 16 bits, which it holds exactly, and for itself; else float64."""
    integers: NDArray[np.int32] | None
    valid: Mask

    @classmethod
    def like(cls, pixels: Pixels, rows: int) -> Self:
        shape, short = (min(rows, len(pixels)), pixels.shape[1]), _is_short(pixels.dtype)
        floats = np.empty(shape, np.float32 if short or pixels.dtype == np.float32 else np.float64)
        return cls(floats, np.empty(shape, np.int32) if short else None, np.empty(shape, np.bool_))

    def load(self, pixels: Pixels) -> NDArray[Any]:
        """Copy pixels into `floats`; by way of 32 bits, because NumPy takes 16 to floats slowly."""
        values = self.floats[: len(pixels)]
        if self.integers is not None:
            integers = self.integers[: len(pixels)]
            np.copyto(integers, pixels)
            pixels = integers
        np.copyto(values, pixels)
        return values

    def hide(self, pixels: Pixels, nodata: float | None, out: NDArray[np.uint8]) -> None:
        """Set what was not measured to 0 in `out`."""
        value = nodata_value(pixels.dtype, nodata)
        if pixels.dtype.kind == "f":
            out *= valid_mask(pixels, nodata)
        elif value is not None:
            valid = np.not_equal(pixels, int(value), out=self.valid[: len(pixels)])
            np.multiply(out, valid.view(np.uint8), out=out)


class _Steps:
    """Arithmetic of a stretch that follows the level: a factor for each block, or in decibels a difference."""

    def __init__(self, info: RasterInfo, limits: StretchLimits, levels: SeaLevels) -> None:
        self._limits, self._levels = limits, levels
        self._gain = (_HIGHEST - 1) / (limits.high - limits.low)
        self._first = 1.5 - limits.low * self._gain
        """Grey at an amplitude of 0, and the half by which cutting off decimals rounds."""
        self._height = info.height
        self._x = np.asarray((np.arange(-(-info.width // _BLOCK_PX)) + 0.5) * (_BLOCK_PX / info.width), np.float64)

    def of(self, block: int) -> NDArray[np.float64]:
        """Factor or difference of each block in one row of blocks, left to right."""
        levels_db = self._levels.line((block + 0.5) * (_BLOCK_PX / self._height), self._x)
        return levels_db if self._limits.domain == "decibel" else self._gain * 10 ** (-levels_db / 20)

    def apply(self, pixels: Pixels, steps: NDArray[Any], work: _Work, out: NDArray[np.uint8]) -> None:
        """Stretch rows of pixels (h, W) by the steps (W,) of their block; NaN becomes any value."""
        values = work.load(pixels)
        if self._limits.domain == "decibel":
            values = in_domain(values, "decibel")
            values -= steps
            values *= self._gain
        else:
            values *= steps
        values += self._first
        one, top = (values.dtype.type(end) for end in (1, _HIGHEST))  # of its type, or NumPy is slow again
        np.clip(values, one, top, out=values)
        out[...] = values


def _is_short(dtype: np.dtype[Any]) -> bool:
    """True for integers of up to 16 bits."""
    return dtype.kind in "iu" and dtype.itemsize <= _TABLE_BYTES


def _runs(blocks: Places) -> Iterator[tuple[int, slice]]:
    """Each block and the rows that lie in it, first to last."""
    ends = [*(np.flatnonzero(np.diff(blocks)) + 1).tolist(), len(blocks)]
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        yield int(blocks[start]), slice(start, end)
