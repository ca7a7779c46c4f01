"""Order of day and month in the dates of a file."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from refinedet.ais.reading.parsing.date_order import DateOrder, MonthFirst, has_numeric_date
from refinedet.errors import InputError


def numbers(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_a_late_date_that_tells_the_order_asks_for_a_new_start() -> None:
    order = DateOrder()
    assert order.decide(numbers(5, 6), numbers(6, 6))
    assert order.assumed == 1  # the sixth of June has one meaning
    with pytest.raises(MonthFirst):
        order.decide(numbers(6), numbers(14))


def test_dates_of_messages_that_are_not_read_decide() -> None:
    order = DateOrder()
    order.observe(pa.array(["2024-06-05 12:00:00", "06/14/2024 00:00"]))  # the first text shows another layout
    assert order.day_first is None
    order.observe(pa.array(["06/05/2024 00:00", None, "06/14/2024 00:00"]))
    assert order.day_first is False
    order = DateOrder()
    order.observe(pa.array(["05.06.2024 00:00", "14.06.2024 00:00"]))
    assert order.day_first is True
    order = DateOrder()
    order.observe(pa.array([1.5, 2.5]))
    assert order.day_first is None


def test_a_stated_order_that_dates_contradict_is_an_error() -> None:
    order = DateOrder(day_first=False, stated_for="a.csv")
    order.observe(pa.array(["05/06/2024 00:00"]))
    with pytest.raises(InputError, match=r"month first in a\.csv, as `date_order` says, found days above 12"):
        order.observe(pa.array(["14/06/2024 00:00"]))
    with pytest.raises(InputError, match="found months above 12"):
        DateOrder(day_first=True, stated_for="a.csv").observe(pa.array(["06/14/2024 00:00"]))


def test_dates_that_have_two_meanings_are_recognised() -> None:
    assert has_numeric_date(b"219000001,05/06/2024 12:00,10.5,55.2")
    assert has_numeric_date(b"219000001,6.5.24 12:00,10.5,55.2")
    assert not has_numeric_date(b"219000001,2024-06-05 12:00,10.5,55.2")
