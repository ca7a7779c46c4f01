"""Times in the layouts of all providers."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinedet.ais.reading.parsing.date_order import DateOrder
from refinedet.ais.reading.parsing.times import parse_times

FIRST, LAST = datetime(1998, 1, 1), datetime(2099, 1, 1)  # noqa: DTZ001 - UTC by definition
LAYOUTS = (
    *("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%SZ", "%Y/%m/%d %H:%M:%S UTC", "%Y%m%d_%H%M%S", "%Y%m%dT%H%M%S"),
    *("%Y%m%d%H%M%S", "%d-%b-%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S+00:00"),
    *("%Y-%m-%d %I:%M:%S %p", "%a, %d %b %Y %H:%M:%S GMT", "%d-%b-%Y %H.%M.%S"),
)


def parsed(*texts: str, order: DateOrder | None = None) -> list[str | None]:
    found = parse_times(np.array([text.encode() for text in texts]), order or DateOrder())
    return [None if np.isnat(one) else str(one) for one in found]


@given(
    st.datetimes(FIRST, LAST),
    st.sampled_from(LAYOUTS),
)
def test_a_time_comes_back_in_every_layout(time: datetime, layout: str) -> None:
    found = parse_times(np.array([time.strftime(layout).encode()]), DateOrder(day_first=True))
    assert found[0] == np.datetime64(time.replace(microsecond=0), "ms")


@given(st.datetimes(FIRST, LAST, timezones=st.just(UTC)))
def test_seconds_and_milliseconds_since_1970(time: datetime) -> None:
    milliseconds = int(time.timestamp() * 1000)
    expected = str(np.datetime64(milliseconds, "ms"))
    seconds = f"{milliseconds // 1000}.{milliseconds % 1000:03d}"
    assert parsed(seconds, str(milliseconds), f"{milliseconds}.0")[0] == expected
    if milliseconds >= 10**12:  # 13 digits
        assert parsed(str(milliseconds)) == [expected]


def test_fractions_zones_and_blanks() -> None:
    found = parsed(" 2024-06-05T12:00:00.5Z ", "2024-06-05 14:30:00,123456+02:30", "2024-06-05T07:00-05:00")
    assert found == ["2024-06-05T12:00:00.500", "2024-06-05T12:00:00.123", "2024-06-05T12:00:00.000"]
    found = parsed("6/15/2024 12:05:00 AM", "6/5/2024 1:05 PM", order=DateOrder(day_first=False))
    assert found == ["2024-06-15T00:05:00.000", "2024-06-05T13:05:00.000"]
    assert parsed("05-JUN-24 01.05.00 PM", "05-JUN-24 13.05.00.500") == [
        "2024-06-05T13:05:00.000",
        "2024-06-05T13:05:00.500",
    ]


@pytest.mark.parametrize(
    "text",
    ["", "never", "2024-13-01 00:00:00", "2023-02-29 00:00:00", "2024-06-05 24:00:00", "2024-06-05", "12415440354"],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert parsed(text) == [None]


def test_names_of_months_short_years_and_microseconds() -> None:
    found = parsed("Jun 5, 2024 12:00:00", "June 5 2024 1:00 PM", "1717588800000000")
    assert found == ["2024-06-05T12:00:00.000", "2024-06-05T13:00:00.000", "2024-06-05T12:00:00.000"]
    assert parsed("6/14/24 12:00", order=DateOrder(day_first=False)) == ["2024-06-14T12:00:00.000"]
    assert parsed("24-06-05 12:00:00") == [None]  # a year of two digits may be first there


@pytest.mark.parametrize(
    ("text", "time"),
    [
        (b"45418.5", "2024-05-06T12:00:00"),
        (b"45418,4965277778", "2024-05-06T11:55:00"),
        (b"45418", "2024-05-06T00:00:00"),
        (b"1714996800000000000", "2024-05-06T12:00:00"),
        (b"12345.5", "1970-01-01T03:25:45"),
    ],
)
def test_days_of_a_spreadsheet_and_nanoseconds_are_times(text: bytes, time: str) -> None:
    found = parse_times(np.array([text]), DateOrder())
    assert np.abs(found - np.datetime64(time, "ms")).max() < np.timedelta64(2, "ms")
