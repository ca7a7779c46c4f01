"""Names of the counts of reading, and sentences about them.

Each message counts once: as kept, as static data, or as dropped for the first reason that applies. Repairs are counted
separately.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

MESSAGES = "messages"
KEPT = "kept"
STATIC = "static data"

DAMAGED = "damaged"
NO_NUMBER = "without a number"
NO_POSITION = "without a position"
POSITION_UNAVAILABLE = "position not available (91, 181)"
POSITION_IMPOSSIBLE = "position impossible"
OUTSIDE_AREA = "outside the area"
NO_TIME = "without a time"
CLOCK_OFF = "clock off (before 1998 or in the future)"
OUTSIDE_TIME = "outside the time"
BASE_STATION = "base station"
AID = "aid to navigation"
AIRCRAFT = "aircraft"
BEACON = "distress beacon"
GROUP = "group number"
DOUBLED = "doubled"
JUMPED = "jumped further than a ship can move"
DROPPED = (
    *(DAMAGED, NO_NUMBER, NO_POSITION, POSITION_UNAVAILABLE, POSITION_IMPOSSIBLE, OUTSIDE_AREA),
    *(NO_TIME, CLOCK_OFF, OUTSIDE_TIME, BASE_STATION, AID, AIRCRAFT, BEACON, GROUP, DOUBLED, JUMPED),
)
"""Reasons to drop a message; their counts, with those kept and those of static data, add up to all messages."""

SPEED_UNAVAILABLE = "speed not available (102.3)"
COURSE_UNAVAILABLE = "course not available (360)"
HEADING_UNAVAILABLE = "heading not available (511)"
SPEED_IMPOSSIBLE = "speed impossible"
COURSE_IMPOSSIBLE = "course impossible"
HEADING_IMPOSSIBLE = "heading impossible"
SPEED_CONVERTED = "speed converted to knots, by the name of its column"
LOW_ACCURACY = "position of low accuracy"
LONG_RANGE = "position to a tenth of a minute (type 27)"
OUT_OF_ORDER = "late, put in order"
ODD_NUMBER = "number of no ship's form"
TWO_SHIPS = "numbers that several ships use"
SIZE_IMPOSSIBLE = "ships of impossible size"
BEYOND_180 = "longitude above 180, turned to -180 to 180"
DAY_FIRST = "dates read day first, without evidence"
DAY_FIRST_BY_TIME = "dates read day first, as is near the time of the scene"
MONTH_FIRST_BY_TIME = "dates read month first, as is near the time of the scene"
REPAIRED = (
    *(SPEED_UNAVAILABLE, SPEED_IMPOSSIBLE, SPEED_CONVERTED, COURSE_UNAVAILABLE, COURSE_IMPOSSIBLE),
    *(HEADING_UNAVAILABLE, HEADING_IMPOSSIBLE, LOW_ACCURACY, LONG_RANGE, OUT_OF_ORDER),
    *(ODD_NUMBER, TWO_SHIPS, SIZE_IMPOSSIBLE, BEYOND_180, DAY_FIRST, DAY_FIRST_BY_TIME, MONTH_FIRST_BY_TIME),
)
"""Repairs and doubts about kept messages."""


_CHECKS = {
    NO_NUMBER: "an MMSI has one to nine digits; a spreadsheet may have rounded it (2.19E+08), or it is anonymous",
    NO_POSITION: "check that their coordinates are degrees",
    POSITION_IMPOSSIBLE: "check that their coordinates are degrees (1/10,000 minutes are divided by 600,000), and that "
    "longitude and latitude are not swapped",
    OUTSIDE_AREA: "check the place of the scene, and that coordinates are degrees whose longitude and latitude are not "
    "swapped",
    DAMAGED: "lines of a table have more or fewer cells than its first one, or quotation marks without an end; "
    "sentences of a log have a wrong checksum or lack a part",
    NO_TIME: "their times are in no format that is read (a date alone is none), or in another column (`columns`), or "
    "their NMEA log has none",
    CLOCK_OFF: "check the unit of their times (seconds or milliseconds since 1970)",
    OUTSIDE_TIME: "check the time of the scene, the time zone, and the order of day and month (`date_order`)",
}
"""Likely cause of each reason that may apply to whole files."""
_NO_SHIPS = (BASE_STATION, AID, AIRCRAFT, BEACON, GROUP)
_UNREADABLE = (DAMAGED, NO_NUMBER, NO_TIME, CLOCK_OFF)
"""Reasons of `_CHECKS` by which messages are lost beside others that are used, and ships with them."""
_MANY = 0.1
"""Share of impossible speeds or courses, or of messages that cannot be read, that no faulty receivers explain."""


def doubts(counts: Mapping[str, int]) -> Iterator[str]:
    """Yield sentences on files that were probably misread, and on guesses: nothing kept, speeds, unclear dates."""
    yield from _dropped(counts)
    kept = counts.get(KEPT, 0)
    wild = counts.get(SPEED_IMPOSSIBLE, 0)
    if kept and wild > _MANY * kept:
        yield (
            f"{wild:,} of {kept:,} speeds of AIS are impossible, as speeds in tenths of a knot are: the others may be "
            "wrong too, and so may ships that are called dark; convert the column to knots"
        )
    if kept and counts.get(COURSE_IMPOSSIBLE, 0) > _MANY * kept:
        yield (
            f"{counts[COURSE_IMPOSSIBLE]:,} of {kept:,} courses of AIS are impossible, as courses in tenths of a "
            "degree are: the others may be wrong too; convert the column to degrees"
        )
    if counts.get(SPEED_CONVERTED):
        yield (
            f"{counts[SPEED_CONVERTED]:,} speeds of AIS are converted to knots from the unit in the name of their "
            "column; `columns` can name another column for speed"
        )
    for key, order, other in _GUESSES:
        if counts.get(key):
            why = (
                "no date in the files decides" if key == DAY_FIRST else "only then are they near the time of the scene"
            )
            yield (
                f"{counts[key]:,} dates of AIS, such as 05/06/2024, are read with the {order} first, as {why}; "
                f"`date_order` can be {other}-first"
            )


def _dropped(counts: Mapping[str, int]) -> Iterator[str]:
    """Yield sentences on messages that were dropped: if none is used, or if many of a file cannot be read."""
    total, kept = counts.get(MESSAGES, 0), counts.get(KEPT, 0)
    reason = max(_CHECKS, key=lambda key: counts.get(key, 0))
    no_ships = max(_NO_SHIPS, key=lambda key: counts.get(key, 0))
    if total and not kept and 2 * counts.get(reason, 0) > total:
        yield f"no message of AIS is used: {counts[reason]:,} of {total:,} are dropped ({reason}); {_CHECKS[reason]}"
    elif total and not kept and 2 * counts.get(no_ships, 0) > total:
        yield f"no message of AIS is used: {counts[no_ships]:,} of {total:,} are of no ship ({no_ships})"
    for key in _UNREADABLE if kept else ():
        lost = counts.get(key, 0)
        if lost > _MANY * (total if key == DAMAGED else kept + lost):  # damaged lines may be of any place
            yield (
                f"{lost:,} messages of AIS are dropped ({key}), and {kept:,} are used, so ships may be called dark "
                f"that report; {_CHECKS[key]}"
            )


_GUESSES = ((DAY_FIRST, "day", "month"), (MONTH_FIRST_BY_TIME, "month", "day"))
"""Guesses of the order of dates that a note tells: count, order taken, and the other order."""


def account(counts: Mapping[str, int]) -> tuple[str, ...]:
    """Sentences on the messages of the files: totals, then dropped ones, then repairs."""
    total, kept, static = (counts.get(key, 0) for key in (MESSAGES, KEPT, STATIC))
    lines = [f"AIS: {total:,} messages; {kept:,} positions kept, {static:,} with static data alone"]
    for title, keys in (("dropped", DROPPED), ("kept with repairs or doubts", REPAIRED)):
        told = [f"{counts[key]:,} {key}" for key in keys if counts.get(key)]
        if told:
            lines.append(f"{title}: {', '.join(told)}")
    return tuple(lines)
