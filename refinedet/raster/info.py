"""What is known of a scene without reading its pixels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GroundControlPoint:
    """A tie between a pixel and a place, exactly as GDAL gives it.

    Sentinel-1's `pixel` and `line` are zero-based indices of pixel *centres*; in the half-open convention of this
    project that centre is (pixel + 0.5, line + 0.5). Nothing is added here: geo/position.py does it, once.
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
