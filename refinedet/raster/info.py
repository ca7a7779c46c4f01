"""What is known of a scene without reading its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GcpZero = Literal["edge", "centre"]
"""Where pixel 0 of ground control points is: the outer edge of the first pixel (GeoTIFF, GDAL), or its centre (ESA)."""
GcpEvidence = Literal["product", "tags", "name", "assumed"]
"""What tells where pixel 0 is: the product around the file, its tags, its name; or nothing, and "edge" is assumed."""


@dataclass(frozen=True, slots=True)
class GroundControlPoint:
    """A tie between a pixel and a place, exactly as GDAL gives it.

    `RasterInfo.gcp_zero` says from where `pixel` and `line` count. Nothing is added here: geo/position.py does that.
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
    """Bands in the file; `SceneReader.read` uses one, or three for 8-bit RGB."""
    dtype: str
    """NumPy type of the pixels that are read; complex files are read as float32 amplitude."""
    nodata: float | None = None
    crs: str | None = None
    """WKT of the reference system of `transform`."""
    transform: tuple[float, float, float, float, float, float] | None = None
    """(a, b, c, d, e, f): x = a*col + b*row + c, y = d*col + e*row + f at pixel corners; None without georeference."""
    gcps: tuple[GroundControlPoint, ...] = ()
    gcp_crs: str | None = None
    gcp_zero: GcpZero = "edge"
    gcp_evidence: GcpEvidence = "assumed"
