"""Writing of scenes as single-band GeoTIFF, atomically; equal input gives equal bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import rasterio
from numpy.typing import NDArray
from rasterio.control import GroundControlPoint as _GdalPoint
from rasterio.crs import CRS
from rasterio.errors import CRSError
from rasterio.transform import Affine
from rasterio.windows import Window as _GdalWindow

from refinedet.errors import InputError
from refinedet.files import atomic_path
from refinedet.raster.control_points import SENTINEL1_TAGS
from refinedet.raster.gdal import IDENTITY, REAL_TYPES, gdal
from refinedet.raster.info import RasterInfo
from refinedet.tiling import Window

BLOCK_PX = 256
"""Side of the blocks of written scenes in pixels; windows aligned to it are written once."""

_TILES = {"tiled": True, "blockxsize": BLOCK_PX, "blockysize": BLOCK_PX, "compress": "deflate"}
_STRIPS = {"tiled": False, "blockysize": 1}


def write_scene(
    path: str | Path,
    pixels: NDArray[Any],
    *,
    crs: str | None = None,
    transform: tuple[float, float, float, float, float, float] | None = None,
    nodata: float | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write `pixels` (H, W) as a tiled, deflated GeoTIFF, atomically; equal input gives equal bytes.

    `crs` is WKT or "EPSG:n"; `transform` as in `RasterInfo`; `tags` are metadata by name.

    Raises:
        InputError: the shape is not (H, W), or type or reference system are not supported.
    """
    if pixels.ndim != 2 or pixels.size == 0:
        raise InputError(f"expected pixels of shape (H, W), found {pixels.shape}")
    height, width = pixels.shape
    info = RasterInfo(width, height, 1, pixels.dtype.name, nodata, crs, transform)
    write_blocks(path, info, [(Window(0, 0, height, width), pixels)], tags=tags)


def write_blocks(
    path: str | Path,
    info: RasterInfo,
    blocks: Iterable[tuple[Window, NDArray[Any]]],
    *,
    as_measurement: bool = False,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write a single-band scene described by `info` piece by piece, for scenes larger than memory.

    Windows should be whole multiples of BLOCK_PX, except at the right and lower edge, and each window is written once.
    Then each block is compressed once, and the bytes depend only on the pixels. Unwritten pixels are 0 or nodata.
    `as_measurement` writes a file like ESA's processor: one row per block, without compression, ground control points
    that count pixel centres, and the tag that names the mission. Otherwise points count from the edge, as in any
    GeoTIFF. `tags` are metadata by name.

    Raises:
        InputError: the type or the reference system of `info` is not supported.
    """
    if info.dtype not in REAL_TYPES:
        raise InputError(f"expected pixels of one of {REAL_TYPES}, found {info.dtype}")
    shift = (0.5 if info.gcp_zero == "centre" else 0.0) - (0.5 if as_measurement else 0.0)
    points = [_GdalPoint(p.line + shift, p.pixel + shift, p.x, p.y, p.z) for p in info.gcps]
    profile = {
        "driver": "GTiff",
        "width": info.width,
        "height": info.height,
        "count": 1,
        "dtype": info.dtype,
        "nodata": info.nodata,
        **(_STRIPS if as_measurement else _TILES | {"predictor": 3 if info.dtype.startswith("float") else 2}),
        "bigtiff": "if_safer",
    }
    with atomic_path(path) as temporary, gdal():
        if points:
            profile |= {"gcps": points, "crs": _crs(info.gcp_crs)}
        else:
            profile |= {"crs": _crs(info.crs), "transform": Affine(*(info.transform or IDENTITY))}
        with rasterio.open(temporary, "w", **profile) as dataset:
            if found := {**(tags or {}), **(SENTINEL1_TAGS if as_measurement else {})}:
                dataset.update_tags(**found)
            for window, pixels in blocks:
                dataset.write(pixels, 1, window=_GdalWindow(window.x, window.y, window.width, window.height))


def _crs(text: str | None) -> CRS | None:
    if text is None:
        return None
    try:
        return CRS.from_user_input(text)
    except (CRSError, ValueError) as error:  # rasterio passes on the ValueError of int("nonsense")
        raise InputError(f"expected a reference system as WKT or 'EPSG:n', found {text[:80]!r}") from error
