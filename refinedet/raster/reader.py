"""Scenes on disk, read window by window."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp
from rasterio.errors import RasterioError
from rasterio.windows import Window as _GdalWindow

from refinedet.errors import FileError, InputError
from refinedet.raster.gdal import COMPLEX_TYPES, IDENTITY, MAGIC_BYTES, REAL_TYPES, driver_of, environment, gdal
from refinedet.raster.info import GroundControlPoint, RasterInfo
from refinedet.tiling import Window

MAX_PIXELS = 4_000_000_000
"""Pixels of the largest scene that is opened unless asked: eight full Sentinel-1 products."""

Band = int | str
"""A band of a file: its number from 1, or its description, such as a polarisation; case does not matter."""

_SAMPLE_ROWS = 256


class SceneReader:
    """An open scene. Use it within the `with` of `open_scene`, from one thread at a time."""

    def __init__(self, dataset: Any, path: Path, band: Band | None) -> None:
        self._dataset = dataset
        self._path = path
        self._bands = _bands(dataset, path, band)
        self._palette = _palette(dataset, self._bands[0])
        self.info = _info(dataset, path, self._bands[0])
        self.label: str | None = None
        """What of the scene is read, in a word for people: a polarisation, a band; None: all there is."""
        self.correct: Callable[[NDArray[Any], Window], NDArray[Any]] | None = None
        """What `read` does to the pixels of a window of one band: a calibration, a mask; None: nothing."""

    def read(self, window: Window) -> NDArray[Any]:
        """Pixels of `window`: (h, w) of one band, or (h, w, 3) where the file is 8-bit RGB or has a palette.

        Raises:
            InputError: the window reaches beyond the scene.
            FileError: the pixels cannot be read; the file is damaged or truncated.
        """
        inside = window.y + window.height <= self.info.height and window.x + window.width <= self.info.width
        if min(window.x, window.y) < 0 or min(window.width, window.height) < 1 or not inside:
            raise InputError(f"expected a window within {self.info.width} x {self.info.height} pixels, found {window}")
        pixels = self._read(window)
        if np.iscomplexobj(pixels):
            pixels = np.abs(pixels).astype(np.float32)
        if self._palette is not None:
            return np.asarray(self._palette[pixels[0]])
        if len(pixels) == 3:
            return np.ascontiguousarray(np.moveaxis(pixels, 0, -1))
        return pixels[0] if self.correct is None else self.correct(pixels[0], window)

    def sample(self, max_px: int = 2048) -> NDArray[Any]:
        """Every n-th pixel of every n-th row, n the smallest that keeps the long side within `max_px`.

        Pixels are picked, not averaged, and never taken from overviews: their statistics are those of the scene. The
        memory used does not grow with the scene's height.

        Raises:
            InputError: `max_px` is below 1.
            FileError: the pixels cannot be read.
        """
        if max_px < 1:
            raise InputError(f"expected max_px of at least 1, found {max_px}")
        step = -(-max(self.info.width, self.info.height) // max_px)
        band = max(1, _SAMPLE_ROWS // step) * step
        parts = []
        for y in range(0, self.info.height, band):
            window = Window(y, 0, min(band, self.info.height - y), self.info.width)
            parts.append(self.read(window)[::step, ::step].copy())
        return np.concatenate(parts)

    def _read(self, window: Window) -> NDArray[Any]:
        place = _GdalWindow(window.x, window.y, window.width, window.height)
        try:
            with environment():
                pixels: NDArray[Any] = self._dataset.read(self._bands, window=place)
                return pixels
        except RasterioError as error:
            raise FileError(
                f"expected to read pixels of {self._path}, but GDAL cannot; the file looks damaged or cut off, "
                "so fetch or copy it again"
            ) from error


@contextmanager
def open_scene(
    path: str | Path, *, band: Band | None = None, member: str | None = None, max_pixels: int = MAX_PIXELS
) -> Iterator[SceneReader]:
    """Open a local GeoTIFF, PNG or JPEG for reading.

    Args:
        path: the file.
        band: what `SceneReader.read` gives; None: the first band, or all three of 8-bit RGB.
        member: name of the picture inside the zip archive at `path`.
        max_pixels: a scene of more is refused before anything is read.

    Raises:
        FileError: there is no such file, it is a folder, or it is not a picture of these formats.
        InputError: its pixels are of a type that is not supported, too many, or it has no such band.
    """
    path = Path(path)
    driver = _driver(path, member)
    name = path.absolute() if member is None else f"/vsizip/{{{path.absolute()}}}/{member}"
    try:
        with gdal():
            dataset = rasterio.open(name, driver=driver)
    except RasterioError as error:
        raise FileError(
            f"expected to open {path} as {driver}, but GDAL cannot; the file looks damaged or cut off, "
            "so fetch or copy it again"
        ) from error
    with dataset:
        if dataset.width * dataset.height > max_pixels:
            raise InputError(
                f"expected at most {max_pixels:,} pixels in {path}, found {dataset.width} x {dataset.height}; "
                "cut the scene, or raise --max-pixels if it is right"
            )
        yield SceneReader(dataset, path, band)


def _driver(path: Path, member: str | None) -> str:
    wanted = f"expected a GeoTIFF, PNG or JPEG file at {path}"
    if path.is_dir():
        raise FileError(f"{wanted}, found a folder; name a file in it")
    try:
        if member is None:
            with path.open("rb") as stream:
                head = stream.read(MAGIC_BYTES)
        else:
            with ZipFile(path) as archive, archive.open(member) as packed:
                head = packed.read(MAGIC_BYTES)
    except FileNotFoundError as error:
        raise FileError(f"{wanted}, found nothing there; check the name") from error
    except OSError as error:
        raise FileError(f"{wanted}, but it cannot be read ({error.strerror})") from error
    except (BadZipFile, EOFError, KeyError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise FileError(f"expected {member} in the archive {path}, but it cannot be read ({error})") from error
    driver = driver_of(head)
    if driver is None:
        raise FileError(f"{wanted}, found a file of another kind; convert it to one of these formats")
    return driver


def _info(dataset: Any, path: Path, band: int) -> RasterInfo:
    stored = dataset.dtypes[band - 1]
    if stored not in REAL_TYPES + COMPLEX_TYPES:
        raise InputError(f"expected pixels of one of {REAL_TYPES + COMPLEX_TYPES} in {path}, found {stored}")
    with gdal():
        crs, matrix = dataset.crs, tuple(float(v) for v in dataset.transform[:6])
        points, points_crs = dataset.gcps
    without = crs is None and matrix == IDENTITY
    return RasterInfo(
        width=dataset.width,
        height=dataset.height,
        count=dataset.count,
        dtype="float32" if stored in COMPLEX_TYPES else stored,
        nodata=dataset.nodatavals[band - 1],
        crs=crs.to_wkt() if crs else None,
        transform=None if without or points else matrix,  # type: ignore[arg-type]  # six by the slice above
        gcps=tuple(GroundControlPoint(p.col, p.row, p.x, p.y, p.z or 0.0) for p in points),
        gcp_crs=points_crs.to_wkt() if points_crs else None,
    )


def _bands(dataset: Any, path: Path, band: Band | None) -> list[int]:
    if band is None:
        rgb = dataset.count in (3, 4) and all(dtype == "uint8" for dtype in dataset.dtypes)
        return [1, 2, 3] if rgb else [1]
    names = [(text or "").strip().lower() for text in dataset.descriptions]
    wanted = str(band).strip().lower()
    number = int(wanted) if wanted.isdecimal() else names.index(wanted) + 1 if wanted in names else 0
    if not 1 <= number <= dataset.count:
        known = ", ".join(filter(None, names)) or "without names"
        raise InputError(f"expected band {band!r} in {path}, found {dataset.count} bands ({known}); name another one")
    return [number]


def _palette(dataset: Any, band: int) -> NDArray[np.uint8] | None:
    if dataset.colorinterp[band - 1] != ColorInterp.palette or dataset.dtypes[band - 1] != "uint8":
        return None
    colours = np.zeros((256, 3), np.uint8)
    for index, colour in dataset.colormap(band).items():
        colours[index] = colour[:3]
    return colours
