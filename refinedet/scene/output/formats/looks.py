"""Appearance of ships on maps of other programs: classes by AIS, flags and score, each with a colour. Pure.

A ship belongs to the first class that accepts it: matched with AIS; doubtful, fixed or at a coast by its flags; dark or
unknown by AIS; or by its score without AIS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DOUBTFUL = ("ambiguity", "clutter", "implausible", "islet", "sidelobe", "wake")
STILL = ("fixed", "platform", "turbine")
COAST = ("land", "shore")
"""Flags of three classes."""


@dataclass(frozen=True, slots=True)
class Look:
    """Class of ships with its colour; a class without a condition accepts all remaining ships."""

    name: str
    text: str
    """Text of the legend."""
    colour: str
    """Colour of outline and mark, #rrggbb."""
    dashed: bool = False
    flags: tuple[str, ...] = ()
    """Flags, one of which a ship of the class has."""
    ais: str | None = None
    """State by AIS of a ship of the class."""
    score_min: float | None = None
    """Least score of a ship of the class."""

    def takes(self, row: Mapping[str, Any]) -> bool:
        """True if a row of `ship_rows` belongs to this class, unless an earlier class accepts it."""
        if self.flags:
            return not set(self.flags).isdisjoint(row["flags"])
        if self.ais is not None:
            return bool(row["ais"] == self.ais)
        return self.score_min is None or bool(row["score"] >= self.score_min)


_BY_FLAGS = (
    Look("doubtful", f"in doubt ({', '.join(DOUBTFUL)})", "#9b59b6", dashed=True, flags=DOUBTFUL),
    Look("still", f"stands still ({', '.join(STILL)})", "#1f8a70", dashed=True, flags=STILL),
    Look("coast", f"at a coast ({', '.join(COAST)})", "#a67c00", dashed=True, flags=COAST),
)
_BY_SCORE = (
    Look("strong", "score from 0.8", "#c2410c", score_min=0.8),
    Look("middle", "score from 0.6", "#f08a1d", score_min=0.6),
    Look("weak", "score below 0.6", "#f7c071"),
)
_BY_AIS = (
    Look("dark", "dark: none of the ships that AIS heard around it", "#ff3b1f", ais="dark"),
    Look("unknown", "unknown to AIS", "#8a94a3", dashed=True),
)
_MATCHED = Look("matched", "matched with AIS", "#2f9ee0", ais="matched")


def looks(*, ais: bool) -> tuple[Look, ...]:
    """Classes in the order in which they accept ships; the last accepts the rest. `ais`: the scene has AIS."""
    return (_MATCHED, *_BY_FLAGS, *_BY_AIS) if ais else (*_BY_FLAGS, *_BY_SCORE)


def look_of(row: Mapping[str, Any], *, ais: bool) -> Look:
    """Class of a row of `ship_rows`."""
    return next(look for look in looks(ais=ais) if look.takes(row))
