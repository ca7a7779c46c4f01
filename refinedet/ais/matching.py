"""Matching of the detections of one scene with AIS: matched and dark detections, and unseen ships. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.ais.assignment import Assigned, Pairs, assign
from refinedet.ais.evidence import Candidates, Detected, candidates, weigh
from refinedet.ais.expected import Expected, expected_ships
from refinedet.ais.geometry import SceneGeometry
from refinedet.ais.offset import SceneOffset, fit, length_bias, vote
from refinedet.ais.tables import Ais
from refinedet.ais.tracks import GAP_S
from refinedet.ais.verdicts import COVERAGE_M, Seen, Shown, Verdicts, judge_detections, judge_ships, within_m

Array = NDArray[np.float64]

_ROUNDS = 4
_SURE = 0.5
"""Least probability of the pairs from which offset and bias are fitted."""
_SHARP_M = 150.0
"""Largest spread of the ships that vote for an offset."""
_STALE = 4.0
"""Multiple of the gap within which a ship without a known place may still be a detection."""


@dataclass(frozen=True, slots=True)
class MatchSettings:
    """Settings of a match."""

    gap_s: float = GAP_S
    """Longest time from a report within which the place of a ship is still estimated."""
    displaced: bool = True
    """False leaves out the displacement of moving ships, for comparison."""
    correct_offset: bool = True
    """False leaves the offset of the scene as it is."""


@dataclass(frozen=True, slots=True)
class Match:
    """Match of N detections of one scene with K ships of AIS."""

    ships: Expected
    assigned: Assigned
    pairs: Pairs
    distance_m: Array
    """(N,) metres from the ship to the detection, without the offset of the scene; NaN for none."""
    verdicts: Verdicts
    seen: Seen
    offset: SceneOffset
    length_bias_m: float
    length_bias_spread_m: float
    length_bias_ships: int


@dataclass(frozen=True, slots=True)
class SceneToMatch:
    """Detections of one scene, and what is known of it."""

    detected: Detected
    geometry: SceneGeometry
    score: Array
    """(N,) scores."""
    flags: Sequence[tuple[str, ...]]
    """(N,) flags of each detection."""
    footprint: shapely.Geometry | None = None
    """Outline of the scene in degrees; None: unknown."""
    missing: shapely.Geometry | None = None
    """Areas within it without measurements, in degrees; None: none known."""
    on_land: Callable[[Array], NDArray[np.bool_]] | None = None
    """Function that returns true for places (N, 2) in degrees on land; None: unknown."""
    score_min: float = 0.0
    """Detections below this score are no ships; they can explain why an AIS ship was not seen."""


def match(scene: SceneToMatch, ais: Ais, settings: MatchSettings | None = None) -> Match:
    """Match the detections of one scene with AIS, one to one."""
    settings = settings or MatchSettings()
    middle = _middle(scene.detected.lonlat, scene.footprint)
    ships = expected_ships(ais, scene.geometry, middle, settings.gap_s, displaced=settings.displaced)
    near = candidates(scene.detected, ships)
    ships, near = _around(ships, near, scene)
    offset, bias, pairs, distance = _settle(scene.detected, ships, near, correct=settings.correct_offset)
    assigned = assign(pairs, len(scene.detected), len(ships))
    apart = np.where(assigned.pair >= 0, distance[assigned.pair] if len(distance) else np.nan, np.nan)
    stale = _stale(ais, scene, middle, settings)
    verdicts = judge_detections(scene.detected, scene.score >= scene.score_min, scene.flags, ships, assigned, stale)
    shown = Shown(scene.footprint, scene.missing, scene.on_land)
    seen = judge_ships(ships, assigned, scene.score >= scene.score_min, shown)
    return Match(ships, assigned, pairs, apart, verdicts, seen, offset, *bias)


def _settle(
    detected: Detected, ships: Expected, near: Candidates, *, correct: bool
) -> tuple[SceneOffset, tuple[float, float, int], Pairs, Array]:
    """Offset of the scene, bias of its lengths, and pairs corrected for both; each round starts from the last."""
    sharp = np.sqrt(np.linalg.eigvalsh(near.covariance_m2)[:, -1]) <= _SHARP_M
    offset = vote(near.residual_m[sharp], near.velocity_m_s[sharp]) if correct else SceneOffset()
    bias = 0.0, float("nan"), 0
    for _ in range(_ROUNDS):
        pairs, _ = weigh(near, detected, ships, offset, bias[0])
        found = assign(pairs, len(detected), len(ships))
        chosen = found.pair[found.pair >= 0]
        chosen = chosen[found.probability[chosen] >= _SURE]
        rows = _rows(near, pairs, chosen)
        if correct:
            offset = fit(near.residual_m[rows], near.covariance_m2[rows], near.velocity_m_s[rows])
        d, s = pairs.detection[chosen], pairs.ship[chosen]
        bias = length_bias(detected.length_m[d], ships.length_m[s])
    return offset, bias, *weigh(near, detected, ships, offset, bias[0])


def _rows(near: Candidates, pairs: Pairs, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of the chosen pairs among the candidates."""
    most = max(int(near.ship.max(initial=0)), 0) + 1
    keys = near.detection * most + near.ship
    order = np.argsort(keys)
    wanted = pairs.detection[chosen] * most + pairs.ship[chosen]
    return order[np.searchsorted(keys, wanted, sorter=order)] if len(wanted) else np.zeros(0, np.int64)


def _middle(lonlat: Array, footprint: shapely.Geometry | None) -> Array:
    known = lonlat[np.isfinite(lonlat).all(axis=1)]
    if len(known):
        return np.asarray(known[np.argmin(np.abs(known - np.median(known, axis=0)).sum(axis=1))])
    if footprint is None:
        return np.zeros(2)
    return np.asarray(shapely.get_coordinates(footprint.representative_point())[0])


def _around(ships: Expected, near: Candidates, scene: SceneToMatch) -> tuple[Expected, Candidates]:
    """Ships within the scene or near a detection, and the candidates with the indices of these ships."""
    wanted = within_m(ships.where.lonlat, scene.detected.lonlat, COVERAGE_M)
    if scene.footprint is not None:
        wanted |= shapely.contains_xy(scene.footprint, *ships.where.lonlat.T)
    wanted[near.ship] = True
    number = np.cumsum(wanted) - 1
    moved = Candidates(near.detection, number[near.ship], near.residual_m, near.covariance_m2, near.velocity_m_s)
    return ships.only(wanted), moved


def _stale(ais: Ais, scene: SceneToMatch, middle: Array, settings: MatchSettings) -> dict[int, list[int]]:
    """MMSIs of ships, by detection, that may be the detection although their reports are too old to place them."""
    late = expected_ships(ais, scene.geometry, middle, _STALE * settings.gap_s, displaced=settings.displaced)
    late = late.only(late.where.gap_s > settings.gap_s)
    near = candidates(scene.detected, late)
    pairs, _ = weigh(near, scene.detected, late, SceneOffset(), 0.0)
    found: dict[int, list[int]] = {}
    for d, s, ratio in zip(pairs.detection.tolist(), pairs.ship.tolist(), pairs.log_ratio.tolist(), strict=True):
        if ratio > 0:
            found.setdefault(d, []).append(int(late.mmsi[s]))
    return found
