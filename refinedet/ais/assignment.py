"""Assignment of AIS ships to detections, one to one over the whole scene. Pure.

Each near pair has a likelihood ratio: the likelihood that the two are one ship, over that of two ships. The assignment
with the largest product of ratios is a sparse flow problem. The probability of each pair comes from loopy belief
propagation over the same ratios, which also counts all other assignments.

Source: Williams and Lau, Approximate evaluation of marginal association probabilities with belief propagation, IEEE
TAES 50(4), 2014.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

Array = NDArray[np.float64]
Index = NDArray[np.int64]

_ROUNDS, _SETTLED = 200, 1e-6
_WIDE, _WIDE_SHARE = 3.0, 0.1
"""Factor on the stated error of a place, and share of the places with this larger error (clocks, late reports)."""
_LARGEST = 600.0
"""Largest logarithm of a likelihood ratio; its exponential is still a number."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs (P,) of a detection and a ship that may be one."""

    detection: Index
    ship: Index
    log_ratio: Array
    """Logarithm of the likelihood ratio that they are one ship, over that they are two."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """Assignment of N detections and K ships."""

    ship: Index
    """(N,) ship of each detection; -1 for none."""
    pair: Index
    """(N,) index of its pair; -1 for none."""
    probability: Array
    """(P,) probability of each pair."""
    alone: Array
    """(N,) probability that a detection is no AIS ship."""
    other: Index
    """(N,) second most likely ship of each detection; -1 for none."""
    other_probability: Array
    """(N,) its probability; 0 for none."""


def log_place(residual_m: Array, covariance_m2: Array) -> Array:
    """Logarithm of the density (P,) in 1/m2 of residuals (P, 2), normal with covariances (P, 2, 2) and wider tails."""
    squared = distance_squared(residual_m, covariance_m2)
    norm = -np.log(2 * np.pi) - 0.5 * np.log(np.linalg.det(covariance_m2))
    core = np.log1p(-_WIDE_SHARE) + norm - squared / 2
    tail = np.log(_WIDE_SHARE) + norm - 2 * np.log(_WIDE) - squared / (2 * _WIDE**2)
    return np.asarray(np.logaddexp(core, tail))


def distance_squared(residual_m: Array, covariance_m2: Array) -> Array:
    """Squares (P,) of Mahalanobis distances."""
    solved = np.linalg.solve(covariance_m2, residual_m[..., None])[..., 0]
    return np.asarray((residual_m * solved).sum(axis=-1))


def assign(pairs: Pairs, detections: int, ships: int) -> Assigned:
    """Assign ships to detections, one to one; a pair whose ratio is below 1 is never better than none."""
    chosen = _best(pairs, detections, ships)
    probability, alone = marginals(pairs, detections, ships)
    partner = np.full(detections, -1)
    partner[pairs.detection[chosen]] = pairs.ship[chosen]
    pair = np.full(detections, -1)
    pair[pairs.detection[chosen]] = chosen
    others = np.setdiff1d(np.arange(len(pairs.ship)), chosen)
    others = others[np.argsort(probability[others], kind="stable")]  # the last value written is the likeliest
    other, likely = np.full(detections, -1), np.zeros(detections)
    other[pairs.detection[others]] = pairs.ship[others]
    likely[pairs.detection[others]] = probability[others]
    return Assigned(partner, pair, probability, alone, other, likely)


def _best(pairs: Pairs, detections: int, ships: int) -> Index:
    """Indices of the pairs of the likeliest assignment."""
    useful = np.flatnonzero(pairs.log_ratio > 0)
    if not len(useful):
        return useful
    gain = np.minimum(pairs.log_ratio[useful], _LARGEST)
    # each detection has a dummy partner that means no ship; the costs must not be 0
    cost = np.concatenate([_LARGEST + 1 - gain, np.full(detections, _LARGEST + 1)])
    rows = np.concatenate([pairs.detection[useful], np.arange(detections)])
    columns = np.concatenate([pairs.ship[useful], ships + np.arange(detections)])
    graph = csr_array((cost, (rows, columns)), shape=(detections, ships + detections))
    row, column = min_weight_full_bipartite_matching(graph)
    taken = np.full(detections, -1)
    taken[row] = column
    return np.asarray(useful[taken[pairs.detection[useful]] == pairs.ship[useful]])


def marginals(pairs: Pairs, detections: int, ships: int) -> tuple[Array, Array]:
    """Probabilities of the pairs (P,), and of detections (N,) to be no ship; exact if the pairs form no cycle."""
    ratio = np.exp(np.clip(pairs.log_ratio, -_LARGEST, _LARGEST / 2))
    back = np.ones_like(ratio)
    for _ in range(_ROUNDS):
        weighted = ratio * back
        total = np.bincount(pairs.detection, weighted, detections)
        forth = ratio / (1 + np.maximum(total[pairs.detection] - weighted, 0))
        whole = np.bincount(pairs.ship, forth, ships)
        new = 1 / (1 + np.maximum(whole[pairs.ship] - forth, 0))
        change = np.abs(new - back).max(initial=0)
        back = new
        if change < _SETTLED:
            break
    weighted = ratio * back
    total = 1 + np.bincount(pairs.detection, weighted, detections)
    return weighted / total[pairs.detection], 1 / total
