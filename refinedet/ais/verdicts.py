"""Verdicts on each detection and each AIS ship, with reasons. Pure.

Dark is a claim, so it needs coverage: AIS from other ships nearby. A detection that may be no ship, or that may be an
AIS ship after all, is never called dark.
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
from refinedet.ais.tracks import KNOT_M_S
from refinedet.geo.position import local_plane

Array = NDArray[np.float64]
Status = Literal["matched", "dark", "unknown"]

COVERAGE_M = 20_000.0
"""Distance within which AIS of other ships must be received before a detection is called dark."""
COVERAGE_SHIPS = 3
"""Fewest ships with AIS within this distance."""

DOUBTS = frozenset({"ambiguity", "clutter", "fixed", "implausible", "islet", "land", "nodata"})
"""Flags of detections that may be no ships; such detections are never dark."""

LAND = "land"
"""Reason of an unseen ship: it lies on land, like most ships in a harbour."""

_PERHAPS = 0.2
"""Probability from which an unassigned detection may still be an AIS ship."""
_SMALL_M, _FAST_KN = 25.0, 25.0
"""Length below which a ship is too small to be expected, and speed above which it is smeared."""
_VAGUE_M = 1000.0
"""Spread above which a place is too vague to say where the ship should be seen."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Verdicts on N detections."""

    status: tuple[Status, ...]
    reason: tuple[str, ...]
    """Reason of the verdict `unknown`; empty for other verdicts."""
    heard: NDArray[np.int64]
    """(N,) number of AIS ships within COVERAGE_M."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Verdicts on K AIS ships."""

    detection: NDArray[np.int64]
    """(K,) detection of each ship; -1 for none, or for one below the lowest score."""
    reason: tuple[str, ...]
    """Reason why a ship was not seen; empty for a ship that was seen."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Part of the earth that a scene shows, in degrees."""

    footprint: shapely.Geometry | None = None
    """Outline of the scene; None: unknown."""
    missing: shapely.Geometry | None = None
    """Areas within it without measurements; None: none known."""
    on_land: Callable[[Array], NDArray[np.bool_]] | None = None
    """Function that returns true for places (N, 2) on land; None: unknown."""

    def why_not(self, lonlat: Array, wanted: NDArray[np.bool_]) -> NDArray[np.str_]:
        """Reasons (K,) why the scene cannot show the `wanted` (K,) ones of places (K, 2); empty text for none."""
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
    """Judge all detections, also those that are not `kept` (N,).

    Args:
        detected: the detections.
        kept: false for those below the lowest score.
        flags: flags of each.
        ships: ships of AIS.
        assigned: assignment of ships to detections.
        stale: MMSIs of ships, by detection, that may be the detection although their reports are too old to place them.
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
    """Judge the AIS ships; a ship whose detection is not `kept` (N,) was not seen, because its score is too low."""
    detection = np.full(len(ships), -1)
    matched = np.flatnonzero(assigned.ship >= 0)
    detection[assigned.ship[matched]] = matched
    weak = np.zeros(len(ships), np.bool_)
    weak[detection >= 0] = ~kept[detection[detection >= 0]]
    place = shown.why_not(ships.shown_lonlat, detection < 0)
    speed = np.hypot(*ships.where.velocity_m_s.T) / KNOT_M_S
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
    """Number of places with AIS within COVERAGE_M of each place (N,)."""
    found = np.zeros(len(lonlat), np.int64)
    known = np.flatnonzero(np.isfinite(lonlat).all(axis=1))
    if len(known) and len(heard_lonlat):
        here, there = _flat(lonlat[known], heard_lonlat)
        found[known] = KDTree(there).query_ball_point(here, COVERAGE_M, return_length=True)
    return found


def within_m(lonlat: Array, others_lonlat: Array, distance_m: float) -> NDArray[np.bool_]:
    """(N,) true for places within `distance_m` of any other place."""
    others = others_lonlat[np.isfinite(others_lonlat).all(axis=1)]
    if not len(lonlat) or not len(others):
        return np.zeros(len(lonlat), np.bool_)
    there, here = _flat(others, lonlat)
    return np.asarray(KDTree(there).query(here)[0] <= distance_m)


def _flat(middle_lonlat: Array, others_lonlat: Array) -> tuple[Array, Array]:
    """Both sets of places on a plane around the first; places that the plane cannot show are put far away."""
    plane = local_plane(middle_lonlat)
    both = [np.stack(plane.transform(*places.T), axis=1) for places in (middle_lonlat, others_lonlat)]
    first, second = (np.where(np.isfinite(flat), flat, 1e9) for flat in both)
    return first, second
