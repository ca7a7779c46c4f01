"""Stored pixels of an open file, window by window; pixels of a small file are decoded once and held in memory."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window as _GdalWindow

from refinedet.errors import FileError
from refinedet.raster.gdal import GDAL_ERRORS, environment
from refinedet.raster.ranged import GdalFile
from refinedet.tiling import Window

_HELD_BYTES = 1 << 24
"""Largest size in bytes of held pixels. Otherwise GDAL decodes a JPEG from its top for each window above the last."""


class Wanted(NamedTuple):
    """Bands to read, numbered from 1, and the masks that hide their pixels."""

    bands: tuple[int, ...]
    masked: bool
    """True: read the mask of the file."""
    alpha: int | None
    """Number of the alpha band; None: there is none."""


class StoredPixels:
    """Stored pixels of an open dataset of rasterio."""

    def __init__(self, dataset: Any, file: GdalFile) -> None:
        self._dataset, self._file = dataset, file
        self._held: tuple[Wanted, NDArray[Any], list[NDArray[Any]]] | None = None

    def held(self, wanted: Wanted) -> bool:
        """True if all wanted pixels are in memory, so that `read` works after the file is closed, too."""
        return self._held is not None and self._held[0] == wanted

    def read(self, window: Window, wanted: Wanted) -> tuple[NDArray[Any], list[NDArray[Any]]]:
        """Pixels (n, h, w) of n bands, and masks (h, w), 0 where a pixel is hidden; the caller may change them.

        Raises:
            FileError: the pixels cannot be read.
        """
        file = self._dataset
        size = np.dtype(file.dtypes[wanted.bands[0] - 1].replace("complex_int16", "complex64")).itemsize
        if file.height * file.width * len(wanted.bands) * size > _HELD_BYTES:
            return self._decode(window, wanted)
        if self._held is None or self._held[0] != wanted:
            self._held = (wanted, *self._decode(Window(0, 0, file.height, file.width), wanted))
        _, pixels, masks = self._held
        rows, columns = slice(window.y, window.y + window.height), slice(window.x, window.x + window.width)
        return pixels[:, rows, columns].copy(), [mask[rows, columns].copy() for mask in masks]

    def _decode(self, window: Window, wanted: Wanted) -> tuple[NDArray[Any], list[NDArray[Any]]]:
        place = _GdalWindow(window.x, window.y, window.width, window.height)
        try:
            with environment():
                pixels = self._dataset.read(list(wanted.bands), window=place)
                masks = [self._dataset.read_masks(wanted.bands[0], window=place)] if wanted.masked else []
                if wanted.alpha is not None:
                    masks.append(self._dataset.read(wanted.alpha, window=place))
                self._file.check()
                return pixels, masks
        except GDAL_ERRORS as error:
            self._file.check()
            raise FileError(
                f"expected to read pixels of {self._file.path}, but GDAL cannot; the file looks damaged or cut off, "
                "so fetch or copy it again"
            ) from error
