"""Scenes of every common kind, each with the same ships and their true places on earth."""

from __future__ import annotations

import shutil
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image
from pyproj import Transformer
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import NotGeoreferencedWarning

from refinedet.config import StretchChoice, TileConfig

Points = NDArray[np.float64]
Box = tuple[int, int, int, int]
Place = Callable[[Points], Points]
"""Pixels (N, 2), half-open, to degrees (N, 2)."""
Make = Callable[[Path], Path]

TILE = TileConfig(tile_px=128, overlap_px=48)
SHIPS: tuple[Box, ...] = ((20, 32, 44, 40), (252, 120, 260, 152), (180, 204, 196, 220))
_HEIGHT, _WIDTH = 260, 300
_UTM = "EPSG:32633"
_MATRIX = (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_300_000.0)


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of scene."""

    name: str
    make: Make
    """Writes it into a folder."""
    place: Place | None
    ships: tuple[Box, ...] = SHIPS
    choice: dict[str, Any] = field(default_factory=dict)
    """Options of SceneSettings."""
    note: str = ""


def sea(height: int = _HEIGHT, width: int = _WIDTH, ships: tuple[Box, ...] = SHIPS) -> NDArray[np.float32]:
    """Amplitudes of dim sea with bright ships."""
    pixels = np.random.default_rng(1).uniform(80, 110, (height, width)).astype(np.float32)
    for x1, y1, x2, y2 in ships:
        pixels[y1:y2, x1:x2] = 250
    return pixels


def _decibel() -> NDArray[np.float32]:
    return np.asarray(20 * np.log10(sea()) - 60, np.float32)


def _write(  # noqa: C901, PLR0913 - what a GeoTIFF may have
    pixels: NDArray[Any],
    *,
    crs: str | None = _UTM,
    matrix: tuple[float, ...] = _MATRIX,
    name: str = "scene.tif",
    mask: NDArray[np.bool_] | None = None,
    alpha: bool = False,
    scale: float = 1.0,
    bands: tuple[str, ...] = (),
    overviews: bool = False,
    palette: bool = False,
    gcps: list[GroundControlPoint] | None = None,
    tags: dict[str, str] | None = None,
    **options: Any,
) -> Make:
    """A GeoTIFF of these pixels (H, W) or (bands, H, W)."""
    stack = pixels if pixels.ndim == 3 else pixels[None]
    count, height, width = stack.shape
    profile = {"driver": "GTiff", "width": width, "height": height, "count": count, "dtype": stack.dtype}
    if gcps is not None:
        profile |= {"crs": "EPSG:4326", "gcps": gcps}
    elif crs is not None:
        profile |= {"crs": crs, "transform": rasterio.Affine(*matrix)}

    def make(folder: Path) -> Path:
        with warnings.catch_warnings(), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(folder / name, "w", **(profile | options)) as dataset:
                if tags:
                    dataset.update_tags(**tags)
                if alpha:
                    dataset.colorinterp = [*dataset.colorinterp[:-1], ColorInterp.alpha]
                if scale != 1:
                    dataset.scales = [scale] * count
                for number, text in enumerate(bands, start=1):
                    dataset.set_band_description(number, text)
                if palette:
                    dataset.write_colormap(1, {i: (i, i, i, 255) for i in range(256)})
                _blocks(dataset, stack, sparse=bool(options.get("SPARSE_OK")))
                if mask is not None:
                    dataset.write_mask(mask)
                if overviews:
                    dataset.build_overviews([2, 4], Resampling.average)
        return folder / name

    return make


def _blocks(dataset: Any, stack: NDArray[Any], *, sparse: bool) -> None:
    """Write all pixels; if `sparse`, only blocks that hold any."""
    if not sparse:
        dataset.write(stack)
        return
    for _, window in dataset.block_windows(1):
        rows, columns = window.toslices()
        if stack[:, rows, columns].any():
            dataset.write(stack[:, rows, columns], window=window)


def _picture(name: str, mode: str) -> Make:
    def make(folder: Path) -> Path:
        grey = sea().astype(np.uint8)
        Image.fromarray(grey).convert(mode).save(folder / name, quality=100)
        return folder / name

    return make


def _overviews_only(folder: Path) -> Path:
    """Make a TIFF whose full-size tiles are marked as absent; the overviews are there."""
    path = _write(sea().astype(np.uint16), overviews=True, **_TILES)(folder)
    content = bytearray(path.read_bytes())
    offset = struct.unpack_from("<I", content, 4)[0]
    for place in range(offset + 2, offset + 2 + 12 * struct.unpack_from("<H", content, offset)[0], 12):
        tag, kind, count, start = struct.unpack_from("<HHII", content, place)
        if tag in (324, 325):
            length = count * (4 if kind == 4 else 2)
            content[start : start + length] = bytes(length)
    path.write_bytes(content)
    return path


def _side_overviews(folder: Path) -> Path:
    """Make a scene with overviews and an empty mask in files beside it; detection must not read those."""
    path = _write(sea().astype(np.uint16))(folder)
    _write(np.zeros((130, 150), np.uint16), name="other.tif")(folder)
    shutil.copy(folder / "other.tif", folder / "scene.tif.ovr")
    shutil.copy(folder / "other.tif", folder / "scene.tif.msk")
    return path


def _affine(crs: str, matrix: tuple[float, ...]) -> Place:
    to_lonlat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    a, b, c, d, e, f = matrix

    def place(points: Points) -> Points:
        x, y = points.T
        return np.stack(to_lonlat.transform(a * x + b * y + c, d * x + e * y + f), axis=1)

    return place


def _swath(points: Points) -> Points:
    """A place on earth as smooth and as bent as that of a radar's swath."""
    x, y = (points / 300).T
    lon = 179.97 + 0.05 * x + 0.004 * y + 6e-4 * x * x - 3e-4 * x * y
    return np.stack([(lon + 180) % 360 - 180, 54.0 - 0.03 * y + 0.003 * x + 4e-4 * x * x], axis=1)


def _points(at: Points) -> Make:
    """Scene with ground control points at these pixels, which count from the outer edge as in any GeoTIFF."""
    gcps = [GroundControlPoint(y, x, *lonlat) for (x, y), lonlat in zip(at, _swath(at).tolist(), strict=True)]
    return _write(sea().astype(np.uint16), gcps=gcps)


def _sentinel1_points(at: Points) -> Make:
    """Scene with ground control points at these pixels as in ESA's measurements: whole numbers, 0 is a centre."""
    nodes = np.rint(at)
    lonlat = _swath(nodes + 0.5).tolist()
    gcps = [GroundControlPoint(y, x, *place) for (x, y), place in zip(nodes, lonlat, strict=True)]
    return _write(sea().astype(np.uint16), gcps=gcps, tags={"TIFFTAG_SOFTWARE": "Sentinel-1 IPF 003.31"})


def _located(name: str, crs: str, matrix: tuple[float, ...], note: str = "") -> Case:
    return Case(name, _write(sea().astype(np.uint16), crs=crs, matrix=matrix), _affine(crs, matrix), note=note)


def _half_hidden() -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Pixels of the sea with a false ship in a hidden part, and the mask (H, W), false where hidden."""
    pixels, shown = sea(), np.ones((_HEIGHT, _WIDTH), bool)
    shown[60:, :140] = False
    pixels[150:160, 30:50] = 250
    return pixels, shown


_HIDDEN, _SHOWN = _half_hidden()
_TILES = {"tiled": True, "blockxsize": 64, "blockysize": 64}
_U16 = sea().astype(np.uint16)
_PLACE = _affine(_UTM, _MATRIX)
_EAST, _NORTH = Transformer.from_crs("EPSG:4326", "EPSG:32660", always_xy=True).transform(180, 54)
_LONG = tuple((x, 3, x + 12, 7) for x in (20, 50_000, 99_970))
_SPECKS = np.random.default_rng(2).uniform(size=(_HEIGHT, _WIDTH))
_SPECKLED = np.where(
    (_SPECKS < 0.01) & (sea() < 200), np.nan, np.where((_SPECKS > 0.99) & (sea() < 200), np.inf, sea())
).astype(np.float32)
_GRID = np.stack(np.meshgrid(np.linspace(0.5, 299.5, 9), np.linspace(0.5, 259.5, 7)), axis=-1).reshape(-1, 2)
_SCATTERED = np.random.default_rng(3).uniform((-5, -5), (305, 265), (90, 2))

CASES: tuple[Case, ...] = (
    Case("uint16, UTM", _write(_U16), _PLACE),
    Case("uint8", _write(sea().astype(np.uint8)), _PLACE),
    Case("int16 dB", _write(np.rint(_decibel()).astype(np.int16)), _PLACE, note="dB are seen as amplitude"),
    Case(
        "int16 dB in hundredths, scale in the file",
        _write(np.rint(_decibel() * 100).astype(np.int16), scale=0.01),
        _PLACE,
        note="the scale is applied",
    ),
    Case("float32 dB", _write(_decibel()), _PLACE, note="dB are seen as amplitude"),
    Case("float32 linear", _write(sea() / 300), _PLACE),
    Case("complex64", _write((sea() * np.exp(1j * 0.7)).astype(np.complex64)), _PLACE, note="amplitude"),
    Case("complex int16", _write((sea() * (0.6 + 0.8j)).astype(np.complex64), dtype="complex_int16"), _PLACE),
    Case(
        "two bands, band-interleaved, --band vh",
        _write(np.stack([_U16[::-1], _U16]), bands=("VV", "VH"), interleave="band"),
        _PLACE,
        choice={"band": "vh"},
    ),
    Case(
        "two bands, pixel-interleaved, --band 2",
        _write(np.stack([_U16[::-1], _U16]), interleave="pixel"),
        _PLACE,
        choice={"band": 2},
    ),
    Case("BigTIFF", _write(_U16, BIGTIFF="YES", compress="zstd"), _PLACE),
    Case("COG", _write(_U16, driver="COG", blocksize=128), _PLACE),
    Case("averaged overviews in the file", _write(_U16, overviews=True, **_TILES), _PLACE, note="not read"),
    Case("overviews and a mask beside the file", _side_overviews, _PLACE, note="not read"),
    Case(
        "overviews only, no full-size pixels",
        _overviews_only,
        _PLACE,
        (),
        note="only full size is read",
    ),
    Case(
        "sparse",
        _write(np.where(np.arange(_WIDTH) < 128, 0, _U16).astype(np.uint16), SPARSE_OK=True, **_TILES),
        _PLACE,
        SHIPS[1:],
        note="blocks left out are nodata",
    ),
    Case("palette", _write(sea().astype(np.uint8), palette=True, photometric="palette"), _PLACE),
    Case("PNG, grey", _picture("scene.png", "L"), None),
    Case("PNG, palette", _picture("scene.png", "P"), None),
    Case("JPEG, RGB", _picture("scene.jpg", "RGB"), None),
    Case("all nodata", _write(np.zeros_like(_U16)), _PLACE, ()),
    Case("declared nodata 7", _write(np.where(_SHOWN, _HIDDEN, 7).astype(np.uint16), nodata=7), _PLACE),
    Case("zero borders, nothing declared", _write(np.where(_SHOWN, _HIDDEN, 0).astype(np.uint16)), _PLACE),
    Case("mask in the file", _write(_HIDDEN.astype(np.int16), mask=_SHOWN), _PLACE),
    Case("alpha band", _write(np.stack([_HIDDEN, _SHOWN * 255]).astype(np.uint16), alpha=True), _PLACE),
    Case(
        "RGBA",
        _write(np.stack([*[_HIDDEN] * 3, _SHOWN * 255.0]).astype(np.uint8), photometric="rgb", alpha=True),
        _PLACE,
    ),
    Case("NaN and infinity all over", _write(_SPECKLED), _PLACE, note="they are nodata"),
    Case("1 x 1", _write(np.full((1, 1), 9, np.uint16)), _PLACE, ()),
    Case(
        "100000 x 10, --stretch fixed:80:250",
        _write(sea(10, 100_000, _LONG).astype(np.uint16), **_TILES),
        _PLACE,
        _LONG,
        choice={"stretch": StretchChoice("fixed", 80, 250)},
        note="no ship lies in the 2,041 columns that a stretch is measured on",
    ),
    Case("as large as a tile", _write(sea(128, 128, SHIPS[:1]).astype(np.uint16)), _PLACE, SHIPS[:1]),
    _located("rotated by 30 degrees", _UTM, (8.66, 5.0, 5e5, 5.0, -8.66, 5.3e6)),
    _located("sheared", _UTM, (10.0, 3.0, 5e5, 0.0, -12.0, 5.3e6)),
    _located("degrees (EPSG:4326)", "EPSG:4326", (2e-4, 0.0, 10.0, 0.0, -1e-4, 55.0)),
    _located("across 180 degrees", "EPSG:32660", (10.0, 0.0, _EAST - 2560, 0.0, -10.0, _NORTH + 1360)),
    _located("on the pole (EPSG:3413)", "EPSG:3413", (40.0, 0.0, -1200.0, 0.0, -40.0, 1600.0)),
    Case("control points, regular", _points(_GRID), _swath, note="bicubic spline"),
    Case("control points, irregular", _points(_SCATTERED), _swath, note="thin-plate spline"),
    Case("control points, of Sentinel-1", _sentinel1_points(_GRID), _swath, note="its tags say so: 0 is a centre"),
    Case("no reference system", _write(_U16, crs=None), None),
    Case("--scale 0.5", _write(_U16), _PLACE, choice={"scale": 0.5}, note="boxes in pixels of the scene"),
    Case("--scale 0.25, dB", _write(_decibel()), _PLACE, choice={"scale": 0.25}, note="power is averaged"),
    Case("--gsd-m 20", _write(_U16), _PLACE, choice={"gsd_m": 20.0}),
)
