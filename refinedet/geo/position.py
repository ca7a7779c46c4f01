"""Longitude and latitude of the pixels of a scene, and lengths in metres along the ellipsoid.

An affine transform in any reference system, or ground control points (GCPs), locate a scene. Points are mapped one by
one; the scene is never warped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer
from pyproj.enums import TransformDirection
from pyproj.exceptions import ProjError

from refinedet.boxes import Boxes
from refinedet.raster import RasterInfo
from refinedet.raster.info import counts_pixels

Points = NDArray[np.float64]
"""(N, 2) float64: pixels [x, y] in the half-open convention, or degrees [longitude, latitude] on WGS 84."""

_WGS84 = "EPSG:4326"
LACKS_SYSTEM = "its coordinates lack a reference system"
NO_MAP = "its reference system is that of no map, so it ties the scene to no place on the earth"
OFF_EARTH = "its coordinates lie outside of the earth"
"""Reasons why a scene has no position, for which a reference system is the remedy."""
_MOST_DEG = (540.0, 90.0)
"""Largest valid longitude and latitude: a scene may cross 180 or 360 degrees, but no more."""
_GCP_SHIFT = {"edge": 0.0, "centre": 0.5}
"""Shift from the pixels of GCPs to those of boxes, where the centre of pixel i is i + 0.5."""
_EXACT_SPLINE_POINTS = 1000
"""Most points of an exact thin-plate spline; with more, only the nearest ones are used, to bound time and memory."""
_LINE = 0.05
"""Least ratio of the sides of a pixel by control points: those of one latitude lie on a curve, and no radar has it."""
_GEOD = Geod(ellps="WGS84")


@dataclass(frozen=True, slots=True)
class Position:
    """Position of the pixels of one scene on the earth. Made by `locate`."""

    mapping: Callable[[Points], Points]
    """Pixels (N, 2) to degrees (N, 2)."""

    def lonlat(self, points_xy: Points) -> Points:
        """Degrees [lon, lat] (N, 2) of pixel positions [x, y] (N, 2); longitude in [-180, 180], NaN where undefined."""
        if len(points_xy) == 0:
            return np.zeros((0, 2))
        degrees = np.array(self.mapping(np.asarray(points_xy, np.float64)), np.float64)
        with np.errstate(invalid="ignore"):
            degrees[~(np.abs(degrees) <= _MOST_DEG).all(axis=1)] = np.nan
        degrees[:, 0] = (degrees[:, 0] + 180.0) % 360.0 - 180.0
        return degrees

    def corners(self, boxes_xyxy: Boxes) -> NDArray[np.float64]:
        """Degrees (N, 4, 2) of the corners of boxes: top left, bottom left, bottom right, top right in the picture."""
        x1, y1, x2, y2 = np.asarray(boxes_xyxy, np.float64).T
        pixels = np.stack([x1, y1, x1, y2, x2, y2, x2, y1], axis=1).reshape(-1, 2)
        return self.lonlat(pixels).reshape(-1, 4, 2)


def locate(info: RasterInfo) -> Position | None:
    """Position of a scene; None if it has no usable position, and `why_nowhere` has the reason.

    A transform without a reference system does not locate the scene, and gives None.
    """
    found = _located(info)
    return None if isinstance(found, str) else found


def why_nowhere(info: RasterInfo) -> str | None:
    """Reason why `locate` gives None, as the end of a sentence; None if the scene has a position."""
    found = _located(info)
    return found if isinstance(found, str) else None


@lru_cache(maxsize=8)  # a run asks several times, and fitting the grid of a product takes 11 ms
def _located(info: RasterInfo) -> Position | str:
    """Position of a scene, or the reason why there is none."""
    try:
        if info.gcps and info.gcp_crs:
            return _on_earth(_from_gcps(info, info.gcp_crs), info)
        if info.transform and info.crs and not counts_pixels(info.transform, info.height):
            return _on_earth(_from_transform(info.transform, info.crs), info) if _is_of_map(info.crs) else NO_MAP
    except ProjError as error:
        return f"its reference system cannot be used ({' '.join(str(error).split())})"
    if info.gcps or (info.transform and not info.crs and not counts_pixels(info.transform, info.height)):
        return LACKS_SYSTEM
    if info.crs:
        return "its file names a reference system but no transform"
    return "its file holds no coordinates"


def _is_of_map(crs: str) -> bool:
    """True for degrees or a projection; local, vertical and geocentric systems do not place the pixels of a picture."""
    system = CRS.from_user_input(crs)
    return bool(system.is_geographic or system.is_projected)


def _on_earth(found: Position | str, info: RasterInfo) -> Position | str:
    """Refuse a position that puts the middle of the scene off the earth."""
    if isinstance(found, str) or np.isfinite(found.lonlat(np.array([[info.width / 2, info.height / 2]]))).all():
        return found
    return OFF_EARTH


def distances_m(start_lonlat: Points, end_lonlat: Points) -> NDArray[np.float64]:
    """Metres (N,) along the WGS 84 ellipsoid between points (N, 2); NaN where a point is undefined."""
    metres: NDArray[np.float64] = _geodesics(start_lonlat, end_lonlat)[1]
    return metres


def azimuths_deg(start_lonlat: Points, end_lonlat: Points) -> NDArray[np.float64]:
    """Directions (N,) at the start, clockwise from north, in [0, 360); NaN where a point is undefined."""
    forward: NDArray[np.float64] = _geodesics(start_lonlat, end_lonlat)[0] % 360
    return forward


def moved(start_lonlat: Points, azimuth_deg: NDArray[np.float64], metres: NDArray[np.float64]) -> Points:
    """Places (N, 2) at distances `metres` (N,) from others (N, 2), in directions (N,) clockwise from north."""
    lon, lat, _ = _GEOD.fwd(start_lonlat[:, 0], start_lonlat[:, 1], azimuth_deg, metres)
    return np.stack([lon, lat], axis=1)


def _geodesics(start_lonlat: Points, end_lonlat: Points) -> NDArray[np.float64]:
    """(2, N) direction at the start and length; NaN where a point is undefined."""
    result = np.full((2, len(start_lonlat)), np.nan)
    known = np.isfinite(start_lonlat).all(axis=1) & np.isfinite(end_lonlat).all(axis=1)
    if known.any():
        start, end = start_lonlat[known], end_lonlat[known]
        forward, _, metres = _GEOD.inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
        result[:, known] = forward, metres
    return result


def local_plane(lonlat: Points) -> Transformer:
    """Transformer from degrees (lon, lat) to metres (x, y) on the plane that touches the earth in the middle of points.

    `lonlat` is (N, 2). Distances from the middle are exact; others are right to 0.01 % within 150 km of it.
    """
    lon, lat = np.radians(lonlat).T
    x, y, z = np.mean([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    middle_lon, middle_lat = np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))
    plane = CRS.from_proj4(f"+proj=aeqd +lon_0={middle_lon} +lat_0={middle_lat} +datum=WGS84 +units=m")
    return Transformer.from_crs(_WGS84, plane, always_xy=True)


def places_on_plane(places: NDArray[np.float64], crs: str) -> tuple[Transformer, NDArray[np.float64]] | None:
    """Plane around places (N, 2) in a reference system, as `local_plane` makes it, and the places (N, 2) on it.

    None if a place lies outside of the earth.

    Raises:
        ProjError: the reference system cannot be used.
    """
    lon, lat = Transformer.from_crs(CRS.from_user_input(crs), _WGS84, always_xy=True).transform(*places.T)
    degrees = np.stack([lon, lat], axis=1)
    if not (np.abs(degrees) <= _MOST_DEG).all():
        return None
    plane = local_plane(degrees)
    return plane, np.stack(plane.transform(lon, lat), axis=1)


def _from_transform(transform: tuple[float, float, float, float, float, float], crs: str) -> Position:
    to_lonlat = Transformer.from_crs(CRS.from_user_input(crs), _WGS84, always_xy=True)
    a, b, c, d, e, f = transform

    def mapping(pixels: Points) -> Points:
        x, y = pixels.T
        return np.stack(to_lonlat.transform(a * x + b * y + c, d * x + e * y + f), axis=1)

    return Position(mapping)


def _from_gcps(info: RasterInfo, crs: str) -> Position | str:
    """Splines from pixels to metres on a plane around the scene; poles and the antimeridian need no special case."""
    pixels = np.array([(p.pixel, p.line) for p in info.gcps]) + _GCP_SHIFT[info.gcp_zero]
    pixels, first = np.unique(pixels, axis=0, return_index=True)
    if np.linalg.matrix_rank(pixels - pixels.mean(axis=0)) < 2:
        return "its ground control points lie on one line"
    on_plane = places_on_plane(np.array([(p.x, p.y) for p in info.gcps])[first], crs)
    if on_plane is None:
        return "its ground control points lie outside of the earth"
    plane, flat = on_plane
    if _narrowness(flat) < _LINE * _narrowness(pixels):
        return "its ground control points lie on one line or at one place of the earth"
    spline = _grid_spline(pixels, flat) or _thin_plate_spline(pixels, flat)

    def mapping(points: Points) -> Points:
        x, y = spline(points).T
        return np.stack(plane.transform(x, y, direction=TransformDirection.INVERSE), axis=1)

    return Position(mapping)


def _narrowness(points: Points) -> float:
    """Extent of points (N, 2) across their longest direction, relative to that along it; 0 for a single place."""
    along, across = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return float(across / along) if along > 0 else 0.0


def _grid_spline(pixels: Points, flat: NDArray[np.float64]) -> Callable[[Points], NDArray[np.float64]] | None:
    """Bicubic spline, exact at the points, if they form a full grid; else None."""
    columns, lines = np.unique(pixels[:, 0]), np.unique(pixels[:, 1])
    if len(columns) * len(lines) != len(pixels):
        return None
    from scipy.interpolate import RectBivariateSpline  # imported only here, because it takes 0.2 s

    grid = flat.reshape(len(columns), len(lines), 2)  # np.unique sorted the points by column, then line
    degree_x, degree_y = min(3, len(columns) - 1), min(3, len(lines) - 1)
    splines = [RectBivariateSpline(columns, lines, grid[..., k], kx=degree_x, ky=degree_y, s=0) for k in range(2)]
    low, high = pixels.min(axis=0), pixels.max(axis=0)

    def evaluate(points: Points) -> NDArray[np.float64]:
        # FITPACK repeats the border value outside the grid; this code extrapolates beyond the outer GCPs.
        inside = np.clip(points, low, high)
        beyond = points - inside
        value = np.stack([s.ev(*inside.T) for s in splines], axis=1)
        for axis, degree in enumerate((degree_x, degree_y)):
            if beyond[:, axis].any():
                value += slope(inside, axis, degree) * beyond[:, axis : axis + 1]
        return np.asarray(value, np.float64)

    def slope(inside: Points, axis: int, degree: int) -> NDArray[np.float64]:
        if degree > 1:
            dx, dy = (1, 0) if axis == 0 else (0, 1)
            return np.stack([s.ev(*inside.T, dx=dx, dy=dy) for s in splines], axis=1)
        # FITPACK has no derivative of a spline of degree 1; that has two nodes here, and one slope between them
        ends = np.stack([inside, inside])
        ends[0, :, axis], ends[1, :, axis] = low[axis], high[axis]
        first, last = (np.stack([s.ev(*end.T) for s in splines], axis=1) for end in ends)
        return np.asarray((last - first) / (high - low)[axis], np.float64)

    return evaluate


def _thin_plate_spline(pixels: Points, flat: NDArray[np.float64]) -> Callable[[Points], NDArray[np.float64]]:
    """Spline through scattered points, exact at each of them."""
    from scipy.interpolate import RBFInterpolator  # as above

    middle, scale = pixels.mean(axis=0), np.ptp(pixels, axis=0).max()
    neighbours = None if len(pixels) <= _EXACT_SPLINE_POINTS else 64
    spline = RBFInterpolator((pixels - middle) / scale, flat, neighbors=neighbours, kernel="thin_plate_spline")
    return lambda points: np.asarray(spline((points - middle) / scale), np.float64)
