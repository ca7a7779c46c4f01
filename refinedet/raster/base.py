"""Reader of a scene: the interface of all sources of pixels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.errors import InputError
from refinedet.raster.info import RasterInfo
from refinedet.raster.ranged import RasterFile
from refinedet.tiling import Window

MAX_SAMPLE_PX = 2048
"""Long side of a sample, in pixels."""
_SAMPLE_ROWS = 256
_SAMPLE_LEAST = 64
_BLOCK_PX = 64
_BLOCKS = 8
_SAMPLE_PX = 1 << 24
"""Largest number of pixels that are read at a time for a sample."""


class Reader(ABC):
    """Scene that is read window by window, from one thread at a time."""

    info: RasterInfo
    label: str | None = None
    """Name of the part of the scene that is read, such as a polarisation or a band; None: the whole scene."""
    notes: tuple[str, ...] = ()
    """Sentences for the user on guesses and omissions in reading this scene."""
    read_as: Mapping[str, Any] = MappingProxyType({})
    """Decisions on how the scene is read, by name (values, bands, nodata, ...), ready for JSON: for the run record."""

    has_told_size: bool = False
    """True if a note says how pixels of unknown size are taken."""

    def tell(self, *notes: str, **read_as: Any) -> None:
        """Add sentences to `notes` and decisions to `read_as`."""
        self.notes = (*self.notes, *notes)
        self.read_as = {**self.read_as, **read_as}

    @abstractmethod
    def read(self, window: Window) -> NDArray[Any]:
        """Pixels of `window`: (h, w) for one band, or (h, w, 3) if the file is 8-bit RGB or has a palette.

        Pixels that are hidden by a mask or an alpha band of the file have the value `info.nodata`.

        Raises:
            InputError: the window reaches beyond the scene.
            FileError: the pixels cannot be read; the file is damaged or truncated.
        """

    def amplitude(self, value: float) -> float:
        """Amplitude of a value that the scene stores, as `read` would give it."""
        return value

    def read_whole(self) -> NDArray[Any]:
        """All pixels, as `read` gives them. Meant for chips, not for large scenes.

        Raises:
            FileError: the pixels cannot be read.
        """
        return self.read(Window(0, 0, self.info.height, self.info.width))

    def sample(self, max_px: int = MAX_SAMPLE_PX) -> NDArray[Any]:
        """Sample of every n-th pixel of every n-th row; n is the smallest that keeps the long side within `max_px`.

        A short side keeps at least 64 pixels, or all its pixels. Pixels are picked, not averaged, and never come from
        overviews, so their statistics are those of the scene. Memory use does not grow with the scene.

        Raises:
            InputError: `max_px` is below 1.
            FileError: the pixels cannot be read.
        """
        return self._thinned(self.read, max_px)

    def _thinned(self, read: Callable[[Window], NDArray[Any]], max_px: int) -> NDArray[Any]:
        """Sample as in `sample`, of the pixels (h, w) or (h, w, n) that `read` gives for a window."""
        if max_px < 1:
            raise InputError(f"expected max_px of at least 1, found {max_px}")
        height, width = self.info.height, self.info.width
        step, across = self._steps(max_px)
        rows = self._rows_at_once(step)
        columns = max(1, _SAMPLE_PX // (rows * across)) * across
        parts = []
        for y in range(0, height, max(rows, step)):
            high = min(rows, height - y)
            pieces = [Window(y, x, high, min(columns, width - x)) for x in range(0, width, columns)]
            parts.append(np.concatenate([read(piece)[::step, ::across] for piece in pieces], axis=1))
        return np.concatenate(parts)

    def blocks(self) -> list[NDArray[Any]]:
        """Blocks of up to 64 x 64 neighbouring pixels at up to 8 x 8 evenly spaced places, from top to bottom."""
        return [self.read(window) for window in self._block_windows()]

    def _block_windows(self) -> list[Window]:
        tops, lefts = (_starts(side) for side in (self.info.height, self.info.width))
        high, wide = (min(_BLOCK_PX, side) for side in (self.info.height, self.info.width))
        return [Window(y, x, high, wide) for y in tops for x in lefts]

    def _steps(self, max_px: int) -> tuple[int, int]:
        """Distance between the rows, and between the columns, of a sample."""
        height, width = self.info.height, self.info.width
        thin = -(-max(width, height) // max_px)
        down, across = (max(1, min(thin, side // min(_SAMPLE_LEAST, max_px))) for side in (height, width))
        return down, across

    def _rows_at_once(self, step: int) -> int:
        """Rows to read at a time for a sample of every `step`-th row: a multiple of it, or 1 to skip the others."""
        return max(1, _SAMPLE_ROWS // step) * step

    def _check_inside(self, window: Window) -> None:
        inside = window.y + window.height <= self.info.height and window.x + window.width <= self.info.width
        if min(window.x, window.y) < 0 or min(window.width, window.height) < 1 or not inside:
            raise InputError(f"expected a window within {self.info.width} x {self.info.height} pixels, found {window}")


class RasterReader(Reader):
    """Scene that is read from a file or a store on disk."""

    path: RasterFile
    """File, or folder of the store."""
    correct: Callable[[NDArray[Any], Window], NDArray[Any]] | None = None
    """Function that `read` applies to the pixels of a window of one band: a calibration or a mask; None: none."""
    unsearched: str | None = None
    """Polarisation of the scene that could be searched besides; None: there is none, or the user chose one."""

    @property
    def is_tiff(self) -> bool:
        """True if the file, or the picture in an archive, is a TIFF."""
        return False

    def tags(self, band: int = 0) -> dict[str, str]:
        """Metadata by name of the file (`band` 0), or of one of its bands counted from 1; empty if there are none."""
        del band
        return {}


def _starts(side: int) -> list[int]:
    """First pixels of evenly spaced blocks along a side, as many as fit without overlap."""
    count = min(_BLOCKS, max(1, side // _BLOCK_PX))
    step = side / count
    return [max(0, int((k + 0.5) * step) - min(_BLOCK_PX, side) // 2) for k in range(count)]
