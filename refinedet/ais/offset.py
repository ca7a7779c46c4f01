"""Offset of a whole scene from AIS in place and time, and other statistics of the matches. Pure.

A wrong position of the scene shifts all ships by one vector. A wrong clock shifts each ship along its own velocity. All
pairs of a detection and a ship first vote for the offset: true pairs agree, and the others scatter. Then a fit to the
matches gives both offsets; the larger a residual, the less it counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

from refinedet.ais.assignment import distance_squared

Array = NDArray[np.float64]

REACH_M, REACH_S = 750.0, 60.0
"""Largest offset that is searched for, in metres and in seconds."""

_CELL_M, _STEP_S = 40.0, 10.0
_CHANCE, _VOTES, _COMMON, _RARE = 1e-4, 5, 0.95, 0.1
"""Largest probability that so many pairs agree by chance in any cell, and the fewest pairs. The rate of chance pairs is
that of this quantile of the cells or of the cell without offset, and at least the last number."""
_FEWEST = 5
"""Fewest matches for the fit of an offset; for the clock, fewest matches with moving ships."""
_MOVING_M_S, _LEAST_TURN = 2.0, 0.1
"""Least speed of a moving ship, and the least share of the velocities across the common course: if all ships move in
one direction, a wrong clock looks like a wrong place."""
_ROUNDS = 30
_TAIL = 5.0
"""Degrees of freedom of the residuals (Student's t)."""
_SURE = 3.0
"""Number of standard errors above which an offset is corrected."""
_EDGES_M = (0, 15, 25, 50, 75, 100, 150, 200, np.inf)


@dataclass(frozen=True, slots=True)
class SceneOffset:
    """Offset of the detections of a scene from the ships of AIS."""

    east_m: float = 0.0
    north_m: float = 0.0
    clock_s: float = 0.0
    """Seconds by which the detections are ahead of AIS along the courses of the ships."""
    error_m: float = float("nan")
    """Standard error of the offset on the ground, of the larger axis; NaN if none was fitted."""
    clock_error_s: float = float("nan")
    ships: int = 0
    """Number of matches that it was fitted to."""

    def moved_by(self, velocity_m_s: Array) -> Array:
        """Shifts [east, north] (K, 2) in metres of the detections of ships with these velocities (K, 2)."""
        return np.array([self.east_m, self.north_m]) + self.clock_s * velocity_m_s


def vote(residual_m: Array, velocity_m_s: Array) -> SceneOffset:
    """Offset that most pairs agree on, from residuals (P, 2) and velocities (P, 2); none if it is not significant.

    Pairs that lie farther than REACH_M may be left out.
    """
    count, best, accidents, cells = 0.0, SceneOffset(), _RARE, 0
    for clock_s in np.arange(-REACH_S, REACH_S + _STEP_S, _STEP_S):
        votes, edges = _votes(residual_m - clock_s * velocity_m_s)
        cells += votes.size
        if abs(clock_s) < _STEP_S / 2:
            accidents = max(_RARE, float(votes[len(votes) // 2, len(votes) // 2]), float(np.quantile(votes, _COMMON)))
        peak = float(votes.max())
        if peak > count or (peak == count and abs(clock_s) < abs(best.clock_s)):
            row, column = np.unravel_index(np.argmax(votes), votes.shape)
            middle = (edges[:-1] + edges[1:]) / 2
            count, best = peak, SceneOffset(float(middle[row]), float(middle[column]), float(clock_s))
    clear = count >= _VOTES and stats.poisson.sf(count - 1, accidents) * cells < _CHANCE
    return best if clear else SceneOffset()


def fit(residual_m: Array, covariance_m2: Array, velocity_m_s: Array) -> SceneOffset:
    """Offset of matches, from residuals (M, 2) with covariances (M, 2, 2) and velocities (M, 2) of their ships.

    An offset that is not clearly above its error is 0.
    """
    if len(residual_m) < _FEWEST:
        return SceneOffset(ships=len(residual_m))
    with_clock = _tells_clock(velocity_m_s)
    columns = np.broadcast_to(np.eye(2), (len(residual_m), 2, 2))
    design = np.concatenate([columns, velocity_m_s[:, :, None]], axis=2) if with_clock else columns
    found, errors = _robust(design, residual_m, covariance_m2)
    if with_clock and abs(found[2]) <= _SURE * errors[2]:
        found, errors = (np.append(part, 0.0) for part in _robust(columns, residual_m, covariance_m2))
        errors[2] = np.nan
    clock, clock_error = (found[2], errors[2]) if with_clock else (0.0, np.nan)
    error = float(errors[:2].max())
    if not (np.abs(found[:2]) > _SURE * errors[:2]).any():
        found[:2] = 0.0
    return SceneOffset(float(found[0]), float(found[1]), float(clock), error, float(clock_error), len(residual_m))


def length_bias(found_m: Array, ais_m: Array) -> tuple[float, float, int]:
    """Median of found minus reported lengths in metres, their median absolute deviation, and their number."""
    difference = found_m - ais_m
    known = difference[np.isfinite(difference)]
    if not len(known):
        return 0.0, float("nan"), 0
    middle = float(np.median(known))
    return middle, float(np.median(np.abs(known - middle))), len(known)


@dataclass(frozen=True, slots=True)
class LengthClass:
    """Share of AIS ships of one class of length that were detected."""

    from_m: float
    to_m: float
    ships: int
    seen: int
    low: float
    """Lower end of the 95 % interval of the share (Wilson)."""
    high: float


def detection_by_length(length_m: Array, seen: NDArray[np.bool_]) -> list[LengthClass]:
    """Share of ships (K,) that were seen, by reported length; ships of unknown length are left out."""
    found = []
    for low, high in pairwise(_EDGES_M):
        own = seen[(length_m >= low) & (length_m < high)]
        if len(own):
            found.append(LengthClass(float(low), float(high), len(own), int(own.sum()), *_wilson(own)))
    return found


def _wilson(seen: NDArray[np.bool_]) -> tuple[float, float]:
    count, share, z2 = len(seen), float(seen.mean()), 1.96**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = np.sqrt(z2 * (share * (1 - share) / count + z2 / (4 * count**2))) / (1 + z2 / count)
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


def _votes(residual_m: Array) -> tuple[Array, Array]:
    """Number of residuals in squares of three cells a side around each cell, and the edges of the cells."""
    half = int(REACH_M // _CELL_M) + 0.5
    edges = np.arange(-half, half + 1) * _CELL_M
    votes = np.histogram2d(residual_m[:, 0], residual_m[:, 1], bins=[edges, edges])[0]
    return np.round(9 * ndimage.uniform_filter(votes, 3, mode="constant")), edges


def _tells_clock(velocity_m_s: Array) -> bool:
    """True if enough ships move, and not all in one direction."""
    moving = velocity_m_s[np.hypot(*velocity_m_s.T) >= _MOVING_M_S]
    if len(moving) < _FEWEST:
        return False
    spread = np.linalg.eigvalsh(np.cov(velocity_m_s.T))
    return bool(spread[1] > _LEAST_TURN * np.square(moving).sum(axis=1).mean())


def _robust(design: Array, residual_m: Array, covariance_m2: Array) -> tuple[Array, Array]:
    """Parameters and their standard errors by least squares, reweighted for the tails of Student's t."""
    inverse = np.linalg.inv(covariance_m2)
    found = np.zeros(design.shape[2])
    found[:2] = np.median(residual_m, axis=0)
    scale = 1.0
    for _ in range(_ROUNDS):
        left = residual_m - design @ found
        squared = distance_squared(left, covariance_m2)
        scale = max(1.0, float(np.median(squared)) / (2 * np.log(2)))  # the stated spread was too small
        weight = (_TAIL + 2) / (_TAIL + squared / scale)
        normal = np.einsum("m,mip,mij,mjq->pq", weight, design, inverse, design)
        found = np.linalg.solve(normal, np.einsum("m,mip,mij,mj->p", weight, design, inverse, residual_m))
    return found, np.sqrt(np.diag(np.linalg.inv(normal)) * scale)
