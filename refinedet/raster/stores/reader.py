"""Reader of one picture of a Zarr store: builds windows from chunks, and keeps the last chunks."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.errors import FileError, InputError
from refinedet.raster.base import RasterReader
from refinedet.raster.checks.tiff import MAX_BLOCK_BYTES, check_pixels
from refinedet.raster.info import RasterInfo
from refinedet.raster.stores.arrays import ArrayInfo
from refinedet.raster.stores.chunks import Chunks
from refinedet.raster.stores.files import StoreFiles
from refinedet.tiling import Window

TYPES = ("uint8", "uint16", "float32")
"""Supported pixel types."""

_KEPT_BYTES = 3 * MAX_BLOCK_BYTES
"""Largest size in bytes of kept chunks, decoded."""
_KEPT_ROWS = 2
"""Number of kept rows of chunks: a window may lie on two."""


class StoreReader(RasterReader):
    """Picture of an open store, (rows, columns) or one plane of (planes, rows, columns); 0 is nodata."""

    def __init__(self, files: StoreFiles, array: ArrayInfo, plane: int | None, max_pixels: int) -> None:
        """Check the picture.

        Raises:
            InputError: it has too many pixels, or an unsupported pixel type.
            FileError: none of its chunks is stored.
        """
        self.path = files.file
        planes = array.shape[:-2]
        if len(array.shape) < 2 or len(planes) != (plane is not None) or (plane or 0) >= (planes or (1,))[0]:
            raise InputError(f"expected rows and columns at {array.name} of {files.path}, found {array.shape}")
        if array.dtype.name not in TYPES:
            raise InputError(
                f"expected pixels of {' or '.join(TYPES)} at {array.name} of {files.path}, found {array.dtype.name}"
            )
        height, width = array.shape[-2:]
        check_pixels(files.path, width, height, max_pixels)
        self.info = RasterInfo(width, height, 1, array.dtype.name, nodata=0.0)
        self._chunks, self._plane = Chunks(files, array), plane
        self._high, self._wide = array.chunks[-2:]
        self._kept: OrderedDict[tuple[int, int], NDArray[Any]] = OrderedDict()
        self._most = min(_KEPT_BYTES, _KEPT_ROWS * array.grid[-1] * array.chunk_bytes)
        self._tell_missing(array)

    def read(self, window: Window) -> NDArray[Any]:
        """Pixels of `window`, as `Reader.read` gives them."""
        self._check_inside(window)
        pixels = np.empty((window.height, window.width), self._chunks.info.dtype.newbyteorder("="))
        bottom, right = window.y + window.height, window.x + window.width
        for row in range(window.y // self._high, -(-bottom // self._high)):
            for column in range(window.x // self._wide, -(-right // self._wide)):
                chunk, top, left = self._chunk(row, column), row * self._high, column * self._wide
                y1, y2 = max(top, window.y), min(top + chunk.shape[0], bottom)
                x1, x2 = max(left, window.x), min(left + chunk.shape[1], right)
                part = chunk[y1 - top : y2 - top, x1 - left : x2 - left]
                pixels[y1 - window.y : y2 - window.y, x1 - window.x : x2 - window.x] = part
        return pixels if self.correct is None else self.correct(pixels, window)

    def _chunk(self, row: int, column: int) -> NDArray[Any]:
        if (row, column) in self._kept:
            self._kept.move_to_end((row, column))
            return self._kept[row, column]
        found = self._chunks.read(self._place(row, column))
        if self._plane is not None:
            one = found[self._plane % self._chunks.info.chunks[0]]
            found = one if len(found) == 1 else one.copy()
        self._kept[row, column] = found
        while len(self._kept) > 1 and sum(one.nbytes for one in self._kept.values()) > self._most:
            self._kept.popitem(last=False)
        return found

    def _place(self, row: int, column: int) -> tuple[int, ...]:
        if self._plane is None:
            return row, column
        return self._plane // self._chunks.info.chunks[0], row, column

    def _tell_missing(self, array: ArrayInfo) -> None:
        """Report how many chunks are not stored; a writer omits chunks that hold only the fill value."""
        places = [self._place(row, column) for row in range(array.grid[-2]) for column in range(array.grid[-1])]
        missing = sum(not self._chunks.holds(place) for place in places)
        if missing == len(places) or (missing and array.fill > 0):
            raise FileError(
                f"expected the {len(places)} chunks of {array.name} in {self._chunks.files.path}, found "
                f"{len(places) - missing}; the store is not whole, fetch it again"
            )
        if missing:
            self.tell(
                f"{missing} of the {len(places)} chunks of pixels are not in the store: by its format they hold the "
                "fill value, so nothing is measured there",
                missing_chunks=missing,
            )
