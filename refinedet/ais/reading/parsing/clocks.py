"""Times whose date and time of day are in two columns."""

from __future__ import annotations

from typing import Any

from refinedet.ais.reading.packages import load_pyarrow

_CLOCK = r"^\s*[0-9]{1,2}:[0-9]{2}"
"""Begin of a text that is a time of day, so it has no date."""
_DIGITS = r"^\s*([0-9]{2})([0-9]{2})([0-9]{2})\s*$"
"""Time of day without colons."""
_MIDNIGHT = r"[T ]+[0:.]+\s*$"
"""Time of day that a spreadsheet or a table adds to a date alone."""


def joined(date: Any, time: Any) -> Any:
    """Date and time of day as one text; a time that has its own date stays as it is.

    Args:
        date: pyarrow column of dates.
        time: pyarrow column of times.

    Returns:
        pyarrow column.
    """
    pa = load_pyarrow()
    if pa.types.is_timestamp(time.type) or pa.types.is_floating(time.type):
        return time
    compute = pa.compute
    days, clock = (compute.cast(column, pa.string()) for column in (date, time))
    clock = compute.replace_substring_regex(clock, _DIGITS, r"\1:\2:\3")
    days = compute.replace_substring_regex(days, _MIDNIGHT, "")
    both = compute.binary_join_element_wise(days, clock, " ")
    return compute.if_else(compute.match_substring_regex(clock, _CLOCK), both, compute.cast(time, pa.string()))
