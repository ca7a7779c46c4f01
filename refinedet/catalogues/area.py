"""Search area on the earth, from a box or a file: its query, and the share that a footprint covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import shapely
from pyproj import CRS, Geod, Transformer
from pyproj.enums import TransformDirection

from refinedet.errors import InputError
from refinedet.geo.footprints import area_on_earth
from refinedet.geo.reference import WGS84, Box
from refinedet.geo.vectors import read_layers

_GEOD = Geod(ellps="WGS84")
_STEP_DEG = 0.5
"""Longest edge of a shape whose area is measured: geodesics differ from straight edges in latitude and longitude."""
_VERTICES_MOST = 300
"""Most corners of the shape in a query; servers refuse long queries."""
_EVERYWHERE = 1e9
_WIDE_DEG = 180.0
_POLYGONS = ("Polygon", "MultiPolygon")


@dataclass(frozen=True, slots=True)
class Area:
    """Polygons on the earth, in degrees within [-180, 180], cut at the antimeridian."""

    shape: shapely.Geometry
    told: str
    """Area in words."""
    box: tuple[float, float, float, float] | None = None
    """West, south, east, north, if the area is a box that does not cross the antimeridian; else None."""
    notes: tuple[str, ...] = ()

    @classmethod
    def of_box(cls, bbox: Sequence[float]) -> Self:
        """Area of a box (west, south, east, north) in degrees; if west is above east, it crosses the antimeridian.

        Raises:
            InputError: the box is invalid.
        """
        west, south, east, north = (float(one) for one in bbox)
        inside = all(-180 <= one <= 180 for one in (west, east)) and all(-90 <= one <= 90 for one in (south, north))
        if not inside or south >= north or west == east:
            raise InputError(
                "expected `bbox` as west, south, east, north in degrees, south below north (west of more than east "
                f"crosses the antimeridian), found {' '.join(f'{one:g}' for one in bbox)}"
            )
        told = f"{_degrees(west, 'EW')} to {_degrees(east, 'EW')}, {_degrees(south, 'NS')} to {_degrees(north, 'NS')}"
        if west < east:
            return cls(shapely.box(west, south, east, north), told, (west, south, east, north))
        halves = [shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)]
        parts = [one for one in halves if one.area > 0]
        return cls(shapely.MultiPolygon(parts), f"{told}, across the antimeridian")

    @classmethod
    def of_file(cls, path: str | Path) -> Self:
        """Area of the polygons in a GeoJSON, GeoPackage or Shapefile.

        Raises:
            FileError, InputError: the file cannot be read, or holds no polygon.
            MissingExtra: as `read_layers`.
        """
        path = Path(path)
        parts: list[Any] = []
        for shapes, crs in read_layers(path, _all_of):
            parts += [_on_earth(one, crs) for one in shapes if one.geom_type in _POLYGONS]
        joined = shapely.union_all([one for one in parts if one is not None])
        if joined.is_empty or joined.area == 0:
            raise InputError(f"expected polygons in {path}, found none; draw the area, or use `bbox` instead of `area`")
        west, _, east, _ = joined.bounds
        wide = [one for one in shapely.get_parts(joined) if one.bounds[2] - one.bounds[0] > _WIDE_DEG]
        notes = (
            () if not wide else (f"{path} is {east - west:.0f} degrees wide: cut it at the antimeridian if it crosses",)
        )
        return cls(joined, f"the area of {path.name}", None, notes)

    def query(self) -> dict[str, Any]:
        """Area as a query to a STAC API: `bbox`, or `intersects` with a shape of few corners that contains the area."""
        if self.box is not None:
            return {"bbox": list(self.box)}
        return {"intersects": shapely.geometry.mapping(_simple(self.shape))}

    def share(self, footprint: shapely.Geometry) -> float:
        """Share of the area, within [0, 1], that a footprint on the earth covers."""
        return min(1.0, _square_m(shapely.intersection(self.shape, footprint)) / _square_m(self.shape))


def on_earth(geometry: Any) -> shapely.Geometry | None:
    """Polygons of a scene's GeoJSON geometry, cut at the antimeridian; None if it has no valid polygon."""
    try:
        shape = shapely.geometry.shape(geometry)
        found = area_on_earth(shapely.force_2d(shape)) if shape.geom_type in _POLYGONS else None
    except (shapely.errors.ShapelyError, AttributeError, KeyError, TypeError, ValueError, IndexError):
        return None
    return None if found is None or found.is_empty or not np.isfinite(found.bounds).all() else shapely.make_valid(found)


def _on_earth(shape: Any, crs: CRS) -> shapely.Geometry | None:
    """Polygons of a file in degrees; parts beyond 180 degrees are moved by a full turn."""
    if crs != WGS84:
        longest = max(shape.bounds[2] - shape.bounds[0], shape.bounds[3] - shape.bounds[1])
        turn = Transformer.from_crs(WGS84, crs, always_xy=True)

        def to_degrees(xy: Any) -> Any:
            x, y = xy.T
            return np.stack(turn.transform(x, y, direction=TransformDirection.INVERSE), axis=1)

        return area_on_earth(shapely.transform(shapely.segmentize(shape, longest / 50), to_degrees))
    west, _, east, _ = shape.bounds
    return area_on_earth(shape) if west < -_WIDE_DEG or east > _WIDE_DEG else shapely.make_valid(shape)


def _all_of(_: CRS) -> list[Box]:
    return [(-_EVERYWHERE, -_EVERYWHERE, _EVERYWHERE, _EVERYWHERE)]


def _simple(shape: shapely.Geometry) -> shapely.Geometry:
    """Shape of few corners that contains `shape`; its parts stay apart unless they touch."""
    if shapely.get_num_coordinates(shape) <= _VERTICES_MOST:
        return shape
    hulls = shapely.union_all(shapely.convex_hull(shapely.get_parts(shape)))
    if shapely.get_num_coordinates(hulls) <= _VERTICES_MOST:
        return hulls
    halves = [shapely.box(-180, -90, 0, 90), shapely.box(0, -90, 180, 90)]
    boxes = [shapely.box(*half.bounds) for half in shapely.intersection(shape, halves) if not half.is_empty]
    return shapely.union_all(boxes)


def _square_m(shape: shapely.Geometry) -> float:
    parts = [one for one in shapely.get_parts(shape) if one.geom_type in _POLYGONS]
    return float(sum(abs(_GEOD.geometry_area_perimeter(shapely.segmentize(one, _STEP_DEG))[0]) for one in parts))


def _degrees(value: float, letters: str) -> str:
    return f"{abs(value):g}{letters[value < 0]}"
