"""Blocks of a scene: windows that lie close together are read at once, so that no pixel is decoded for each of them.

The memory used grows neither with the scene nor with the number of windows, and no pixel depends on the block through
which it is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import reduce
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from refinedet.radiometry import valid_mask
from refinedet.raster import Reader
from refinedet.scene.ships.measuring.resolution import Grey, Mask
from refinedet.system.concurrency import prefetch
from refinedet.tiling import Window

Span = tuple[slice, slice]
"""Rows and columns of an array."""

BLOCK_PX = 512
"""Windows that begin in one square of this side are read together."""
_READ_PX = 1 << 14
"""Pixels that are decoded in the time that a call of the reader takes besides."""
_READ_AHEAD = 2
"""Blocks that another thread reads in advance."""


@dataclass(frozen=True, slots=True)
class Block:
    """Pixels of a rectangle of a scene."""

    window: Window
    """The rectangle."""
    power: Grey
    """(H, W) intensity; 0 where nothing was measured."""
    valid: Mask
    """(H, W) false where nothing was measured."""

    def span(self, window: Window) -> Span:
        """Rows and columns of a window in the block."""
        down, right = window.y - self.window.y, window.x - self.window.x
        return slice(down, down + window.height), slice(right, right + window.width)


def read_blocks(reader: Reader, windows: Sequence[Window]) -> Iterator[tuple[Block, list[int]]]:
    """Yield blocks from top to bottom, each with the indices of the windows in it; each window is in one block.

    Windows far from all others are blocks of their own. Another thread reads the next blocks meanwhile.

    Raises:
        FileError: pixels cannot be read.
    """
    plan = list(_planned(windows))
    read = ((_read(reader, window), members) for window, members in plan)
    if len(plan) < 2:
        yield from read
        return
    with closing(prefetch(read, _READ_AHEAD)) as blocks:
        yield from blocks


def _planned(windows: Sequence[Window]) -> Iterator[tuple[Window, list[int]]]:
    """Yield what is read at a time, and the indices of the windows in it."""

    def square(index: int) -> tuple[int, int]:
        return windows[index].y // BLOCK_PX, windows[index].x // BLOCK_PX

    order = sorted(range(len(windows)), key=lambda index: (square(index), windows[index], index))
    for _, members in groupby(order, key=square):
        together = list(members)
        whole = _around([windows[index] for index in together])
        if _pixels(whole) <= sum(_READ_PX + _pixels(windows[index]) for index in together):
            yield whole, together
        else:
            yield from ((windows[index], [index]) for index in together)


def to_intensity(pixels: NDArray[np.generic]) -> Grey:
    """Power (H, W): the square of amplitudes (H, W), or of the mean of (H, W, 3)."""
    values = pixels.astype(np.float64)
    if values.ndim == 3:
        values = reduce(np.add, np.moveaxis(values, 2, 0)) / values.shape[2]
    return np.asarray(values**2)


def _read(reader: Reader, window: Window) -> Block:
    pixels = reader.read(window)
    valid = valid_mask(pixels, reader.info.nodata)
    return Block(window, np.where(valid, to_intensity(pixels), 0.0), valid)


def _pixels(window: Window) -> int:
    return window.height * window.width


def _around(windows: Sequence[Window]) -> Window:
    """Smallest window that holds all of these."""
    y, x = min(window.y for window in windows), min(window.x for window in windows)
    bottom, right = (max(w.y + w.height for w in windows), max(w.x + w.width for w in windows))
    return Window(y, x, bottom - y, right - x)
