"""Parsing of times in the layouts of AIS providers, to UTC in milliseconds."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.reading.parsing.date_order import DateOrder

Times = NDArray[np.datetime64]

_CLOCK = (
    r"(?:[T _]+(?P<H>0{1,2})[:.](?P<M>00)(?:[:.](?P<S>00)(?:[.,](?P<f>0+))?)?(?:\s*(?P<half>[AP]M))?)"
    r"\s*(?:Z|UTC|GMT|(?P<sign>[+-])(?P<zh>00):?(?P<zm>00)?(?: UTC)?)?"
)
_LAYOUTS = tuple(
    re.compile(layout, re.IGNORECASE)
    for layout in (
        r"(?P<Y>0000)(?P<s>[-/.])(?P<m>0{1,2})(?P=s)(?P<d>0{1,2})" + _CLOCK,
        r"(?P<first>0{1,2})(?P<s>[-/.])(?P<second>0{1,2})(?P=s)(?P<Y>0000)" + _CLOCK,
        r"(?P<first>0{1,2})(?P<s>[/.])(?P<second>0{1,2})(?P=s)(?P<Y>00)" + _CLOCK,
        r"(?P<Y>0000)(?P<m>00)(?P<d>00)[T_ ]?(?P<H>00)(?P<M>00)(?P<S>00)?(?:[.](?P<f>0+))?Z?",
        r"(?:[A-Z]{3}, )?(?P<d>0{1,2})[- ](?P<month>[A-Z]{3})[A-Z]*[- ](?P<Y>0000|00)" + _CLOCK,
        r"(?P<month>[A-Z]{3})[A-Z]*\.? (?P<d>0{1,2}),? (?P<Y>0000),?" + _CLOCK,
        r"(?P<serial>0{5})(?:[.,](?P<part>0{1,12})0*)?",
        r"(?P<epoch>0{1,10})(?:[.](?P<f>0*))?",
        r"(?P<epoch_ms>0{13})(?:[.]0*|000|000000)?",
    )
)
"""Layouts of times with all digits replaced by 0. Epoch seconds have up to 10 digits, milliseconds 13, microseconds 16,
nanoseconds 19. Numbers of five digits are days of a spreadsheet.

A year of two digits is in this century: no AIS is older.
"""
SERIAL_DAYS, SERIAL_OF_1970 = (35_000, 80_000), 25_569
"""Days that spreadsheets count from 1899-12-30 in the years of AIS (1995 to 2119), and that of 1970-01-01. As seconds
since 1970 they would be of its first day."""
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_NONE = np.datetime64("NaT", "ms")
_ZERO = ord("0")


def parse_times(texts: NDArray[np.bytes_], order: DateOrder) -> Times:
    """Parse times; NaT where a text is no time. A time without a zone is UTC.

    Args:
        texts: N texts.
        order: order of day and month of the file; it learns from the texts.

    Returns:
        N times, datetime64[ms].
    """
    out = np.full(len(texts), _NONE)
    width = texts.dtype.itemsize
    if len(texts) == 0 or width == 0:
        return out
    marks = np.ascontiguousarray(np.char.strip(texts).astype(f"S{width}")).view(np.uint8).reshape(len(texts), width)
    shapes = np.where((marks >= _ZERO) & (marks <= _ZERO + 9), np.uint8(_ZERO), marks)
    distinct, which = np.unique(np.ascontiguousarray(shapes).view(f"S{width}").ravel(), return_inverse=True)
    for i, shape in enumerate(distinct):
        text = shape.decode("latin-1")
        match = next((found for layout in _LAYOUTS if (found := layout.fullmatch(text))), None)
        if match is not None:
            rows = which == i
            out[rows] = _times(marks[rows], match, order)
    return out


def _times(marks: NDArray[np.uint8], match: re.Match[str], order: DateOrder) -> Times:
    """Times from texts of one layout."""
    groups = match.groupdict()

    def number(name: str, other: int = 0) -> NDArray[np.int64]:
        if not groups.get(name):
            return np.full(len(marks), other, np.int64)
        start, end = match.span(name)
        digits = marks[:, start:end].astype(np.int64) - _ZERO
        return np.asarray(digits @ 10 ** np.arange(end - start - 1, -1, -1, dtype=np.int64), dtype=np.int64)

    fraction_ms = np.zeros(len(marks), np.int64)
    if groups.get("f"):
        start, end = match.span("f")
        end = min(end, start + 3)
        digits = marks[:, start:end].astype(np.int64) - _ZERO
        fraction_ms = digits @ 10 ** np.arange(2, 2 - (end - start), -1, dtype=np.int64)
    if "epoch_ms" in groups:
        return number("epoch_ms").astype("datetime64[ms]")
    if "serial" in groups:
        day, part = number("serial"), number("part") / 10 ** len(groups["part"] or "")
        of_day_ms = np.rint(86_400_000 * part).astype(np.int64)
        is_serial = (day >= SERIAL_DAYS[0]) & (day < SERIAL_DAYS[1])
        return np.where(is_serial, 86_400_000 * (day - SERIAL_OF_1970) + of_day_ms, 1000 * day).astype("datetime64[ms]")
    if "epoch" in groups:
        return (1000 * number("epoch") + fraction_ms).astype("datetime64[ms]")
    month, day = number("m"), number("d")
    if groups.get("month"):
        name = groups["month"].upper()
        month = np.full(len(marks), _MONTHS.index(name) + 1 if name in _MONTHS else 0, np.int64)
    if "first" in groups:
        first, second = number("first"), number("second")
        day, month = (first, second) if order.decide(first, second) else (second, first)
    hour, minute, second_s = number("H"), number("M"), number("S")
    if groups.get("half"):
        hour = hour % 12 + (12 if groups["half"].upper() == "PM" else 0)
    offset_min = (60 * number("zh") + number("zm")) * (-1 if groups.get("sign") == "-" else 1)
    year = number("Y")
    year = np.where(year < 100, 2000 + year, year)
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    right = (month >= 1) & (month <= 12) & (day >= 1) & (hour < 24) & (minute < 60) & (second_s <= 60)
    right &= days.astype("datetime64[M]") == months
    clock_ms = ((hour * 60 + minute - offset_min) * 60 + second_s) * 1000 + fraction_ms
    return np.where(right, days.astype("datetime64[ms]") + clock_ms.astype("timedelta64[ms]"), _NONE)
