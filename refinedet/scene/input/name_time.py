"""Time in the name of a scene. Pure.

Names of SAR products hold one or several times: start and end of the image, and often the time of processing, which is
later than both. So the earliest time is used; in a Sentinel-1 name, the first after the mission.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_FIRST_YEAR, _LAST_YEAR = 1978, 2099
"""Years in which a radar satellite may have seen the sea; the first is that of Seasat."""
_TIME = re.compile(
    r"(?<!\d)(?=(?:"
    r"(?P<day>\d{8})[tT_ .-]?(?P<time>\d{6}|\d\d[-_:.]\d\d[-_:.]\d\d)|"  # 20210701T120102, 20210701120102
    r"(?P<day2>\d{4}(?P<by>[-_.])\d\d(?P=by)\d\d)[tT_ .-]"  # 2021-07-01T12-01-02
    r"(?P<time2>\d{6}|\d\d[-_:.]\d\d[-_:.]\d\d)"
    r")(?!\d))"
)
_SENTINEL1 = re.compile(r"(?<![a-z0-9])s1[a-d][_-]", re.IGNORECASE)
_MADE = re.compile(
    r"(?:proc|process|processed|processing|processor|creat|created|creation|generated|export|exported|produced|"
    r"production|made|written|download|downloaded|upload|uploaded|ingested|ingestion|modified|updated)"
    r"(?:[\W_]*(?:on|at|date|time|datetime))?[\W_]*",
    re.IGNORECASE,
)
"""Words before a time that tell of the processing of the file, not of the acquisition."""


def time_in_name(name: str) -> datetime | None:
    """Start of an acquisition in UTC, from the name of the image without suffix; None if the name holds no time.

    A date without a time does not count.
    """
    found = [(match.start(), time) for match in _TIME.finditer(name) if (time := _time(match)) is not None]
    mission = _SENTINEL1.search(name)
    if mission is not None and (after := [time for place, time in found if place > mission.start()]):
        return after[0]
    taken = [time for place, time in found if not _announced(name[:place])]
    return min(taken, default=None)


def _time(match: re.Match[str]) -> datetime | None:
    day, time = match["day"] or match["day2"], match["time"] or match["time2"]
    digits = re.sub(r"\D", "", day + time)
    try:
        found = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:  # not a valid date or time
        return None
    return found if _FIRST_YEAR <= found.year <= _LAST_YEAR else None


def _announced(before: str) -> bool:
    """True if the text before a time tells of processing."""
    word = re.search(r"[^\W\d_]+(?:[\W_]*(?:on|at|date|time|datetime))?[\W_]*$", before, re.IGNORECASE)
    return word is not None and _MADE.fullmatch(word[0]) is not None
