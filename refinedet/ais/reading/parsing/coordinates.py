"""Coordinates of a column in degrees: decimal, or as text with minutes, seconds and N, S, E or W."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.reading.packages import load_pyarrow
from refinedet.ais.reading.parsing.arrays import numbers

_OTHER = "[^0-9A-Za-z.,+-]+"
"""Signs of degrees, minutes and seconds in any encoding, and spaces."""
_HALVES = "NSEWnsew"
_PARTS = (
    f"^ ?(?P<before>[{_HALVES}]?) ?(?P<sign>[-+]?)(?P<degrees>[0-9]{{1,3}}(?:[.][0-9]*)?)"
    "(?:[ -](?P<minutes>[0-9]{1,2}(?:[.][0-9]*)?))?(?:[ -](?P<seconds>[0-9]{1,2}(?:[.][0-9]*)?))?"
    f" ?(?P<after>[{_HALVES}]?) ?$"
)
_NEGATIVE = ("S", "W")


def degrees(column: Any, halves: str) -> NDArray[np.float64]:
    """Coordinates in decimal degrees; NaN for a missing value, and for a text that is no coordinate.

    Args:
        column: pyarrow column.
        halves: letters of the hemispheres that a text may have: "NS" for latitudes, "EW" for longitudes.
    """
    pa = load_pyarrow()
    values = numbers(column)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return values
    unread = np.isnan(values) & np.asarray(column.is_valid())
    if not unread.any():
        return values
    values[unread] = _from_text(column.filter(pa.array(unread)), halves)
    return values


def _from_text(column: Any, halves: str) -> NDArray[np.float64]:
    """Degrees of texts such as 59 20.5 N; the signs between the numbers do not matter."""
    pa = load_pyarrow()
    text = pa.compute.replace_substring_regex(pa.compute.cast(column, pa.binary()), _OTHER, " ")
    text = pa.compute.replace_substring(pa.compute.cast(text, pa.string()), ",", ".")
    parts = pa.compute.extract_regex(text, _PARTS)

    def number(name: str) -> NDArray[np.float64]:
        field = pa.compute.struct_field(parts, name)
        return numbers(pa.compute.if_else(pa.compute.equal(field, ""), None, field))

    def letters(name: str) -> NDArray[np.str_]:
        field = pa.compute.utf8_upper(pa.compute.struct_field(parts, name).fill_null(""))
        return np.asarray(field.to_pylist(), dtype="U1")

    whole, minutes, seconds = (number(name) for name in ("degrees", "minutes", "seconds"))
    half = np.char.add(letters("before"), letters("after"))
    sign = letters("sign")
    right = np.isin(half, ("", *halves)) & ~((half != "") & (sign == "-"))
    right &= ~(minutes >= 60) & ~(seconds >= 60)
    right &= np.isnan(minutes) | (whole == np.floor(whole))
    right &= np.isnan(seconds) | (minutes == np.floor(minutes))
    size = whole + np.nan_to_num(minutes) / 60 + np.nan_to_num(seconds) / 3600
    negative = np.isin(half, _NEGATIVE) | (sign == "-")
    return np.where(right, np.where(negative, -size, size), np.nan)
