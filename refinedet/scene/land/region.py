"""Region of the earth around a scene, and polygons cut to it. Pure.

Polygons are cut in their own reference system, because their edges are straight there. In degrees, a region across the
antimeridian is two boxes, and a region with a pole spans all longitudes, so neither needs a special case later. Land is
cut wider than the region, so that no edge of the cut counts as a coast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer

from refinedet.geo.reference import TURN, WGS84, Box, Shapes, is_plain_degrees, turned_boxes

_EARTH_M = 6_335_000.0
"""Smallest radius of curvature of WGS 84, so that angles computed with it are never too small."""
_GUARD_M = 2000.0
"""Margin by which land is cut wider than the region, on every side."""
_STEP_M = 1000.0
"""Longest edge without additional points when shapes are transformed to another reference system."""
_RIM_POINTS = 360
_WORLD: Box = (-180.0, -90.0, 180.0, 90.0)
_TOLERANCE = 1e-9
_GEOD = Geod(ellps="WGS84")


@dataclass(frozen=True, slots=True)
class Region:
    """Region within `radius_m` of a place, in degrees on WGS 84."""

    lon: float
    lat: float
    radius_m: float

    def degree_boxes(self, *, tenths: bool = False) -> list[Box]:
        """One or two boxes of longitude and latitude, within the world, that contain the region.

        With `tenths`, they are rounded outward to tenths of a degree, so that scenes of one place share one cut.
        """
        down, up = (_down, _up) if tenths else (float, float)
        angle = self.radius_m / _EARTH_M
        reach = math.degrees(angle)
        south, north = down(self.lat - reach), up(self.lat + reach)
        if south <= _WORLD[1] or north >= _WORLD[3]:
            return [(_WORLD[0], max(south, _WORLD[1]), _WORLD[2], min(north, _WORLD[3]))]
        side = math.degrees(math.asin(min(1.0, math.sin(angle) / math.cos(math.radians(self.lat)))))
        west, east = down(self.lon - side), up(self.lon + side)
        if east - west >= TURN:
            return [(_WORLD[0], south, _WORLD[2], north)]
        if west < _WORLD[0]:
            return [(_WORLD[0], south, east, north), (west + TURN, south, _WORLD[2], north)]
        if east > _WORLD[2]:
            return [(_WORLD[0], south, east - TURN, north), (west, south, _WORLD[2], north)]
        return [(west, south, east, north)]

    def wider(self, by_m: float) -> Region:
        """Return the region grown by `by_m` on every side."""
        return replace(self, radius_m=self.radius_m + by_m)

    def looked_at(self, crs: CRS) -> list[Box]:
        """Boxes in `crs` that contain the region; empty if `crs` does not cover it."""
        return self.degree_boxes() if is_plain_degrees(crs) else _rim_box(self, crs, 0.02)

    def cut_at(self, crs: CRS) -> list[Box]:
        """Boxes in `crs` to which land is cut: those of the region, wider on every side."""
        wider = self.wider(_GUARD_M)
        return wider.degree_boxes(tenths=True) if is_plain_degrees(crs) else _rim_box(wider, crs, 0.03)


def cut(shapes: Shapes, boxes: list[Box], *, degrees: bool) -> Shapes:
    """Parts of shapes (N,) that lie in any of the boxes, as valid single shapes; points and lines too.

    With `degrees`, longitudes beyond 180 (0 to 360, or a polygon drawn across the antimeridian) are wrapped.
    """
    bounds = shapely.bounds(shapes)
    found: list[Any] = []
    for turn, box in turned_boxes(boxes, degrees=degrees):
        hit = shapes[(bounds[:, :2] <= box[2:]).all(axis=1) & (bounds[:, 2:] >= box[:2]).all(axis=1)]
        pieces = _valid(hit)
        sides = shapely.bounds(pieces)
        across = ((sides[:, :2] < box[:2]) | (sides[:, 2:] > box[2:])).any(axis=1)
        pieces[across] = shapely.intersection(pieces[across], shapely.box(*box))
        if turn:
            pieces = shapely.transform(pieces, lambda xy, by=turn: xy - (by, 0.0))
        found.extend(_singles(pieces))
    return _array(found)


def cut_land(shapes: Shapes, boxes: list[Box], *, degrees: bool) -> Shapes:
    """Polygons of land in the boxes, without the borders between neighbouring polygons."""
    pieces = cut(shapes, boxes, degrees=degrees)
    areas = pieces[shapely.get_dimensions(pieces) == 2]
    whole = np.array([shapely.disjoint_subset_union_all(areas)], object)
    return _array(piece for piece in _singles(whole) if shapely.get_dimensions(piece) == 2)


def coast_lines(land: Shapes, boxes: list[Box], *, degrees: bool) -> NDArray[np.float64]:
    """Edges (N, 2 ends, 2) of land that touch the boxes; `land` was cut to wider boxes.

    With `degrees`, edges along the antimeridian or at a pole are omitted: data sets are cut there, but land continues.
    """
    points, ring = shapely.get_coordinates(shapely.get_parts(shapely.boundary(land)), return_index=True)
    edges = np.stack([points[:-1], points[1:]], axis=1)[ring[:-1] == ring[1:]]
    low, high = edges.min(axis=1), edges.max(axis=1)
    near = np.zeros(len(edges), bool)
    for box in boxes:
        near |= (low <= box[2:]).all(axis=1) & (high >= box[:2]).all(axis=1)
    if degrees:
        near &= ~(np.abs(edges) >= np.array(_WORLD[2:]) - _TOLERANCE).all(axis=1).any(axis=1)
    return np.asarray(edges[near], np.float64)


def dense(shapes: Shapes, crs: CRS) -> Shapes:
    """Add points along the longer edges of shapes, so that they can be transformed to another reference system."""
    unit = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0  # metres, or radians
    step = _STEP_M / unit / (_EARTH_M if crs.is_geographic else 1.0)
    return np.asarray(shapely.segmentize(shapes, step), object)


def _rim_box(region: Region, crs: CRS, spare: float) -> list[Box]:
    round_about = np.linspace(0, TURN, _RIM_POINTS, endpoint=False)
    lon, lat, reach = (np.full(_RIM_POINTS, v) for v in (region.lon, region.lat, region.radius_m))
    rim = np.stack(_GEOD.fwd(lon, lat, round_about, reach)[:2], axis=1)
    points = np.stack(Transformer.from_crs(WGS84, crs, always_xy=True).transform(*rim.T), axis=1)
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) == 0:
        return []
    low, high = points.min(axis=0), points.max(axis=0)
    by = spare * (high - low).max()  # the outline is known only at points
    return [(low[0] - by, low[1] - by, high[0] + by, high[1] + by)]


def _valid(shapes: Shapes) -> Shapes:
    bad = ~shapely.is_valid(shapes)
    if bad.any():
        shapes = shapes.copy()
        shapes[bad] = shapely.make_valid(shapes[bad])
    return shapes


def _singles(shapes: Shapes) -> Shapes:
    """Points, lines and polygons of collections, also of nested ones, without empty shapes."""
    parts = shapely.get_parts(shapely.get_parts(shapes))
    return np.asarray(parts[~shapely.is_empty(parts)], object)


def _array(shapes: Any) -> Shapes:
    return np.fromiter(shapes, object)


def _down(degrees: float) -> float:
    return math.floor(degrees * 10) / 10


def _up(degrees: float) -> float:
    return math.ceil(degrees * 10) / 10
