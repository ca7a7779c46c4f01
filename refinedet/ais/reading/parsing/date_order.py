"""Order of day and month in the dates of one file, such as 05/06/2024: stated, shown by a date, or assumed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.reading.packages import load_pyarrow
from refinedet.errors import InputError

_NUMERIC_DATE = re.compile(rb"(?<![0-9])[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{4}|[0-9]{2})(?![0-9])")
"""Date whose first two numbers may be day and month."""
_LATE = "(1[3-9]|[23][0-9])"
"""Number of a day that is no month."""
_SEPARATOR = "[-/.]"
_SHAPE = f"^ *[0-9]{{1,2}}{_SEPARATOR}[0-9]{{1,2}}{_SEPARATOR}"
_DAY_FIRST = f"^ *{_LATE}{_SEPARATOR}[0-9]{{1,2}}{_SEPARATOR}"
_MONTH_FIRST = f"^ *[0-9]{{1,2}}{_SEPARATOR}{_LATE}{_SEPARATOR}"


class MonthFirst(Exception):  # noqa: N818 - it is no error: the file is read again
    """A date shows that the month comes first, after other dates were read with the day first."""


def has_numeric_date(content: bytes) -> bool:
    """True if the first bytes of a file hold a date whose first two numbers may be day and month."""
    return _NUMERIC_DATE.search(content) is not None


@dataclass(slots=True)
class DateOrder:
    """Order of day and month in one file, where dates are such as 05/06/2024."""

    day_first: bool | None = None
    """None until a date decides; until then, day first is assumed."""
    stated_for: str | None = None
    """Name of the file if the user states the order: a date against it is an error. None: the order is not stated."""
    assumed: int = 0
    """Number of times that were read with the day first without evidence, and that have another meaning otherwise."""

    def observe(self, column: Any) -> None:
        """Learn the order from all texts of a pyarrow column, also those of messages that are not read.

        Raises:
            MonthFirst: the first number is the month, but earlier dates were read with the day first.
            InputError: the dates contradict the order that the user states.
        """
        pa = load_pyarrow()
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            return
        if self.day_first is not None and self.stated_for is None:
            return
        text = pa.compute.cast(column.drop_null(), pa.binary())
        if not len(text) or not pa.compute.match_substring_regex(text[:1], _SHAPE)[0].as_py():
            return
        day, month = (
            bool(pa.compute.any(pa.compute.match_substring_regex(text, late)).as_py())
            for late in (_DAY_FIRST, _MONTH_FIRST)
        )
        if day == month:
            return
        if self.day_first is not None and self.day_first != day:
            first, found = ("day", "months") if self.day_first else ("month", "days")
            raise InputError(
                f"expected dates with the {first} first in {self.stated_for}, as `date_order` says, found {found} "
                "above 12 there; leave `date_order` out"
            )
        self._learn(day_first=day)

    def decide(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> bool:
        """True if the first number is the day; a number above 12 decides.

        Raises:
            MonthFirst: the first number is the month, but earlier dates were read with the day first.
        """
        if self.day_first is None:
            day, month = bool((first > 12).any()), bool((second > 12).any())
            if day != month:
                self._learn(day_first=day)
            else:
                self.assumed += int((first != second).sum())
        return self.day_first is not False

    def _learn(self, *, day_first: bool) -> None:
        self.day_first = day_first
        if self.assumed and not day_first:
            raise MonthFirst
        self.assumed = 0
