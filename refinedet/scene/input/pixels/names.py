"""Kind of values that the names of a band or a file, its unit and its tags state. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from refinedet.config import ValueKind

_WORDS: tuple[tuple[ValueKind, str], ...] = (
    ("db", r"(?<![a-z])(db|decibels?)(?![a-z])"),
    ("amplitude", r"(?<![a-z])(amp|amplitude|magnitude)(?![a-z])"),
    ("power", r"(?<![a-z])(power|intensity|pwr)(?![a-z])"),
)
_CALIBRATED = re.compile(r"(?<![a-z])(sigma|gamma|beta) ?(0|zero|nought|naught)")
"""Names of calibrated backscatter, which is power unless another word or the sign of the values says otherwise."""
_HYP3: dict[str, ValueKind] = {"p": "power", "a": "amplitude", "d": "db"}
_HYP3_NAME = re.compile(r"_rtc\d+_g_[gs](?P<scale>[pad])[uw][nf][ec][dm]_", re.IGNORECASE)
"""Name of a product of ASF's HyP3 service, such as S1A_IW_20200101T000000_DVP_RTC30_G_gpuned_1A2B_VV: after the
radiometry g (gamma) or s (sigma) stands its scale: p, a or d."""


def named_kind(words: Sequence[str]) -> ValueKind | None:
    """Kind that the words name; None if they name no kind, or several."""
    scales = {_HYP3[match["scale"].lower()] for word in words if (match := _HYP3_NAME.search(word))}
    found = scales or _kinds_in(_plain(words))
    return found.pop() if len(found) == 1 else None


def _plain(words: Sequence[str]) -> list[str]:
    return [word.lower().replace("_", " ") for word in words]


def _kinds_in(plain: Sequence[str]) -> set[ValueKind]:
    """Kinds that occur in plain words."""
    return {kind for kind, pattern in _WORDS for word in plain if re.search(pattern, word)}


def names_backscatter(words: Sequence[str]) -> bool:
    """True if words name calibrated backscatter, and no kind of values."""
    plain = _plain(words)
    return not _kinds_in(plain) and any(_CALIBRATED.search(word) for word in plain)
