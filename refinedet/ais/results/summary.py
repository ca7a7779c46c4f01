"""Summary of a match, ready for JSON. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.matching import Match
from refinedet.ais.offset import detection_by_length

_NOT_SHOWN = frozenset({"nodata", "outside", "place too vague"})
"""Reasons of unseen ships that the scene does not show; such ships are no failure of the detector."""


def summary(found: Match, kept: NDArray[np.bool_]) -> dict[str, Any]:
    """Summary of one match; `kept` (N,) marks the detections of at least the lowest score.

    Precision counts dark detections as false alarms. It is a lower bound, because they may be ships without AIS.
    Recall counts the ships of AIS that the scene should show.
    """
    status = Counter(one for one, on in zip(found.verdicts.status, kept, strict=True) if on)
    reasons = Counter(one for one in found.seen.reason if one)
    seen = found.seen.detection >= 0
    shown = np.array([one not in _NOT_SHOWN for one in found.seen.reason], bool)
    lengths = found.ships.length_m
    claims = status["matched"] + status["dark"]
    offset = found.offset
    return {
        "detections": {name: status[name] for name in ("matched", "dark", "unknown")},
        "unknown_because": dict(_reasons(found, kept)),
        "ais_ships": {"seen": int(seen.sum()), "unseen": int((~seen).sum())},
        "unseen_because": dict(sorted(reasons.items())),
        "precision_at_least": _share(status["matched"], claims),
        "recall": _share(int(seen.sum()), int(shown.sum())),
        "recall_by_length": [_finite(asdict(one)) for one in detection_by_length(lengths[shown], seen[shown])],
        "offset": _finite(asdict(offset)),
        "length_bias": _finite(
            {
                "median_m": found.length_bias_m,
                "spread_m": found.length_bias_spread_m,
                "ships": found.length_bias_ships,
            }
        ),
    }


def _reasons(found: Match, kept: NDArray[np.bool_]) -> list[tuple[str, int]]:
    """Reasons of unknown detections without the numbers in them."""
    told = [one for one, on in zip(found.verdicts.reason, kept, strict=True) if one and on]
    plain = ["may be a ship of AIS" if one.startswith("may be") else _no_numbers(one) for one in told]
    return sorted(Counter(plain).items())


def _no_numbers(reason: str) -> str:
    return "too few ships heard nearby" if "heard within" in reason else reason


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """Rounded values, with None for NaN and infinity."""
    return {
        name: (round(value, 3) if np.isfinite(value) else None) if isinstance(value, float) else value
        for name, value in values.items()
    }
