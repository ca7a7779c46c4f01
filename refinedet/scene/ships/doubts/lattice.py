"""Members of a regular grid of point-like detections, as the turbines of a wind farm form one. Pure.

Turbines stand where they were surveyed, 400 to 2,000 m apart. A ship at anchor swings on its chain, by a hundred metres
and more, so anchored ships form no grid to within some tens of metres, not even in marked berths. A grid counts only if
chance does not explain it, and if most of what lies in it belongs to it. Irregular farms and single rows are not found.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

Metres = NDArray[np.float64]
"""(N, 2) places on the ground."""
Mask = NDArray[np.bool_]

TURBINE = "turbine"
"""Flag: the box is a member of a regular grid of point-like detections, such as a wind farm."""
LONGEST_M = 170.0
"""Longest detection that is point-like: Sentinel-1 shows turbines 70 to 145 m long, tower and side lobes included."""

_SPACING_M = (300.0, 2500.0)
_TOLERANCE_M, _TOLERANCE_SHARE = 45.0, 0.08
"""Largest distance of a member from its place in the grid: metres, and share of the spacing, whichever is less."""
_NEIGHBOURS = 8
"""Nearest detections of which two span a grid."""
_LEAST_SINE, _LONGER = 0.64, 2.5
"""Least sine of the angle between the axes of a grid, and largest ratio of their spacings."""
_RING = np.array([(-1, 0), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)], np.float64)
"""Places around a detection beside the two that span the grid."""
_LEAST_RING = 3
"""Least number of them that are taken."""
_REACH = 3
"""Steps of a grid on each side that are looked at."""
_LEAST_MEMBERS, _SPANNING = 9, 3
"""Least number of members, and how many of them only define the grid."""
_DOMINANT = 0.6
"""Least share of members among the detections within a grid."""
_BY_CHANCE = 1e-3
"""Grids by chance in a scene of random detections."""


def grid_members(places_m: Metres, point_like: Mask) -> Mask:
    """(N,) true for members of a regular grid.

    Args:
        places_m: (N, 2) middles of all detections.
        point_like: (N,) true for those that can be turbines.
    """
    members = np.zeros(len(places_m), np.bool_)
    own = np.flatnonzero(point_like)
    if len(own) < _LEAST_MEMBERS:
        return members
    from scipy.spatial import cKDTree  # only here: it takes 0.1 s to import

    points = places_m[own]
    tree, everything = cKDTree(points), cKDTree(places_m)
    axes, hits = _spans(points, tree)
    for seed in np.flatnonzero(hits >= _LEAST_RING).tolist():
        origin, basis = _fitted(points, tree, points[seed], axes[seed])
        around = np.array(everything.query_ball_point(origin, _far(basis)), np.int64)
        found = _members(places_m[around], point_like[around], origin, basis, len(places_m))
        members[around[found]] = True
    return members


def _spans(points: Metres, tree: cKDTree) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Axes (N, 2, 2) of the best grid around each point, a row each, and how many places around it are taken (N,)."""
    least, most = _SPACING_M
    near, which = tree.query(points, k=1 + 2 * _NEIGHBOURS, distance_upper_bound=most)
    best, axes = np.zeros(len(points), np.int64), np.zeros((len(points), 2, 2))
    fits = np.isfinite(near) & (near >= least)
    order = np.argsort(~fits, axis=1, kind="stable")[:, :_NEIGHBOURS]  # the nearest that fit come first
    fits, which = np.take_along_axis(fits, order, 1), np.take_along_axis(which, order, 1)
    steps = points[np.minimum(which, len(points) - 1)] - points[:, None]
    for a, b in combinations(range(fits.shape[1]), 2):
        rows = np.flatnonzero(fits[:, a] & fits[:, b])
        basis = steps[rows][:, [a, b]]
        sides = np.hypot(*np.moveaxis(basis, -1, 0))
        sine = np.abs(np.linalg.det(basis)) / sides.prod(axis=1)
        good = (sine >= _LEAST_SINE) & (sides.max(axis=1) <= _LONGER * sides.min(axis=1))
        rows, basis = rows[good], basis[good]
        apart, _ = tree.query(points[rows][:, None] + _RING @ basis, distance_upper_bound=_TOLERANCE_M)
        hits = (apart <= _tolerance(basis)[:, None]).sum(axis=1)
        better = hits > best[rows]
        best[rows[better]], axes[rows[better]] = hits[better], basis[better]
    return axes, best


def _fitted(points: Metres, tree: cKDTree, origin: Metres, basis: Metres) -> tuple[Metres, Metres]:
    """Origin and axes of a grid by least squares of the places around it that are taken."""
    steps = np.concatenate([np.zeros((1, 2)), np.eye(2), _RING])
    apart, which = tree.query(origin + steps @ basis)
    taken = apart <= float(_tolerance(basis[None])[0])
    known = np.c_[np.ones(int(taken.sum())), steps[taken]]
    fitted = np.linalg.lstsq(known, points[which[taken]], rcond=None)[0]
    return fitted[0], fitted[1:]


def _members(places: Metres, point_like: Mask, origin: Metres, basis: Metres, count: int) -> Mask:
    """(M,) true for members of a grid among the detections around it; none if it is no grid that chance excludes."""
    steps = np.linalg.solve(basis.T, (places - origin).T).T
    whole = np.rint(steps)
    tolerance = float(_tolerance(basis[None])[0])
    on = point_like & (np.hypot(*((steps - whole) @ basis).T) <= tolerance) & (np.abs(whole) <= _REACH).all(axis=1)
    within = int((np.abs(steps) <= _REACH + 0.5).all(axis=1).sum())
    taken = len(np.unique(whole[on], axis=0))
    if taken < max(_LEAST_MEMBERS, _DOMINANT * within):
        return np.zeros(len(places), np.bool_)
    share = np.pi * tolerance**2 / abs(np.linalg.det(basis))
    grids = count * _NEIGHBOURS * (_NEIGHBOURS - 1) / 2
    chance = grids * bdtrc(taken - _SPANNING - 1, within - _SPANNING, share)
    return on if chance <= _BY_CHANCE else np.zeros(len(places), np.bool_)


def _tolerance(basis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Tolerance (N,) of grids with the axes (N, 2, 2)."""
    spacing = np.hypot(*np.moveaxis(basis, -1, 0)).min(axis=1)
    return np.asarray(np.minimum(_TOLERANCE_M, _TOLERANCE_SHARE * spacing))


def _far(basis: Metres) -> float:
    """Distance of the farthest corner of a grid from its origin."""
    corners = (_REACH + 0.5) * np.array([(1, 1), (1, -1)]) @ basis
    return float(np.hypot(*corners.T).max())
