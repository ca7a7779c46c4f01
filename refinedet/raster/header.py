"""Header of an open file: its size, type, place and control points, and the numbers of the bands that are read."""

from __future__ import annotations

from typing import Any, cast

from rasterio.enums import ColorInterp

from refinedet.errors import InputError
from refinedet.raster.control_points import are_of_esas_grid, tells_sentinel1
from refinedet.raster.decoding.pixels import Decoder
from refinedet.raster.gdal import gdal, names_a_file
from refinedet.raster.info import GroundControlPoint, Matrix, RasterInfo, counts_pixels
from refinedet.raster.ranged import RasterFile

Band = int | str
"""Band of a file: its number from 1, or its description, such as a polarisation, in upper or lower case."""


def info_of(dataset: Any, decoder: Decoder, path: RasterFile) -> RasterInfo:
    """Header of an open file, with the type and the nodata value of decoded pixels.

    Raises:
        InputError: its reference system names a file.
    """
    with gdal():
        crs, matrix = dataset.crs, cast("Matrix", tuple(float(v) for v in dataset.transform[:6]))
        given, points_crs = dataset.gcps
        from_esa = bool(given) and tells_sentinel1(dataset.tags())
    points = tuple(GroundControlPoint(p.col, p.row, p.x, p.y, p.z or 0.0) for p in given)
    from_esa = from_esa and are_of_esas_grid(points)
    return RasterInfo(
        width=dataset.width,
        height=dataset.height,
        count=dataset.count,
        dtype=decoder.dtype,
        nodata=decoder.nodata,
        crs=_wkt(crs, path),
        transform=None if points or counts_pixels(matrix, dataset.height) else matrix,
        gcps=points,
        gcp_crs=_wkt(points_crs, path),
        gcp_zero="centre" if from_esa else "edge",
        gcp_evidence="tags" if from_esa else "assumed",
    )


def _wkt(crs: Any, path: RasterFile) -> str | None:
    """Text of a reference system; refuses one that would make PROJ open an arbitrary file."""
    text: str | None = crs.to_wkt() if crs else None
    if text is not None and names_a_file(text):
        raise InputError(
            f"expected a reference system in {path} that names no files, found one that does; "
            "give the scene an ordinary one: gdal_edit.py -a_srs EPSG:n"
        )
    return text


def bands_of(dataset: Any, path: RasterFile, band: Band | None) -> list[int]:
    """Numbers of the bands that are read: the one that is named, else the three of 8-bit colours, or the first.

    Raises:
        InputError: there is no such band.
    """
    if band is None:
        in_colours = dataset.colorinterp[0] != ColorInterp.gray and dataset.count in (3, 4)
        return [1, 2, 3] if in_colours and all(dtype == "uint8" for dtype in dataset.dtypes) else [1]
    names = [(text or "").strip().lower() for text in dataset.descriptions]
    wanted = str(band).strip().lower()
    number = int(wanted) if wanted.isdecimal() else names.index(wanted) + 1 if wanted in names else 0
    if not 1 <= number <= dataset.count:
        known = ", ".join(filter(None, names)) or "without names"
        raise InputError(f"expected band {band!r} in {path}, found {dataset.count} bands ({known}); name another one")
    return [number]
