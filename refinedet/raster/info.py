"""Metadata of a scene, known without reading its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GcpZero = Literal["edge", "centre"]
"""Place of pixel 0 of ground control points: outer edge of the first pixel (GeoTIFF, GDAL), or its centre (ESA)."""
GcpEvidence = Literal["product", "tags", "name", "assumed"]
"""Source of the place of pixel 0: the product around the file, its tags, its name; or "edge" is assumed."""


@dataclass(frozen=True, slots=True)
class GroundControlPoint:
    """Tie between a pixel and a place, exactly as GDAL gives it.

    `RasterInfo.gcp_zero` says from where `pixel` and `line` count. geo/position.py adds the half pixel, nothing here.
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
    transform: tuple[float, float, float, float, float, float] | None = None
    """(a, b, c, d, e, f): x = a*col + b*row + c, y = d*col + e*row + f at pixel corners; None without georeference."""
    gcps: tuple[GroundControlPoint, ...] = ()
    gcp_crs: str | None = None
    gcp_zero: GcpZero = "edge"
    gcp_evidence: GcpEvidence = "assumed"
