"""Tie points of a GeoTIFF that GDAL omits: it gives none if there are over 10,922, and only one with a pixel scale.

ESA's toolbox SNAP writes an unprojected image with a grid of tie points and a pixel scale of 1, so that GDAL mistakes
pixels for degrees.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from refinedet.raster.checks.tiff import read_tie_points
from refinedet.raster.info import GroundControlPoint, RasterInfo
from refinedet.raster.ranged import RasterFile, opened

_LEAST = 3
"""Least number of points that locate a scene; with fewer points, the pixel scale does."""
_AGREES_PX = 1.0
"""Largest distance in pixels between a tie point and its place by the transform at which both agree."""


def located_by_tie_points(info: RasterInfo, path: RasterFile, *, is_point: bool) -> RasterInfo:
    """Locate the TIFF at `path` by its own tie points, if GDAL gives none and the transform contradicts them.

    Args:
        info: metadata of the file, as GDAL gives them.
        path: the file.
        is_point: true if places belong to centres of pixels, not to their upper left corners.

    Raises:
        FileError: the tie points cannot be read.
    """
    if info.gcps or info.crs is None:
        return info
    with opened(path) as (stream, size):
        rows = read_tie_points(stream, size, str(path))
    rows = rows[np.isfinite(rows).all(axis=1)]
    if len(rows) < _LEAST or _agree(rows, info):
        return info
    rows[:, :2] += 0.5 if is_point else 0.0
    points = tuple(GroundControlPoint(column, row, x, y, z) for column, row, _, x, y, z in rows.tolist())
    return replace(info, gcps=points, gcp_crs=info.crs, transform=None)


def _agree(rows: NDArray[np.float64], info: RasterInfo) -> bool:
    """True if the transform agrees with the tie points."""
    if info.transform is None:
        return False
    a, b, c, d, e, f = info.transform
    column, row, _, x, y, _ = rows.T
    size = np.sqrt(abs(a * e - b * d))
    off = np.hypot(a * column + b * row + c - x, d * column + e * row + f - y)
    return bool(size > 0 and (off <= _AGREES_PX * size).all())
