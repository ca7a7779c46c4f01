"""Survey of the land around a scene: distance of each ship to the coast, ships on land, and places of the user's files.

The nearest coast is searched on a plane that touches the earth in the middle of the scene, so that the poles and the
antimeridian need no special treatment. Its distance is measured along the ellipsoid.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.enums import TransformDirection

from refinedet.boxes import Boxes
from refinedet.config.options.land import COAST_RANGE_M, LandSettings
from refinedet.errors import FileError, InputError
from refinedet.geo.position import Points, Position, distances_m, local_plane
from refinedet.geo.reference import WGS84, Shapes, is_plain_degrees
from refinedet.geo.vectors import read_layers
from refinedet.scene.land.absent import absent_note, crossed_note, unread_note, water_note
from refinedet.scene.land.coastline import coastline
from refinedet.scene.land.region import Region, coast_lines, cut, cut_land, dense

LAND = "land"
"""Flag, and reason for a drop: the centre of the box lies on land, farther than the buffer from any coast."""
SHORE = "shore"
"""Flag: the centre of the box lies within the buffer of a coast, on either side of it."""
PLATFORM = "platform"
"""Flag: the centre of the box lies at a platform or turbine of the user's file."""
FIXED = "fixed"
"""Flag: the centre of the box lies at a fixed object of the user's file."""
EXCLUDED = "excluded"
"""Reason for a drop: the user excluded the place."""

_REACH_M = 1_500_000.0
"""Largest distance from the middle of the scene; farther out, the error of the plane exceeds 1 %."""
_OUTLINE_POINTS = 17
"""Points along each side of the scene, from which its extent is computed."""

_SURELY = 1.05
"""Largest factor between a distance on the plane and the true distance."""

_POINT_M2 = 1e-12
"""Square of the length below which an edge is a point."""

_LOGGER = logging.getLogger(__name__)


class Verdict(NamedTuple):
    """Verdict on N detections, K of which are kept."""

    keep: NDArray[np.bool_]
    """(N,) false for dropped detections."""
    coast_m: NDArray[np.float64]
    """(K,) metres along the ellipsoid to the nearest coast, from land or sea; NaN beyond COAST_RANGE_M or unknown."""
    flags: tuple[tuple[str, ...], ...]
    """(K,) flags FIXED, LAND, PLATFORM and SHORE."""
    dropped: dict[str, int]
    """Number of dropped detections by reason, without reasons that have none."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Land, excluded places, platforms and fixed objects around one scene, on a plane. `survey` makes it."""

    settings: LandSettings
    position: Position | None = None
    plane: Transformer | None = None
    """Transformer from degrees to the plane; None: nothing is known, so nothing is dropped."""
    land: Shapes | None = None
    """Polygons of land; None: unknown; empty: no land."""
    coast: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2, 2)))
    """Edges of the coast (M, 2 ends, 2)."""
    excluded: Shapes = field(default_factory=lambda: np.zeros(0, object))
    platforms: Shapes = field(default_factory=lambda: np.zeros(0, object))
    fixed: Shapes = field(default_factory=lambda: np.zeros(0, object))
    notes: tuple[str, ...] = ()
    """Facts that the user should know, a sentence each."""

    def judge(self, boxes_xyxy: Boxes) -> Verdict:
        """Flag and drop detections with boxes (N, 4) in the scene, by the places of their centres."""
        count = len(boxes_xyxy)
        coast_m, (on_land, excluded, platform, fixed) = np.full(count, np.nan), np.zeros((4, count), bool)
        if self.position is not None and self.plane is not None:
            x1, y1, x2, y2 = np.asarray(boxes_xyxy, np.float64).T
            lonlat = self.position.lonlat(np.stack([x1 + x2, y1 + y2], axis=1) / 2)
            known = np.flatnonzero(np.isfinite(lonlat).all(axis=1))
            flat = np.stack(self.plane.transform(*lonlat[known].T), axis=1)
            points = shapely.STRtree(shapely.points(flat))
            excluded[known[_hit(points, self.excluded, "dwithin", self.settings.exclude_m)]] = True
            platform[known[_hit(points, self.platforms, "dwithin", self.settings.platforms_m)]] = True
            fixed[known[_hit(points, self.fixed, "dwithin", self.settings.fixed_m)]] = True
            if self.land is not None:
                on_land[known[_hit(points, self.land, "intersects")]] = True
                coast_m[known] = self._coast_m(lonlat[known], flat)
        at_shore = coast_m <= self.settings.land_buffer_m
        on_land &= ~at_shore
        why = np.where(excluded, EXCLUDED, np.where(on_land & (self.settings.mask == "drop"), LAND, ""))
        keep = why == ""
        masks = {FIXED: fixed, LAND: on_land, PLATFORM: platform, SHORE: at_shore}
        flags = [tuple(name for name, mask in masks.items() if mask[i]) for i in range(count)]
        reasons = Counter(why[~keep].tolist())
        return Verdict(keep, coast_m[keep], tuple(compress(flags, keep)), dict(sorted(reasons.items())))

    def inland(self, rects: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(N,) true for boxes (N, 4) [x1, y1, x2, y2] of the scene in which all detections are on land, not at a shore.

        False if this is not certain: near a coast, and if a box lies on two polygons.
        """
        sure = np.zeros(len(rects), bool)
        if self.position is None or self.plane is None or self.land is None or not len(self.land):
            return sure
        along = np.linspace(0, 1, _OUTLINE_POINTS)[:-1]
        ring = np.stack([along, 0 * along], axis=1)
        ring = np.concatenate([ring, [1, 0] + ring[:, ::-1], 1 - ring, [0, 1] - ring[:, ::-1]])  # around a unit square
        corners = rects.reshape(-1, 2, 2)
        outlines = corners[:, None, 0] + ring * (corners[:, None, 1] - corners[:, None, 0])
        lonlat = self.position.lonlat(outlines.reshape(-1, 2)).reshape(outlines.shape)
        known = np.flatnonzero(np.isfinite(lonlat).all(axis=(1, 2)))
        flat = np.stack(self.plane.transform(*lonlat[known].reshape(-1, 2).T), axis=1).reshape(-1, *ring.shape)
        places = shapely.STRtree(shapely.polygons(flat))
        sure[known[_hit(places, self.land, "contains")]] = True
        coast = shapely.linestrings(self.coast)
        sure[known[_hit(places, coast, "dwithin", _SURELY * self.settings.land_buffer_m)]] = False
        return sure

    def on_land(self, xy: Points) -> NDArray[np.bool_] | None:
        """(N,) true for places (N, 2) in pixels of the scene that lie on land; None if land is unknown."""
        return None if self.position is None else self.land_at(self.position.lonlat(xy))

    def land_at(self, lonlat: Points) -> NDArray[np.bool_] | None:
        """(N,) true for places (N, 2) in degrees that lie on land; None if land is unknown."""
        if self.plane is None or self.land is None:
            return None
        known = np.flatnonzero(np.isfinite(lonlat).all(axis=1))
        flat = np.stack(self.plane.transform(*lonlat[known].T), axis=1)
        found = np.zeros(len(lonlat), bool)
        near = _among(self.land, flat)
        if len(near):  # far from land, skip the creation of points
            found[known[_hit(shapely.STRtree(shapely.points(flat)), near, "intersects")]] = True
        return found

    def _coast_m(self, lonlat: Points, flat: Points) -> NDArray[np.float64]:
        """Metres to the nearest edge, searched on the plane and measured on the ellipsoid."""
        if self.plane is None or len(self.coast) == 0:
            return np.full(len(flat), np.nan)
        nearest = shapely.STRtree(shapely.linestrings(self.coast)).nearest(shapely.points(flat))
        start, end = self.coast[nearest, 0], self.coast[nearest, 1]
        along = end - start
        share = ((flat - start) * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), _POINT_M2)
        foot = start + np.clip(share, 0, 1)[:, None] * along
        foot_lonlat = self.plane.transform(foot[:, 0], foot[:, 1], direction=TransformDirection.INVERSE)
        metres = distances_m(lonlat, np.stack(foot_lonlat, axis=1))
        metres[metres > COAST_RANGE_M] = np.nan
        return metres


def survey(
    position: Position | None, width_px: int, height_px: int, settings: LandSettings | None = None
) -> Surroundings:
    """Read land and the places of the user's files around a scene of that size, once, before detection.

    Unknown land gives a note, or an error if the settings require land. A scene without a position gets no note here,
    because the missing position concerns more than the land.

    Raises:
        FileError, InputError: a file of the user cannot be used, or a required coastline cannot be read.
    """
    settings = settings or LandSettings()
    files = (settings.exclude, settings.platforms, settings.fixed)
    if position is None or (settings.mask == "off" and not any(files)):
        return Surroundings(settings)
    outline = _outline(position, width_px, height_px)
    if outline is None:
        return _unknown(
            settings, "no place of the scene is on the earth, so land, exclusions and platforms are not used"
        )
    plane = local_plane(outline)
    lon, lat = plane.transform(0.0, 0.0, direction=TransformDirection.INVERSE)
    radius_m = float(np.hypot(*plane.transform(*outline.T)).max())
    if not radius_m + COAST_RANGE_M <= _REACH_M:
        return _unknown(settings, "the scene is too large, so land, exclusions and platforms are not used")
    region = Region(float(lon), float(lat), radius_m)
    excluded, notes = _places(settings.exclude, "excluded place", region.wider(settings.exclude_m), plane)
    platforms, more = _places(settings.platforms, "platform", region.wider(settings.platforms_m), plane)
    fixed, further = _places(settings.fixed, "fixed object", region.wider(settings.fixed_m), plane)
    shapes = {"excluded": excluded, "platforms": platforms, "fixed": fixed}
    named = Surroundings(settings, position, plane, **shapes, notes=notes + more + further)
    return named if settings.mask == "off" else _with_land(named, region, plane, outline)


def _with_land(named: Surroundings, region: Region, plane: Transformer, outline: Points) -> Surroundings:
    """Surroundings with land, or with a note that land is unknown."""
    settings, wide = named.settings, region.wider(COAST_RANGE_M)
    try:
        pieces = _own(settings.land, wide) if settings.land else [(coastline(wide.cut_at(WGS84)), WGS84)]
        found = [_on_plane(land, crs, wide, plane) for land, crs in pieces]
    except FileError as error:
        if settings.insists:
            raise
        _LOGGER.info(str(error))
        return replace(named, notes=(*named.notes, str(error)))
    land = np.concatenate([np.zeros(0, object), *(polygons for polygons, _ in found)])
    coast = np.concatenate([np.zeros((0, 2, 2)), *(edges for _, edges in found)])
    known = replace(named, land=land, coast=coast)
    if settings.land is None:
        return known
    if len(land) == 0:
        return replace(known, notes=(*named.notes, absent_note(settings.land, "land", wide)))
    on_land = known.land_at(outline)
    note = None if on_land is None else water_note(settings.land, on_land, outline, region)
    return known if note is None else replace(known, notes=(*named.notes, note))


def _unknown(settings: LandSettings, note: str) -> Surroundings:
    _LOGGER.info(note)
    return Surroundings(settings, notes=(note,))


def _outline(position: Position, width_px: int, height_px: int) -> Points | None:
    """Places in degrees, spread over the scene and its border; None if none is on the earth."""
    x, y = np.meshgrid(np.linspace(0, width_px, _OUTLINE_POINTS), np.linspace(0, height_px, _OUTLINE_POINTS))
    lonlat = position.lonlat(np.stack([x.ravel(), y.ravel()], axis=1))
    known = lonlat[np.isfinite(lonlat).all(axis=1)]
    return known if len(known) else None


def _own(path: Path, region: Region) -> list[tuple[Shapes, CRS]]:
    pieces = []
    for shapes, crs in read_layers(path, region.cut_at):
        if (shapely.get_dimensions(shapes) < 2).any():
            kind = shapes[shapely.get_dimensions(shapes) < 2][0].geom_type
            raise InputError(f"expected polygons of land in {path}, found a {kind}; a coastline alone has no inside")
        pieces.append((cut_land(shapes, region.cut_at(crs), degrees=is_plain_degrees(crs)), crs))
    return pieces


def _places(path: Path | None, what: str, region: Region, plane: Transformer) -> tuple[Shapes, tuple[str, ...]]:
    """Shapes of the user's file near the scene, on the plane, and notes if it has none, crossed or unread ones."""
    found, crossed = [np.zeros(0, object)], 0
    if path is None:
        return found[0], ()
    for shapes, crs in read_layers(path, region.cut_at):
        crossed += int((~shapely.is_valid(shapes)).sum())
        near = cut(shapes, region.cut_at(crs), degrees=is_plain_degrees(crs))
        found.append(shapely.transform(dense(near, crs), _to_plane(crs, plane)))
    there = np.concatenate(found)
    notes = [unread_note(path), crossed_note(path, crossed) if crossed and len(there) else None]
    if not len(there):
        notes.append(absent_note(path, what, region))
    return there, tuple(note for note in notes if note is not None)


def _on_plane(land: Shapes, crs: CRS, region: Region, plane: Transformer) -> tuple[Shapes, NDArray[np.float64]]:
    """Polygons, and edges of the coast (M, 2 ends, 2), on the plane."""
    move = _to_plane(crs, plane)
    land = dense(land, crs)
    edges = coast_lines(land, region.looked_at(crs), degrees=is_plain_degrees(crs))
    return shapely.transform(land, move), move(edges.reshape(-1, 2)).reshape(-1, 2, 2)


def _to_plane(crs: CRS, plane: Transformer) -> Callable[[Points], Points]:
    to_lonlat = Transformer.from_crs(crs, WGS84, always_xy=True)

    def move(xy: Points) -> Points:
        return np.stack(plane.transform(*to_lonlat.transform(*xy.T)), axis=1)

    return move


def _among(shapes: Shapes, points: Points) -> Shapes:
    """Shapes whose bounds intersect the common bounds of points (N, 2)."""
    if len(points) == 0:
        return shapes[:0]
    x1, y1, x2, y2 = shapely.bounds(shapes).T
    (left, top), (right, bottom) = np.fmin.reduce(points), np.fmax.reduce(points)
    return np.asarray(shapes[(x1 <= right) & (x2 >= left) & (y1 <= bottom) & (y2 >= top)])


def _hit(places: shapely.STRtree, shapes: Shapes, relation: str, distance: float | None = None) -> NDArray[np.int64]:
    """Indices of the places that have this spatial relation to any of the shapes."""
    return np.unique(places.query(shapes, predicate=relation, distance=distance)[1])
