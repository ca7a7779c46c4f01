"""Sentences on AIS files that were probably misread."""

from __future__ import annotations

import pytest

from refinedet.ais.reading import reasons
from refinedet.ais.reading.reasons import doubts


@pytest.mark.parametrize(
    ("reason", "check"),
    [
        (reasons.NO_TIME, "are in no format that is read"),
        (reasons.OUTSIDE_TIME, "the order of day and month"),
        (reasons.POSITION_IMPOSSIBLE, "1/10,000 minutes are divided by 600,000"),
        (reasons.NO_NUMBER, "a spreadsheet may have rounded it"),
    ],
)
def test_files_that_are_dropped_whole_say_why(reason: str, check: str) -> None:
    (told,) = doubts({reasons.MESSAGES: 345, reasons.KEPT: 0, reason: 340, reasons.DOUBLED: 5})
    assert told.startswith(f"no message of AIS is used: 340 of 345 are dropped ({reason}); ")
    assert check in told


@pytest.mark.parametrize("reason", [reasons.NO_TIME, reasons.DAMAGED, reasons.NO_NUMBER, reasons.CLOCK_OFF])
def test_many_messages_that_cannot_be_read_beside_others_are_told(reason: str) -> None:
    (told,) = doubts({reasons.MESSAGES: 300, reasons.KEPT: 200, reason: 100})
    assert told.startswith(f"100 messages of AIS are dropped ({reason}), and 200 are used, so ships may be called dark")
    assert list(doubts({reasons.MESSAGES: 300, reasons.KEPT: 290, reason: 10})) == []


def test_files_of_base_stations_alone_are_told() -> None:
    (told,) = doubts({reasons.MESSAGES: 9, reasons.KEPT: 0, reasons.BASE_STATION: 9})
    assert told == "no message of AIS is used: 9 of 9 are of no ship (base station)"


def test_courses_in_tenths_are_suspected() -> None:
    (told,) = doubts({reasons.MESSAGES: 345, reasons.KEPT: 345, reasons.COURSE_IMPOSSIBLE: 300})
    assert told.startswith("300 of 345 courses of AIS are impossible, as courses in tenths of a degree are")


def test_speeds_in_tenths_are_suspected() -> None:
    (told,) = doubts({reasons.MESSAGES: 345, reasons.KEPT: 345, reasons.SPEED_IMPOSSIBLE: 173})
    assert "173 of 345 speeds of AIS are impossible, as speeds in tenths of a knot are" in told


def test_converted_speeds_are_told() -> None:
    (told,) = doubts({reasons.MESSAGES: 9, reasons.KEPT: 9, reasons.SPEED_CONVERTED: 8})
    assert told.startswith("8 speeds of AIS are converted to knots from the unit in the name of their column")


def test_guesses_of_the_order_of_dates_are_told() -> None:
    (told,) = doubts({reasons.MESSAGES: 9, reasons.KEPT: 9, reasons.DAY_FIRST: 9})
    assert told.startswith("9 dates of AIS, such as 05/06/2024, are read with the day first, as no date")
    assert told.endswith("`date_order` can be month-first")
    (told,) = doubts({reasons.MESSAGES: 9, reasons.KEPT: 9, reasons.MONTH_FIRST_BY_TIME: 9})
    assert "month first, as only then are they near the time of the scene" in told
    assert list(doubts({reasons.MESSAGES: 9, reasons.KEPT: 9, reasons.DAY_FIRST_BY_TIME: 9})) == []


def test_usual_files_and_none_raise_no_doubt() -> None:
    usual = {reasons.MESSAGES: 900, reasons.KEPT: 300, reasons.OUTSIDE_AREA: 600, reasons.SPEED_IMPOSSIBLE: 3}
    assert list(doubts(usual)) == []
    assert list(doubts({})) == []
    scattered = {reasons.MESSAGES: 10, reasons.KEPT: 0, reasons.NO_TIME: 4, reasons.OUTSIDE_AREA: 3, reasons.DOUBLED: 3}
    assert list(doubts(scattered)) == []
