"""Rasters to be located."""

from __future__ import annotations

from pyproj import CRS

from refinedet.raster import RasterInfo

WGS84 = CRS.from_epsg(4326).to_wkt()
UTM = CRS.from_epsg(32633).to_wkt()

PIXEL_NUMBERS = {
    "rasterio gives it for none": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    "from the top, y upwards": (1.0, 0.0, 0.0, 0.0, -1.0, 0.0),
    "from the bottom": (1.0, 0.0, 0.0, 0.0, -1.0, 800.0),
    "by centres": (1.0, 0.0, -0.5, 0.0, 1.0, -0.5),
}


def info_with(**values: object) -> RasterInfo:
    return RasterInfo(width=1000, height=800, count=1, dtype="uint16", **values)  # type: ignore[arg-type]  # test helper
