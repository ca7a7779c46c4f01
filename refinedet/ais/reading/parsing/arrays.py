"""Columns of a table as arrays of text, numbers or times."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.reading.packages import load_pyarrow
from refinedet.ais.reading.parsing.date_order import DateOrder
from refinedet.ais.reading.parsing.times import SERIAL_DAYS, SERIAL_OF_1970, Times, parse_times

NULLS = ("", "Unknown", "Undefined", "unknown", "undefined", "None", "null", "NULL", "NaN", "nan", "\\N", "N/A", "NA")
"""Texts that mean a missing value."""
_NUMBER = r"^\s*['+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][-+]?[0-9]+)?\s*$"
_HIGH, _LOW = ("1", "1.0", "true", "high"), ("0", "0.0", "false", "low")
_GREATEST_S = 1e11
"""Greatest epoch in seconds; greater values are in milliseconds."""
_LONGEST_TIME = 40
_ROUNDED = r"^\s*[0-9]([.,][0-9]{0,7})?[eE]"
"""Number of less than nine digits in exponential notation, as spreadsheets show a long number."""


def numbers(column: Any) -> NDArray[np.float64]:
    """Numbers of a column; NaN for a missing value. Text may have a decimal comma."""
    pa = load_pyarrow()
    compute = pa.compute
    if pa.types.is_boolean(column.type):
        column = compute.cast(column, pa.int8())
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    try:
        values = compute.cast(column, pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        try:
            text = compute.cast(column, pa.string())
            text = compute.if_else(compute.match_substring_regex(text, _NUMBER), text, None)
            text = compute.replace_substring(compute.utf8_trim_whitespace(text), ",", ".")
            text = compute.replace_substring_regex(text, r"^['+]", "")  # an apostrophe marks text in spreadsheets
            values = compute.cast(text, pa.float64())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return np.full(len(column), np.nan)
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)


def whole_numbers(column: Any) -> NDArray[np.int64]:
    """Whole numbers of a column; 0 for a missing value, and for one whose last digits a spreadsheet has rounded."""
    pa = load_pyarrow()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        rounded = pa.compute.match_substring_regex(pa.compute.cast(column, pa.binary()), _ROUNDED)
        column = pa.compute.if_else(rounded, None, column)
    values = numbers(column)
    right = np.isfinite(values) & (np.abs(values) < 2**53) & (values == np.floor(values))
    return np.where(right, values, 0).astype(np.int64)


def texts(column: Any, longest: int) -> NDArray[np.str_]:
    """Texts of a column without padding; empty for a missing value."""
    pa = load_pyarrow()
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        if pa.types.is_floating(column.type):  # a code such as 70.0
            return np.array([f"{v:g}" if np.isfinite(v) else "" for v in numbers(column)], dtype=f"U{longest}")
        column = pa.compute.cast(pa.compute.cast(column, pa.string()), pa.binary())
    distinct: dict[bytes | None, str] = {None: ""}
    found = column.to_pylist()
    for raw in set(found) - {None}:
        distinct[raw] = clean_text(raw.decode("utf-8", "replace"))
    words = [distinct[raw] for raw in found]
    return np.array(["" if word in NULLS else word for word in words], dtype=f"U{longest}")


def clean_text(text: str) -> str:
    """First line of a text, up to the @ with which AIS pads it, without unprintable characters."""
    first = text.split("@", 1)[0].strip().split("\n", 1)[0]
    return "".join(one for one in first if one.isprintable()).strip()


def times(column: Any, order: DateOrder) -> Times:
    """Times of a column in UTC; NaT for a missing value."""
    pa = load_pyarrow()
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        unit = pa.timestamp("ms", tz=getattr(column.type, "tz", None))
        plain = pa.compute.cast(column, unit, safe=False)
        return np.asarray(plain.cast(pa.timestamp("ms")).to_numpy(zero_copy_only=False), dtype="datetime64[ms]")
    if pa.types.is_floating(column.type):
        values = numbers(column)
        serial = (values >= SERIAL_DAYS[0]) & (values < SERIAL_DAYS[1])
        values = np.where(serial, 86400 * (values - SERIAL_OF_1970), values)
        values = np.where(np.abs(values) < _GREATEST_S, 1000 * values, values)
        right = np.isfinite(values) & (np.abs(values) < 1000 * _GREATEST_S)
        out = np.where(right, np.round(values), 0).astype(np.int64).astype("datetime64[ms]")
        return np.where(right, out, np.datetime64("NaT", "ms"))
    plain = pa.compute.cast(column, pa.string()).fill_null("")
    found = [one.as_py() if one is not None else b"" for one in pa.compute.cast(plain, pa.binary())]
    return parse_times(np.array(found, dtype=f"S{_LONGEST_TIME}"), order)


def accuracies(column: Any) -> NDArray[np.int8]:
    """1 for high accuracy, 0 for low, -1 where it is not stated."""
    words = np.char.lower(texts(column, 5))
    return np.select([np.isin(words, _HIGH), np.isin(words, _LOW)], [1, 0], -1).astype(np.int8)
