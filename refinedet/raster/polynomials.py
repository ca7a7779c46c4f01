"""Position of a raster from rational polynomial coefficients (RPC).

RPC give the pixel of a longitude, latitude and height. A ship's height is known, so they give the place of a pixel too.
GDAL inverts them at the nodes of a grid, which become control points.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from rasterio.rpc import RPC
from rasterio.transform import RPCTransformer

from refinedet.raster.gdal import GDAL_ERRORS, gdal
from refinedet.raster.info import GroundControlPoint, RasterInfo

_NODES = 16
"""Nodes of the grid along each side. A spline through them is within 0.01 pixels of the polynomials."""
_ERROR_PX = 1e-3
"""Accuracy at which GDAL ends the inversion."""
COEFFICIENTS = 20
"""Coefficients of one polynomial."""
_NUMBERS = tuple(f"{name}_{kind}" for name in ("LINE", "SAMP", "LAT", "LONG", "HEIGHT") for kind in ("OFF", "SCALE"))
_LISTS = tuple(f"{name}_{kind}_COEFF" for name in ("LINE", "SAMP") for kind in ("NUM", "DEN"))


def with_polynomials(info: RasterInfo, entries: Mapping[str, str]) -> tuple[RasterInfo, float] | None:
    """Metadata of a raster with control points from its RPC, and the height in metres that these are for.

    The height above the ellipsoid is 0, or the nearest to 0 for which the RPC are made.

    Args:
        info: metadata of the raster.
        entries: RPC by the names that GDAL gives them.

    Returns:
        None if an entry is missing or no number, or if GDAL cannot invert the RPC.
    """
    polynomials = _polynomials(entries)
    if polynomials is None:
        return None
    reach = abs(polynomials.height_scale)
    height = float(np.clip(0.0, polynomials.height_off - reach, polynomials.height_off + reach))
    columns, rows = (np.linspace(0, side, _NODES) for side in (info.width, info.height))
    x, y = (grid.ravel() for grid in np.meshgrid(columns, rows))
    try:
        options = {"RPC_HEIGHT": str(height), "RPC_PIXEL_ERROR_THRESHOLD": str(_ERROR_PX)}
        with gdal(), RPCTransformer(polynomials, **options) as transformer:
            lon, lat = (np.array(values, np.float64) for values in transformer.xy(y, x, offset="ul"))
    except GDAL_ERRORS:
        return None
    if not (np.isfinite(lon).all() and (np.abs(lat) <= 90).all()):
        return None
    places = zip(x.tolist(), y.tolist(), lon.tolist(), lat.tolist(), strict=True)
    points = tuple(GroundControlPoint(*place, z=height) for place in places)
    return replace(
        info, crs=None, transform=None, gcps=points, gcp_crs="EPSG:4326", gcp_zero="edge", gcp_evidence="rpc"
    ), height


def _polynomials(entries: Mapping[str, str]) -> RPC | None:
    """RPC of entries; None if one is missing or no finite number, or a scale is 0."""
    wanted = {name: entries.get(name, "") for name in (*_NUMBERS, *_LISTS)}
    try:
        values = {name: [float(word) for word in text.split()] for name, text in wanted.items() if name in _LISTS}
        values |= {name: [float(text.split()[0])] for name, text in wanted.items() if name in _NUMBERS}
    except (ValueError, IndexError):
        return None
    if any(len(values[name]) != COEFFICIENTS for name in _LISTS):
        return None
    if not all(math.isfinite(value) for one in values.values() for value in one):
        return None
    if any(values[name] == [0.0] for name in _NUMBERS if name.endswith("SCALE") and name != "HEIGHT_SCALE"):
        return None
    return RPC.from_gdal(wanted)
