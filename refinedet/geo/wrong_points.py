"""Ground control points that contradict the others: found by how far each lies from where the others put it.

The places of pixels are a smooth function of the pixels, so a polynomial of low degree, with the height as one more
term, fits them to a small part of the scene. A point that was mistyped, or set on the wrong place, does not follow it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyproj.exceptions import ProjError

from refinedet.geo.position import places_on_plane
from refinedet.raster import RasterInfo

Values = NDArray[np.float64]

_SPARE = 2
"""Least number of points beyond those that fix the polynomial, to tell which one is wrong."""
_MOST_SHARE = 0.1
"""Largest share of the points that is left out, at least one."""
_TIMES, _LEAST_PX = 10.0, 10.0
"""Least distance of a wrong point, as a multiple of the median distance of the others, and in pixels."""
_UNEVEN = 0.01
"""Distance from an even grid, as a share of the scene, from which too few points to tell one apart do not agree."""
_BELOW_ONE = 0.999


@dataclass(frozen=True, slots=True)
class PointCheck:
    """Outcome of a check of N points."""

    kept: NDArray[np.bool_]
    """(N,) true for points that agree with each other."""
    off_m: Values
    """(N,) metres from where the kept points put each point."""
    agree: bool = True
    """False if the points contradict each other, but none can be told apart."""


def check_points(info: RasterInfo) -> PointCheck | None:
    """Check the control points of a scene; None if they are too few, or their reference system cannot be used."""
    pixels = np.array([(point.pixel, point.line) for point in info.gcps], np.float64)
    heights = np.array([point.z for point in info.gcps], np.float64)
    flat = points_on_plane(info)
    if flat is None or not np.isfinite(heights).all():
        return None
    scaled = (pixels - pixels.mean(axis=0)) / max(float(np.ptp(pixels, axis=0).max()), 1.0)
    terms = next((made for degree in (2, 1) if _is_enough(made := _terms(scaled, heights, degree))), None)
    if terms is None:
        return _check_few(_terms(scaled, heights, 1), flat)
    pixel_m = float(np.ptp(flat, axis=0).max() / max(np.ptp(pixels, axis=0).max(), 1.0))
    return _without_wrong(terms, flat, _LEAST_PX * pixel_m)


def points_on_plane(info: RasterInfo) -> Values | None:
    """Places (N, 2) of the control points of a scene in metres east and north on a plane around them; None: unknown."""
    if not info.gcps or info.gcp_crs is None:
        return None
    try:
        found = places_on_plane(np.array([(point.x, point.y) for point in info.gcps], np.float64), info.gcp_crs)
    except ProjError:
        return None
    return None if found is None else found[1]


def _terms(scaled: Values, heights: Values, degree: int) -> Values:
    """Terms (N, T) of a polynomial in pixels, without those that never vary."""
    x, y = scaled.T
    made = [np.ones_like(x), x, y] + ([x * x, x * y, y * y] if degree == 2 else [])
    if np.ptp(heights) > 0:
        made.append((heights - heights.mean()) / np.ptp(heights))
    return np.stack(made, axis=1)


def _is_enough(terms: Values) -> bool:
    return bool(len(terms) >= terms.shape[1] + _SPARE and np.linalg.matrix_rank(terms) == terms.shape[1])


def _check_few(terms: Values, flat: Values) -> PointCheck | None:
    """Check points of which none can be told apart; None if they fit any grid."""
    if len(terms) <= terms.shape[1]:
        return None
    off = np.hypot(*(flat - terms @ np.linalg.lstsq(terms, flat, rcond=None)[0]).T)
    size = float(np.hypot(*np.ptp(flat, axis=0)))
    return PointCheck(np.ones(len(terms), np.bool_), off, bool(off.max() <= _UNEVEN * size))


def _without_wrong(terms: Values, flat: Values, least_m: float) -> PointCheck:
    """Leave out the point that lies farthest from where the others put it, until all agree."""
    kept = np.ones(len(terms), np.bool_)
    for _ in range(max(1, int(_MOST_SHARE * len(terms))) + 1):
        off = _distances(terms, flat, kept)
        worst = int(np.argmax(np.where(kept, off, -1.0)))
        rest = kept.copy()
        rest[worst] = False
        if off[worst] <= max(least_m, _TIMES * float(np.median(_distances(terms, flat, rest)[rest]))):
            return PointCheck(kept, off)
        kept = rest
    return PointCheck(np.ones(len(terms), np.bool_), off, agree=False)


def _distances(terms: Values, flat: Values, kept: NDArray[np.bool_]) -> Values:
    """Metres (N,) from each point to where the kept points without itself put it."""
    solved = np.linalg.pinv(terms[kept])
    off = np.hypot(*(flat - terms @ (solved @ flat[kept])).T)
    weight = np.einsum("ij,ji->i", terms[kept], solved)  # influence of a point on its own place
    off[kept] /= 1 - np.minimum(weight, _BELOW_ONE)
    return np.asarray(off)
