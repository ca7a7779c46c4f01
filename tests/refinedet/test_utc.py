"""Times as text: rounded to milliseconds, always UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinedet.errors import InputError
from refinedet.utc import parse_utc, utc_text


@given(st.datetimes(datetime(1978, 1, 1), datetime(2099, 1, 1)))  # noqa: DTZ001 - without a zone it is UTC
def test_text_and_time_are_the_same_to_half_a_millisecond(time: datetime) -> None:
    text = utc_text(time)
    assert len(text) == len("2021-07-01T12:01:02.000Z")
    assert abs(parse_utc(text) - time.replace(tzinfo=UTC)) <= timedelta(microseconds=500)
    assert utc_text(parse_utc(text)) == text


def test_zones_are_turned_into_utc() -> None:
    assert utc_text(datetime(2021, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))) == "2021-07-01T10:00:00.000Z"
    assert utc_text(parse_utc("2021-07-01 12:01:02.9996+02:00")) == "2021-07-01T10:01:03.000Z"
    assert parse_utc("20210701t120102z") == datetime(2021, 7, 1, 12, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "noon", "2021-07-01", "2021-13-01T00:00", "0001-01-01T00:00+14:00", "T"])
def test_what_is_no_time_is_one_sentence(text: str) -> None:
    with pytest.raises(InputError, match="expected `time` such as 2021-07-01T12:01:02Z, found"):
        parse_utc(text)
