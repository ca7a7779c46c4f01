"""Metadata of a scene, known without reading its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GcpZero = Literal["edge", "centre"]
"""Place of pixel 0 of ground control points: outer edge of the first pixel (GeoTIFF, GDAL), or its centre (ESA)."""
GcpEvidence = Literal["product", "tags", "name", "setting", "rpc", "assumed"]
"""Source of the place of pixel 0: the product of the file, its tags, its name, the setting `gcps`, points from rational
polynomials (RPC), or an assumption."""
Matrix = tuple[float, float, float, float, float, float]
"""(a, b, c, d, e, f): x = a*col + b*row + c, y = d*col + e*row + f at pixel corners."""

_HALF_PIXEL = 0.5


@dataclass(frozen=True, slots=True)
class GroundControlPoint:
    """Tie between a pixel and a place, exactly as GDAL gives it.

    `RasterInfo.gcp_zero` says where `pixel` and `line` 0 lie. geo/position.py adds the half pixel, this class does not.
    """

    pixel: float
    line: float
    x: float
    y: float
    z: float = 0.0


@dataclass(frozen=True, slots=True)
class RasterInfo:
    """Metadata of a scene: size, type, nodata, position."""

    width: int
    height: int
    count: int
    """Bands in the file; `SceneReader.read` uses one, or three for 8-bit RGB."""
    dtype: str
    """NumPy type of the pixels that are read; complex files are read as float32 amplitude."""
    nodata: float | None = None
    crs: str | None = None
    """WKT of the reference system of `transform`."""
    transform: Matrix | None = None
    """Coordinates of pixels; None if the file has none, or only pixel numbers (`counts_pixels`)."""
    gcps: tuple[GroundControlPoint, ...] = ()
    gcp_crs: str | None = None
    gcp_zero: GcpZero = "edge"
    gcp_evidence: GcpEvidence = "assumed"
    spacing_m: tuple[float, float] | None = None
    """Metres between pixels along x and y, as the metadata of a file without a position states them."""


def counts_pixels(matrix: Matrix, height: int) -> bool:
    """True if a transform only numbers the pixels, from the top or the bottom, by their edges or centres.

    Programs store such a transform for a picture without a position, and rasterio gives (1, 0, 0, 0, 1, 0) for none.
    """
    a, b, c, d, e, f = matrix
    origin = min(abs(f), abs(f - height)) if e < 0 else abs(f)
    return (a, b, d, abs(e)) == (1, 0, 0, 1) and abs(c) <= _HALF_PIXEL and origin <= _HALF_PIXEL
