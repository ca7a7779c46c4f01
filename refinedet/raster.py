"""Scenes on disk: metadata, windowed reads, writes. The only place that calls rasterio.

GDAL is kept on a short leash: four file formats, local files, no side files, a small block cache, and its messages
arrive as exceptions instead of on stderr.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.control import GroundControlPoint as _GdalPoint
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.errors import CRSError, NotGeoreferencedWarning, RasterioError
from rasterio.transform import Affine
from rasterio.windows import Window as _GdalWindow

from refinedet.errors import FileError, InputError
from refinedet.files import atomic_path
from refinedet.tiling import Window

BLOCK_PX = 256
"""Side of the blocks of written scenes; windows aligned to it are written once."""

# The only GDAL drivers that may open a file, by the first bytes of it: TIFF, BigTIFF (both also as COG), PNG, JPEG.
# VRT and MRF above all stay out: they can read, and MRF can write, other files.
_DRIVERS = {
    b"II*\0": "GTiff",
    b"MM\0*": "GTiff",
    b"II+\0": "GTiff",
    b"MM\0+": "GTiff",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
}
_CACHE_MB = 64
_READABLE = ("uint8", "uint16", "int16", "uint32", "int32", "float32", "float64")
_COMPLEX = ("complex_int16", "complex64", "complex128")
_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class GroundControlPoint:
    """A tie between a pixel and a place, exactly as GDAL gives it.

    Sentinel-1's `pixel` and `line` are zero-based indices of pixel *centres*; in the half-open convention of this
    project that centre is (pixel + 0.5, line + 0.5). Nothing is added here: scene/position.py does it, once.
    """

    pixel: float
    line: float
    x: float
    y: float
    z: float = 0.0


@dataclass(frozen=True, slots=True)
class RasterInfo:
    """What is known of a scene without reading its pixels."""

    width: int
    height: int
    count: int
    """Bands in the file; `SceneReader.read` uses the first, or three for 8-bit RGB."""
    dtype: str
    """NumPy type of the pixels that are read; complex files are read as float32 amplitude."""
    nodata: float | None = None
    crs: str | None = None
    """WKT of the reference system of `transform`."""
    transform: tuple[float, float, float, float, float, float] | None = None
    """(a, b, c, d, e, f): x = a*col + b*row + c, y = d*col + e*row + f at pixel corners; None without georeference."""
    gcps: tuple[GroundControlPoint, ...] = ()
    gcp_crs: str | None = None


class SceneReader:
    """An open scene. Use it within the `with` of `open_scene`, from one thread at a time."""

    def __init__(self, dataset: Any, path: Path) -> None:
        self._dataset = dataset
        self._path = path
        self._bands = _bands(dataset)
        self._palette = _palette(dataset)
        self.info = _info(dataset, path)

    def read(self, window: Window) -> NDArray[Any]:
        """Pixels of `window`: (h, w) of the first band, or (h, w, 3) where the file is 8-bit RGB or has a palette.

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
        return np.ascontiguousarray(np.moveaxis(pixels, 0, -1)) if len(pixels) == 3 else pixels[0]

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
        band = max(1, BLOCK_PX // step) * step
        parts = []
        for y in range(0, self.info.height, band):
            window = Window(y, 0, min(band, self.info.height - y), self.info.width)
            parts.append(self.read(window)[::step, ::step].copy())
        return np.concatenate(parts)

    def _read(self, window: Window) -> NDArray[Any]:
        place = _GdalWindow(window.x, window.y, window.width, window.height)
        try:
            with _gdal():
                pixels: NDArray[Any] = self._dataset.read(self._bands, window=place)
                return pixels
        except RasterioError as error:
            raise FileError(
                f"expected to read pixels of {self._path}, but GDAL cannot; the file looks damaged or cut off, "
                "so fetch or copy it again"
            ) from error


@contextmanager
def open_scene(path: str | Path) -> Iterator[SceneReader]:
    """Open a local GeoTIFF, PNG or JPEG for reading.

    Raises:
        FileError: there is no such file, it is a folder, or it is not a picture of these formats.
        InputError: its pixels are of a type that is not supported.
    """
    path = Path(path)
    driver = _driver(path)
    try:
        with _gdal():
            dataset = rasterio.open(path.absolute(), driver=driver)
    except RasterioError as error:
        raise FileError(
            f"expected to open {path} as {driver}, but GDAL cannot; the file looks damaged or cut off, "
            "so fetch or copy it again"
        ) from error
    with dataset:
        yield SceneReader(dataset, path)


def write_scene(
    path: str | Path,
    pixels: NDArray[Any],
    *,
    crs: str | None = None,
    transform: tuple[float, float, float, float, float, float] | None = None,
    nodata: float | None = None,
) -> None:
    """Write `pixels` (H, W) as a tiled, deflated GeoTIFF, atomically; equal input gives equal bytes.

    `crs` is WKT or "EPSG:n"; `transform` as in `RasterInfo`.

    Raises:
        InputError: the shape is not (H, W), or type or reference system are not supported.
    """
    if pixels.ndim != 2 or pixels.size == 0:
        raise InputError(f"expected pixels of shape (H, W), found {pixels.shape}")
    height, width = pixels.shape
    info = RasterInfo(width, height, 1, pixels.dtype.name, nodata, crs, transform)
    write_blocks(path, info, [(Window(0, 0, height, width), pixels)])


def write_blocks(path: str | Path, info: RasterInfo, blocks: Iterable[tuple[Window, NDArray[Any]]]) -> None:
    """Write a single-band scene described by `info` piece by piece, for scenes larger than memory.

    Windows should be whole multiples of BLOCK_PX (but at the right and lower edge), each written once: then a block is
    compressed once and the bytes depend on the pixels alone. Pixels never written are 0 or nodata.

    Raises:
        InputError: the type or the reference system of `info` is not supported.
    """
    if info.dtype not in _READABLE:
        raise InputError(f"expected pixels of one of {_READABLE}, found {info.dtype}")
    points = [_GdalPoint(p.line, p.pixel, p.x, p.y, p.z) for p in info.gcps]
    profile = {
        "driver": "GTiff",
        "width": info.width,
        "height": info.height,
        "count": 1,
        "dtype": info.dtype,
        "nodata": info.nodata,
        "tiled": True,
        "blockxsize": BLOCK_PX,
        "blockysize": BLOCK_PX,
        "compress": "deflate",
        "predictor": 3 if info.dtype.startswith("float") else 2,
        "bigtiff": "if_safer",
    }
    with atomic_path(path) as temporary, _gdal():
        if points:
            profile |= {"gcps": points, "crs": _crs(info.gcp_crs)}
        else:
            profile |= {"crs": _crs(info.crs), "transform": Affine(*(info.transform or _IDENTITY))}
        with rasterio.open(temporary, "w", **profile) as dataset:
            for window, pixels in blocks:
                dataset.write(pixels, 1, window=_GdalWindow(window.x, window.y, window.width, window.height))


def _driver(path: Path) -> str:
    wanted = f"expected a GeoTIFF, PNG or JPEG file at {path}"
    if path.is_dir():
        raise FileError(f"{wanted}, found a folder; name a file in it")
    try:
        with path.open("rb") as stream:
            head = stream.read(4)
    except FileNotFoundError as error:
        raise FileError(f"{wanted}, found nothing there; check the name") from error
    except OSError as error:
        raise FileError(f"{wanted}, but it cannot be read ({error.strerror})") from error
    for magic, driver in _DRIVERS.items():
        if head.startswith(magic):
            return driver
    raise FileError(f"{wanted}, found a file of another kind; convert it to one of these formats")


@contextmanager
def _gdal() -> Iterator[None]:
    settings = {
        "GDAL_CACHEMAX": _CACHE_MB,
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        # Without these two a cut JPEG or PNG reads as grey or black below the cut, and nobody is told.
        "GDAL_ERROR_ON_LIBJPEG_WARNING": True,
        "GDAL_PNG_WHOLE_IMAGE_OPTIM": False,
        "GDAL_NUM_THREADS": 1,
    }
    with rasterio.Env(**settings), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield


def _info(dataset: Any, path: Path) -> RasterInfo:
    stored = dataset.dtypes[0]
    if stored not in _READABLE + _COMPLEX:
        raise InputError(f"expected pixels of one of {_READABLE + _COMPLEX} in {path}, found {stored}")
    with _gdal():
        crs, matrix = dataset.crs, tuple(float(v) for v in dataset.transform[:6])
        points, points_crs = dataset.gcps
    without = crs is None and matrix == _IDENTITY
    return RasterInfo(
        width=dataset.width,
        height=dataset.height,
        count=dataset.count,
        dtype="float32" if stored in _COMPLEX else stored,
        nodata=dataset.nodata,
        crs=crs.to_wkt() if crs else None,
        transform=None if without or points else matrix,  # type: ignore[arg-type]  # six by the slice above
        gcps=tuple(GroundControlPoint(p.col, p.row, p.x, p.y, p.z or 0.0) for p in points),
        gcp_crs=points_crs.to_wkt() if points_crs else None,
    )


def _bands(dataset: Any) -> list[int]:
    rgb = dataset.count in (3, 4) and all(dtype == "uint8" for dtype in dataset.dtypes)
    return [1, 2, 3] if rgb else [1]


def _palette(dataset: Any) -> NDArray[np.uint8] | None:
    if dataset.colorinterp[0] != ColorInterp.palette or dataset.dtypes[0] != "uint8":
        return None
    colours = np.zeros((256, 3), np.uint8)
    for index, colour in dataset.colormap(1).items():
        colours[index] = colour[:3]
    return colours


def _crs(text: str | None) -> CRS | None:
    if text is None:
        return None
    try:
        return CRS.from_user_input(text)
    except (CRSError, ValueError) as error:  # rasterio lets int("nonsense") through
        raise InputError(f"expected a reference system as WKT or 'EPSG:n', found {text[:80]!r}") from error
