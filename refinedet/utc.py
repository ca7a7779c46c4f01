"""Times in UTC as text: ISO 8601 with milliseconds and Z, such as 2021-07-01T12:01:02.000Z."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from refinedet.errors import InputError

_HALF_MS = timedelta(microseconds=500)


def utc_text(time: datetime) -> str:
    """Text of a time, rounded to a millisecond; a time without a zone is UTC."""
    whole = in_utc(time) + _HALF_MS
    return whole.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def in_utc(time: datetime) -> datetime:
    """Time in UTC; a time without a zone is UTC already."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def parse_utc(text: str) -> datetime:
    """Parse a time in ISO 8601 that has at least its hours; a time without a zone is UTC.

    Raises:
        InputError: the text is no time.
    """
    try:
        if "T" not in text.upper() and " " not in text:
            raise ValueError(text)  # noqa: TRY301 - a day alone is no time
        return in_utc(datetime.fromisoformat(text.strip().upper()))
    except (ValueError, OverflowError):
        raise InputError(f"expected `time` such as 2021-07-01T12:01:02Z, found {text!r}") from None
