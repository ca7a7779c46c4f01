"""Scenes on disk, read window by window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import ColorInterp

from refinedet.config import ValueKind
from refinedet.errors import FileError, InputError
from refinedet.radiometry import valid_mask
from refinedet.raster.base import MAX_SAMPLE_PX, RasterReader
from refinedet.raster.checks.formats import driver_at
from refinedet.raster.checks.tiff import Page, check_pixels
from refinedet.raster.decoding.areas import CELL_PX, around, in_areas, opened
from refinedet.raster.decoding.holes import Holes
from refinedet.raster.decoding.lines import Lines
from refinedet.raster.decoding.pixels import Decoder, decoder_of
from refinedet.raster.decoding.stated import Missing, StoredAs, measured
from refinedet.raster.decoding.stored import StoredPixels, Wanted
from refinedet.raster.gdal import (
    COMPLEX_TYPES,
    GDAL_ERRORS,
    REAL_TYPES,
    gdal,
)
from refinedet.raster.header import Band, bands_of, info_of
from refinedet.raster.ranged import GdalFile, RasterFile
from refinedet.raster.tie_points import located_by_tie_points
from refinedet.tiling import Window, moved

MAX_PIXELS = 4_000_000_000
"""Largest number of pixels of a scene by default, as in eight full Sentinel-1 products."""

_LEAST_AREA = 3


class SceneReader(RasterReader):
    """Open scene on disk. Use it within the `with` block of `open_scene`, from one thread at a time."""

    def __init__(self, dataset: Any, file: GdalFile, band: Band | None, pages: tuple[Page, ...] = ()) -> None:
        self._dataset, self._file = dataset, file
        self.path = path = file.path
        self.band_names = tuple(
            (text or "").strip() or ("alpha" if kind == ColorInterp.alpha else "")
            for text, kind in zip(dataset.descriptions, dataset.colorinterp, strict=True)
        )
        """Descriptions of all bands of the file: alpha for a band that hides pixels, empty text without description."""
        self.further_pages = pages
        """Further pictures in the file, which are not read; overviews and masks are not among them."""
        self.bands = bands_of(dataset, path, band)
        """Numbers of the bands that are read, from 1: the colours of a picture, or one band, or the parts of `iq`."""
        self.stored_as = StoredAs()
        """Meaning of the stored numbers where it differs from what the file says; see `store_as`."""
        self.lost: Lines | Holes | None = None
        """Lost lines or single pixels that are interpolated while reading; None: there are none."""
        self._stored_sample: NDArray[Any] | None = None
        self._pixels = StoredPixels(dataset, file)
        self._decoder = self._decoder_of("amplitude")
        self.info = info_of(dataset, self._decoder, path)

    def use(
        self,
        bands: Sequence[int],
        values: ValueKind = "amplitude",
        missing: Missing | None = None,
        slope: float = 1.0,
    ) -> None:
        """Read these bands from now on, numbered from 1, and convert their values of that kind to amplitudes.

        Three bands are the colours of a picture. With the kind `iq`, two bands are the real and the imaginary part.
        `missing` overrules the declaration of the file. Decibels are `slope` times the values.

        Raises:
            InputError: pixels are of a type that is not supported.
        """
        if self.bands != list(bands):
            self.bands, self._stored_sample = list(bands), None
        self._decoder = self._decoder_of(values, missing, slope)
        self.info = replace(self.info, dtype=self._decoder.dtype, nodata=self._decoder.nodata)

    def store_as(self, stored_as: StoredAs) -> None:
        """Read the stored numbers in this meaning from the next call of `use` on."""
        if (stored_as.dtype, stored_as.swapped) != (self.stored_as.dtype, self.stored_as.swapped):
            self._stored_sample = None
        self.stored_as = stored_as

    def use_steps(self, amplitudes: NDArray[np.float32]) -> None:
        """Read the grey steps 0 to 255 of an 8-bit picture as these amplitudes (256,) from now on: (h, w) float32.

        In a picture with three channels, only green is read.
        """
        self._decoder = self._decoder.with_steps(amplitudes)
        self.info = replace(self.info, dtype="float32", nodata=None if self.info.nodata is None else np.nan)

    @property
    def is_held(self) -> bool:
        """True if all pixels are in memory, so that `read` works after the file is closed, too."""
        return self._pixels.held(self._wanted) and self.correct is None

    @property
    def stored_dtype(self) -> str:
        """Type of the pixels in the file."""
        return self.stored_as.dtype or str(self._dataset.dtypes[self.bands[0] - 1])

    def _decoder_of(self, values: ValueKind, missing: Missing | None = None, slope: float = 1.0) -> Decoder:
        if self.stored_dtype not in (known := REAL_TYPES + COMPLEX_TYPES):
            found = f"found {self.stored_dtype}; convert them: gdal_translate -ot Float32 (complex ones: -ot CFloat32)"
            raise InputError(f"expected pixels of {', '.join(known)} in {self.path}, {found}")
        return decoder_of(self._dataset, self.bands, values, missing, slope, self.stored_as)

    @property
    def is_tiff(self) -> bool:
        """True if the file, or the picture in an archive, is a TIFF."""
        return bool(self._dataset.driver == "GTiff")

    def tags(self, band: int = 0) -> dict[str, str]:
        """Metadata of the file, or of one of its bands counted from 1, by the names that GDAL gives them."""
        with gdal():
            return {str(name): str(text) for name, text in self._dataset.tags(band).items()}

    def amplitude(self, value: float) -> float:
        """Amplitude of a value that the scene stores, as `read` would give it."""
        return self._decoder.amplitude(value)

    def units(self) -> tuple[str, ...]:
        """Units that the file states for the bands that are read."""
        return tuple(unit for band in self.bands if (unit := self._dataset.units[band - 1]))

    def rational_polynomials(self) -> dict[str, str]:
        """Rational polynomial coefficients (RPC) in the file, by the names that GDAL gives them; empty without any."""
        with gdal():
            return {str(name): str(text) for name, text in self._dataset.tags(ns="RPC").items()}

    @property
    def is_inverted(self) -> bool:
        """True if the greys of 8 bits are inverted."""
        return self._decoder.inverted

    @property
    def hides(self) -> bool:
        """True if a mask or an alpha band of the file hides pixels."""
        return self._decoder.masked or self._decoder.alpha is not None

    @property
    def declared(self) -> float | None:
        """Nodata value that the file declares for its stored values, if they can hold it."""
        return self._decoder.stored_nodata

    def stored_sample(self) -> NDArray[Any]:
        """Sample of the values as stored, (h, w) or (h, w, n) for n bands, on the grid of `sample`; read once.

        Raises:
            FileError: the pixels cannot be read.
        """
        if self._stored_sample is None:
            self._stored_sample = self._thinned(self._stored, MAX_SAMPLE_PX)
        return self._stored_sample

    def sample(self, max_px: int = MAX_SAMPLE_PX) -> NDArray[Any]:
        """Sample of the pixels, as in `Reader.sample`; areas of nodata are found within the pixels of the sample."""
        if max_px != MAX_SAMPLE_PX or self.hides or self.correct is not None:
            return super().sample(max_px)
        stored = self.stored_sample()
        bands = np.array(stored[None] if stored.ndim == 2 else np.moveaxis(stored, -1, 0))
        searched = self._decoder.searched
        if searched is None:
            return self._decoder.decode(bands, [])
        known = measured(bands, searched, partial(opened, side=self.area_side()))
        self._decoder.darken(bands, searched, known)
        return self._decoder.decode(bands, [known])

    def stored_blocks(self) -> list[NDArray[Any]]:
        """Blocks of the values as stored, at the places of `blocks`.

        Raises:
            FileError: the pixels cannot be read.
        """
        return [self._stored(window) for window in self._block_windows()]

    def area_side(self) -> int:
        """Side of an area in a sample, in pixels of the sample."""
        return max(_LEAST_AREA, -(-CELL_PX // min(self._steps(MAX_SAMPLE_PX))))

    def read(self, window: Window) -> NDArray[Any]:
        """Pixels of `window`, as `Reader.read` gives them."""
        self._check_inside(window)
        pixels = self._decoded(window) if self.lost is None else self._with_lost(window, self.lost)
        return self._corrected(pixels, window)

    def blocks(self) -> list[NDArray[Any]]:
        """Blocks as `Reader.blocks` gives them, but lost pixels stay missing: interpolated ones have no speckle."""
        return [self._corrected(self._decoded(window), window) for window in self._block_windows()]

    def _corrected(self, pixels: NDArray[Any], window: Window) -> NDArray[Any]:
        return pixels if self.correct is None or pixels.ndim == 3 else self.correct(pixels, window)

    def _decoded(self, window: Window) -> NDArray[Any]:
        if self._decoder.searched is None:
            return self._decoder.decode(*self._read(window))
        return self._read_searched(window, self._decoder.searched)

    def _with_lost(self, window: Window, lost: Lines | Holes) -> NDArray[Any]:
        """Pixels of `window` with lost pixels interpolated, from a wider window, so that no pixel depends on it."""
        wide = lost.around(window, self.info.height, self.info.width)
        pixels = self._decoded(wide)
        filled = lost.filled(pixels, valid_mask(pixels, self.info.nodata))
        own = moved(window, -wide.y, -wide.x)
        return filled[own.y : own.y + own.height, own.x : own.x + own.width]

    def _read_searched(self, window: Window, missing: Missing) -> NDArray[Any]:
        """Pixels of `window`; areas are found in a wider window, so that no pixel depends on the window."""
        wide = around(window, self.info.height, self.info.width) if missing.areas else window
        bands, masks = self._read(wide)
        known = measured(bands, missing, in_areas)
        own = moved(window, -wide.y, -wide.x)
        part = slice(own.y, own.y + own.height), slice(own.x, own.x + own.width)
        pixels = bands[:, *part].copy()
        self._decoder.darken(pixels, missing, known[part])
        return self._decoder.decode(pixels, [mask[part] for mask in (*masks, known)])

    def _stored(self, window: Window) -> NDArray[Any]:
        bands = self._read(window)[0]
        return bands[0] if len(bands) == 1 else np.moveaxis(bands, 0, -1)

    def _rows_at_once(self, step: int) -> int:
        stored: int = self._dataset.block_shapes[0][0]
        return 1 if stored < step else super()._rows_at_once(step)

    def _read(self, window: Window) -> tuple[NDArray[Any], list[NDArray[Any]]]:
        """Stored pixels of the bands, and the masks that hide them."""
        bands, masks = self._pixels.read(window, self._wanted)
        if self.stored_as.swapped:
            bands = bands.byteswap()
        return bands if self.stored_as.dtype is None else bands.view(self.stored_as.dtype), masks

    @property
    def _wanted(self) -> Wanted:
        return Wanted(tuple(self.bands), self._decoder.masked, self._decoder.alpha)


@contextmanager
def open_scene(
    path: str | RasterFile, *, band: Band | None = None, member: str | None = None, max_pixels: int = MAX_PIXELS
) -> Iterator[SceneReader]:
    """Open a GeoTIFF, PNG or JPEG for reading.

    Args:
        path: a local file, or a file that is read by ranges.
        band: band that `SceneReader.read` gives; None: the first band, or all three bands of 8-bit RGB.
        member: name of the picture inside the zip archive at `path`.
        max_pixels: largest number of pixels of a scene; a larger scene is refused before pixels are read.

    Raises:
        FileError: there is no such file, it is a folder, or it is not a picture of these formats.
        InputError: the pixel type is not supported, there are too many pixels, or there is no such band.
    """
    path = Path(path) if isinstance(path, str) else path
    driver, pages = driver_at(path, member, max_pixels)
    file = GdalFile(path, member)
    with ExitStack() as stack:
        try:
            with gdal():
                dataset = stack.enter_context(file.open(driver))
                check_pixels(path, dataset.width, dataset.height, max_pixels)
                reader = SceneReader(dataset, file, band, pages)
                if member is None and reader.is_tiff:
                    reader.info = located_by_tie_points(reader.info, path, is_point=_counts_centres(dataset))
                file.check()
        except GDAL_ERRORS as error:
            file.check()
            raise FileError(
                f"expected to open {path} as {driver}, but GDAL cannot; the file looks damaged or cut off, "
                "so fetch or copy it again"
            ) from error
        yield reader


def _counts_centres(dataset: Any) -> bool:
    """True if places belong to centres of pixels ("pixel is point"), as the GeoTIFF says."""
    return str(dataset.tags().get("AREA_OR_POINT", "")) == "Point"
