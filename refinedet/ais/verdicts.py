"""Verdicts: what is said of each detection and of each ship of AIS, with the reason. Pure.

Dark is a claim, so it needs coverage: ships nearby that were heard. It is not made of a detection that may be no ship,
nor where a ship of AIS may be the detection after all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import KDTree

from refinedet.ais.assignment import Assigned
from refinedet.ais.evidence import Detected
from refinedet.ais.expected import Expected
from refinedet.ais.tables import SHARED, sent_number
from refinedet.geo.position import local_plane

Array = NDArray[np.float64]
Status = Literal["matched", "dark", "unknown"]

COVERAGE_M = 20_000.0
"""Distance within which other ships must be heard for a claim."""
COVERAGE_SHIPS = 3
"""Fewest ships heard within it."""

DOUBTS = frozenset({"ambiguity", "clutter", "fixed", "implausible", "islet", "land", "nodata"})
"""Flags of detections that may be no ships, so nothing is claimed of them."""

LAND = "land"
"""Reason of an unseen ship: it lies on land, as most of those are that lie in a harbour."""

_PERHAPS = 0.2
"""Probability from which a ship of AIS may be a detection that was assigned to none."""
_SMALL_M, _FAST_KN = 25.0, 25.0
"""Length below which a ship is too small to be expected, and speed above which it is smeared."""
_VAGUE_M = 1000.0
"""Spread of a place that is too vague to say where the ship should be seen."""
_KNOT_M_S = 1852 / 3600


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Verdicts on N detections."""

    status: tuple[Status, ...]
    reason: tuple[str, ...]
    """Reason of `unknown`; empty else."""
    heard: NDArray[np.int64]
    """(N,) ships of AIS within COVERAGE_M."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Verdicts on K ships of AIS."""

    detection: NDArray[np.int64]
    """(K,) detection of each ship; -1 for none, or for one below the lowest score."""
    reason: tuple[str, ...]
    """Reason why a ship was not seen; empty for one that was."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Part of the earth that a scene shows, in degrees."""

    footprint: shapely.Geometry | None = None
    """Outline of the scene; None: unknown."""
    missing: shapely.Geometry | None = None
    """Areas within it that were not measured; None: none that are known."""
    on_land: Callable[[Array], NDArray[np.bool_]] | None = None
    """Tells of places (N, 2) which lie on land; None: unknown."""

    def why_not(self, lonlat: Array, wanted: NDArray[np.bool_]) -> NDArray[np.str_]:
        """Reasons (K,) for which the `wanted` (K,) of places (K, 2) show no ship; empty text for none."""
        found = np.full(len(lonlat), "", "U16")
        for reason, area, within in (("outside", self.footprint, False), ("nodata", self.missing, True)):
            if area is not None:
                here = shapely.contains_xy(area, *lonlat.T)
                found[wanted & (found == "") & (here == within)] = reason
        left = np.flatnonzero(wanted & (found == ""))
        if self.on_land is not None and len(left):
            found[left[self.on_land(lonlat[left])]] = LAND
        return found


def judge_detections(
    detected: Detected,
    kept: NDArray[np.bool_],
    flags: Sequence[tuple[str, ...]],
    ships: Expected,
    assigned: Assigned,
    stale: Mapping[int, Sequence[int]],
) -> Verdicts:
    """Judge detections; those that are not `kept` (N,) are judged too.

    Args:
        detected: the detections.
        kept: false for those below the lowest score.
        flags: flags of each.
        ships: ships of AIS.
        assigned: which is which.
        stale: numbers of ships with reports too old to place them, that may be a detection, by detection.
    """
    heard = heard_near(detected.lonlat, ships.where.lonlat)
    status: list[Status] = []
    reasons: list[str] = []
    for i, own in enumerate(flags):
        reason = ""
        doubts = sorted(DOUBTS.intersection(own))
        if assigned.ship[i] >= 0:
            status.append("matched")
            reasons.append("")
            continue
        if not np.isfinite(detected.lonlat[i]).all():
            reason = "no position"
        elif doubts:
            reason = f"flag {doubts[0]}"
        elif not kept[i]:
            reason = "score below the lowest"
        elif heard[i] < COVERAGE_SHIPS:
            reason = f"{heard[i]} ships heard within {COVERAGE_M / 1000:g} km"
        elif 1 - assigned.alone[i] > _PERHAPS:
            reason = f"may be {sent_number(ships.mmsi[assigned.other[i]])}"
        elif i in stale:
            reason = f"may be {stale[i][0] % SHARED}, last heard long before or after"
        status.append("unknown" if reason else "dark")
        reasons.append(reason)
    return Verdicts(tuple(status), tuple(reasons), heard)


def judge_ships(ships: Expected, assigned: Assigned, kept: NDArray[np.bool_], shown: Shown) -> Seen:
    """Judge the ships of AIS: those of detections that are not `kept` (N,) were not seen, as their score is too low."""
    detection = np.full(len(ships), -1)
    matched = np.flatnonzero(assigned.ship >= 0)
    detection[assigned.ship[matched]] = matched
    weak = np.zeros(len(ships), np.bool_)
    weak[detection >= 0] = ~kept[detection[detection >= 0]]
    place = shown.why_not(ships.shown_lonlat, detection < 0)
    speed = np.hypot(*ships.where.velocity_m_s.T) / _KNOT_M_S
    vague = np.sqrt(np.linalg.eigvalsh(ships.covariance_m2)[:, -1]) > _VAGUE_M if len(ships) else weak
    causes = (
        (weak, "score below the lowest"),
        (detection >= 0, ""),
        (place == "outside", "outside"),
        (place == "nodata", "nodata"),
        (vague, "place too vague"),
        (place == LAND, LAND),
        (ships.length_m < _SMALL_M, "too small"),
        (speed > _FAST_KN, "moving too fast"),
    )
    reason = np.select([mask for mask, _ in causes], [text for _, text in causes], "not found")
    return Seen(np.where(weak, -1, detection), tuple(reason.tolist()))


def heard_near(lonlat: Array, heard_lonlat: Array) -> NDArray[np.int64]:
    """Number of places that were heard within COVERAGE_M of each place (N,)."""
    found = np.zeros(len(lonlat), np.int64)
    known = np.flatnonzero(np.isfinite(lonlat).all(axis=1))
    if len(known) and len(heard_lonlat):
        here, there = _flat(lonlat[known], heard_lonlat)
        found[known] = KDTree(there).query_ball_point(here, COVERAGE_M, return_length=True)
    return found


def within_m(lonlat: Array, others_lonlat: Array, distance_m: float) -> NDArray[np.bool_]:
    """(N,) true for places within a distance of any of the others."""
    others = others_lonlat[np.isfinite(others_lonlat).all(axis=1)]
    if not len(lonlat) or not len(others):
        return np.zeros(len(lonlat), np.bool_)
    there, here = _flat(others, lonlat)
    return np.asarray(KDTree(there).query(here)[0] <= distance_m)


def _flat(middle_lonlat: Array, others_lonlat: Array) -> tuple[Array, Array]:
    """Both on a plane around the first; places that it cannot hold lie far away."""
    plane = local_plane(middle_lonlat)
    both = [np.stack(plane.transform(*places.T), axis=1) for places in (middle_lonlat, others_lonlat)]
    first, second = (np.where(np.isfinite(flat), flat, 1e9) for flat in both)
    return first, second
