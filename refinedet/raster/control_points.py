"""Convention by which a file counts the pixels of its ground control points.

In a GeoTIFF, 0 is the outer edge of the first pixel, as in a transform; GDAL converts the points of a file with
`PixelIsPoint` to this convention. Sentinel-1's rasters are the exception: they repeat the grid of the annotation, whose
lines and pixels are whole numbers that count pixel centres from 0. Neither ESA's processor nor GDAL adds the half
pixel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from refinedet.raster.info import GroundControlPoint

SENTINEL1_TAGS = {"TIFFTAG_IMAGEDESCRIPTION": "Sentinel-1 IW GRD HR L1"}
"""Tags of a file written in the style of ESA's processor."""
_MARKS = {
    "TIFFTAG_IMAGEDESCRIPTION": "SENTINEL-1",  # ESA's processor: Sentinel-1A IW GRD HR L1
    "TIFFTAG_SOFTWARE": "SENTINEL-1 IPF",  # ... and Sentinel-1 IPF 003.31
    "SATELLITE_IDENTIFIER": "SENTINEL-1",  # a copy made with GDAL's SAFE driver
}


def tells_sentinel1(tags: Mapping[str, Any]) -> bool:
    """True if the tags of a file say that its pixels come from a Sentinel-1 product."""
    return any(str(tags.get(name, "")).upper().startswith(mark) for name, mark in _MARKS.items())


def are_of_esas_grid(points: Iterable[GroundControlPoint]) -> bool:
    """True if points may come from an annotation's grid: they are whole numbers, which a scaled copy does not keep."""
    return all(point.pixel.is_integer() and point.line.is_integer() for point in points)
