"""The choice of the time: annotation, then file, then name; the setting overrules the last two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinedet.errors import InputError
from refinedet.scene.input.acquisition import LineTimes, choose_acquisition

START = datetime(2022, 10, 2, 20, 51, 26, 995649, tzinfo=UTC)
LINES = LineTimes(START, (0.0, 500.0, 899.0), (0.0, 0.75, 1.3485))
Y = np.array([0.5, 450.5, 900.0])
NAMED = "S1A_IW_GRDH_1SDV_20200101T000000_20200101T000030_000001_000001_ABCD"


@given(st.floats(-500, 2000))
def test_times_of_lines_run_evenly_between_and_beyond_the_points(y: float) -> None:
    even = LineTimes(START, (0.0, 500.0, 900.0), (0.0, 0.75, 1.35))
    (time,) = even.at(np.array([y]))
    assert abs(time - START - timedelta(seconds=(y - 0.5) * 1.5e-3)) < timedelta(microseconds=2)


def test_the_annotation_knows_each_line_and_nothing_overrules_it() -> None:
    found, notes = choose_acquisition(NAMED, annotated=LINES, stated=START)
    assert (found.source, notes) == ("annotation", ())
    assert found.times(Y) == ["2022-10-02T20:51:26.996Z", "2022-10-02T20:51:27.671Z", "2022-10-02T20:51:28.345Z"]
    assert found.to_dict(900) == {
        "from": "annotation",
        "start": "2022-10-02T20:51:26.996Z",
        "end": "2022-10-02T20:51:28.344Z",
    }
    with pytest.raises(InputError, match="expected no `time` for S1A"):
        choose_acquisition(NAMED, annotated=LINES, asked="2022-10-02T20:51:26Z")


def test_the_file_comes_before_the_name_and_both_are_told() -> None:
    found, (note,) = choose_acquisition(NAMED, stated=START)
    assert found.times(Y) == ["2022-10-02T20:51:26.996Z"] * 3
    assert found.to_dict(900) == {"from": "file", "start": "2022-10-02T20:51:26.996Z", "end": None}
    assert "from the metadata of the scene" in note
    found, (note,) = choose_acquisition(NAMED)
    assert found.to_dict(900) == {"from": "name", "start": "2020-01-01T00:00:00.000Z", "end": None}
    assert (
        "all ships have one time, 2020-01-01T00:00:00.000Z, from the name of the scene; set `time` to change this"
        in note
    )


def test_a_file_that_knows_its_lines_needs_no_note() -> None:
    found, notes = choose_acquisition("scene", stated=LINES)
    assert (found.source, notes) == ("file", ())
    assert found.times(Y)[1] == "2022-10-02T20:51:27.671Z"


def test_the_setting_overrules_file_and_name_and_says_so() -> None:
    found, (note,) = choose_acquisition(NAMED, asked="2021-07-01T12:01:02Z")
    assert found.to_dict(9) == {"from": "option", "start": "2021-07-01T12:01:02.000Z", "end": None}
    assert note.endswith("its name says 2020-01-01T00:00:00.000Z")
    _, (note,) = choose_acquisition(NAMED, stated=LINES, asked="2021-07-01T12:01:02Z")
    assert note.endswith("its metadata says 2022-10-02T20:51:26.996Z")
    assert choose_acquisition(NAMED, asked="2020-01-01T00:00:00Z")[1] == ()
    assert choose_acquisition("scene", asked="2020-01-01T00:00:00Z")[1] == ()


def test_an_unknown_time_is_told_with_the_setting() -> None:
    found, (note,) = choose_acquisition("scene")
    assert found.times(Y) == [None] * 3
    assert found.to_dict(9) == {"from": "unknown", "start": None, "end": None}
    assert "unknown" in note
    assert "`time`" in note
