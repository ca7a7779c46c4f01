"""Search for a shift in whole hours that would match AIS whose times are local instead of UTC. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from refinedet.ais.matching import Match, MatchSettings, SceneToMatch, match
from refinedet.ais.tables import Ais

_FEWEST, _TIMES, _SHARE = 3, 2, 0.5
"""Least number of matches at a shift that are no chance, their least multiple of those without a shift, and their least
share of the ships that could match."""
_HOUR_S = 3600.0


class Shift(NamedTuple):
    """Shift at which ships match that do not match as the times are."""

    hours: int
    """Hours by which the times of AIS are ahead of UTC."""
    matched: int
    """Number of ships that match at this shift."""


def local_time(scene: SceneToMatch, ais: Ais, settings: MatchSettings, found: Match, reach_s: float) -> Shift | None:
    """Find the shift of the times of AIS at which most ships match; None if no shift matches far more.

    Args:
        scene: the scene.
        ais: reports within `reach_s` of its time.
        settings: settings of the match.
        found: the match without a shift. If half of its detections are matched, no shift is tried.
        reach_s: seconds around the time of the scene in which reports were read.
    """
    now = _matched(found)
    if 2 * now >= len(scene.detected) or not len(ais.fixes):
        return None
    hours = int(reach_s // _HOUR_S)
    best = None
    least = max(_FEWEST, _TIMES * now + 1)
    for ahead in sorted(range(-hours, hours + 1), key=abs):
        tried = match(scene, _earlier(ais, ahead), settings) if ahead else found
        could = min(len(scene.detected), len(tried.ships))
        if _matched(tried) >= max(least, _SHARE * could):
            best, least = Shift(ahead, _matched(tried)), _matched(tried) + 1
    return best


def _matched(found: Match) -> int:
    return found.verdicts.status.count("matched")


def _earlier(ais: Ais, hours: int) -> Ais:
    return replace(ais, fixes=replace(ais.fixes, time=ais.fixes.time - np.timedelta64(hours, "h")))
