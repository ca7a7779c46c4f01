"""Types of ships in words, from the codes of AIS or a provider's own words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

_SINGLE: Mapping[int, str] = {
    30: "fishing",
    31: "towing",
    32: "towing",
    33: "dredging",
    34: "diving",
    35: "military",
    36: "sailing",
    37: "pleasure",
    50: "pilot",
    51: "search and rescue",
    52: "tug",
    53: "port tender",
    54: "anti-pollution",
    55: "law enforcement",
    58: "medical",
    59: "other",
}
_TENS: Mapping[int, str] = {
    2: "wing in ground",
    4: "high speed craft",
    6: "passenger",
    7: "cargo",
    8: "tanker",
    9: "other",
}
_AMERICAN: Mapping[int, str] = {
    1001: "fishing",
    1003: "cargo",
    1004: "cargo",
    1012: "passenger",
    1013: "passenger",
    1014: "passenger",
    1015: "passenger",
    1016: "cargo",
    1017: "tanker",
    1019: "pleasure",
    1024: "tanker",
    1025: "towing",
}
"""Codes of the United States' own list, which older files of MarineCadastre contain."""
_WORDS: Mapping[str, str] = {
    "hsc": "high speed craft",
    "wig": "wing in ground",
    "sar": "search and rescue",
    "towing long/wide": "towing",
    **dict.fromkeys(("undefined", "unknown", "not available", "none", "nan", "reserved", "spare 1", "spare 2"), ""),
}


def ship_types(texts: NDArray[np.str_]) -> NDArray[np.str_]:
    """Convert codes or words to types in words; empty for an unknown type."""
    distinct, which = np.unique(texts, return_inverse=True)
    return np.array([_word(str(text)) for text in distinct], dtype=np.str_)[which] if len(texts) else texts


def _word(text: str) -> str:
    text = text.strip().lower()
    try:
        code = int(float(text))
    except (ValueError, OverflowError):
        return _WORDS.get(text, text)
    return _SINGLE.get(code) or _AMERICAN.get(code) or (_TENS.get(code // 10, "") if code < 100 else "")
