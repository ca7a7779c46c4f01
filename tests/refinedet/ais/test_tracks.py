"""Tracks of ships between and beyond their reports."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinedet.ais.tables import Fixes, Statics
from refinedet.ais.tracks import KNOT_M_S, Whereabouts, at_centre, whereabouts
from refinedet.geo.steps import direction, moved, steps_m

START = np.datetime64("2024-05-01T10:00:00", "ms")


def fixes_of(rows: list[tuple[int, float, float, float, float, float]], heading: float = np.nan) -> Fixes:
    """Reports from rows (number, seconds, east, north, speed in knots, course), east and north of 5 E 54 N."""
    rows = sorted(rows)
    mmsi, seconds, east, north, speed, course = (np.array(column) for column in zip(*rows, strict=True))
    places = moved(np.tile([5.0, 54.0], (len(rows), 1)), np.stack([east, north], axis=1).astype(float))
    time = START + (1000 * seconds).astype("timedelta64[ms]")
    few = [np.asarray(one, np.float32) for one in (speed, course, np.full(len(rows), heading), np.full(len(rows), 5.0))]
    return Fixes(mmsi.astype(np.int64), time, *places.T, *few)


def metres(lonlat: np.ndarray) -> np.ndarray:
    """Metres east and north of 5 E 54 N."""
    return steps_m(np.tile([5.0, 54.0], (len(lonlat), 1)), lonlat)


def at(fixes: Fixes, mmsi: int, seconds: float, **more: float) -> Whereabouts:
    time = np.array([START + np.timedelta64(round(1000 * seconds), "ms")])
    return whereabouts(fixes, np.array([mmsi]), time, **more)


@given(st.floats(-40_000, 40_000), st.floats(-40_000, 40_000), st.floats(-180, 180), st.floats(-80, 80))
def test_a_step_is_undone(east: float, north: float, lon: float, lat: float) -> None:
    start = np.array([[lon, lat]])
    step = np.array([[east, north]])
    assert steps_m(start, moved(start, step)) == pytest.approx(step, abs=0.01)


def test_steps_are_those_of_the_ellipsoid() -> None:
    from refinedet.geo.position import azimuths_deg, distances_m

    start, end = np.array([[5.0, 54.0]]), np.array([[5.2, 54.1]])
    length = distances_m(start, end)[0]
    assert np.hypot(*steps_m(start, end)[0]) == pytest.approx(length, rel=1e-4)
    step = steps_m(start, end)[0]
    angle = np.degrees(np.arctan2(*step))
    assert angle == pytest.approx(azimuths_deg(start, end)[0], abs=0.1)


@given(st.floats(0, 359.9), st.floats(1, 25), st.floats(1, 899))
def test_a_straight_track_is_followed(course: float, speed: float, seconds: float) -> None:
    end = direction(np.array([course]))[0] * speed * KNOT_M_S * 900
    fixes = fixes_of([(1, 0, 0, 0, speed, course), (1, 900, *end, speed, course)])
    found = at(fixes, 1, seconds)
    assert metres(found.lonlat)[0] == pytest.approx(end * seconds / 900, abs=2)
    assert found.velocity_m_s[0] == pytest.approx(end / 900, abs=0.05)


def test_a_turn_is_followed_better_than_its_chord() -> None:
    radius, rate = 2000.0, 0.5 / 600  # a turn of half a radian in ten minutes
    angles = np.array([0.0, 0.5])
    speed_kn = radius * rate / KNOT_M_S
    rows = [
        (1, 600 * i, radius * (1 - np.cos(a)), radius * np.sin(a), speed_kn, float(np.degrees(a)))
        for i, a in enumerate(angles)
    ]
    found = metres(at(fixes_of(rows), 1, 300).lonlat)[0]
    truth = np.array([radius * (1 - np.cos(0.25)), radius * np.sin(0.25)])
    chord = np.array(rows[1][2:4]) / 2
    assert np.hypot(*(found - truth)) < 2 < np.hypot(*(chord - truth)) / 20


def test_beyond_the_last_report_the_ship_goes_on_and_its_spread_grows() -> None:
    fixes = fixes_of([(1, 0, 0, 0, 10, 90)])
    near, far = at(fixes, 1, 60), at(fixes, 1, 600)
    assert metres(far.lonlat)[0] == pytest.approx([10 * KNOT_M_S * 600, 0], abs=5)
    assert 5 < near.spread_m[0] < far.spread_m[0] / 5
    assert far.gap_s[0] == pytest.approx(600)


def test_before_the_first_report_the_ship_came_straight() -> None:
    found = at(fixes_of([(1, 0, 0, 0, 10, 90)]), 1, -100)
    assert metres(found.lonlat)[0] == pytest.approx([-10 * KNOT_M_S * 100, 0], abs=1)


def test_no_place_is_told_beyond_the_gap() -> None:
    fixes = fixes_of([(1, 0, 0, 0, 10, 90), (1, 7200, 0, 0, 10, 90)])
    assert at(fixes, 1, 599, gap_max_s=600).told[0]
    assert not at(fixes, 1, 3600, gap_max_s=600).told[0]
    assert at(fixes, 1, 7000, gap_max_s=600).told[0]


def test_a_ship_without_reports_has_no_place() -> None:
    fixes = fixes_of([(1, 0, 0, 0, 10, 90), (3, 0, 0, 0, 10, 90)])
    time = np.full(4, START)
    assert whereabouts(fixes, np.array([0, 1, 2, 9]), time).told.tolist() == [False, True, False, False]
    none = fixes.__class__(*(np.asarray(getattr(fixes, name))[:0] for name in fixes.__slots__))
    assert not whereabouts(none, np.array([1]), time[:1]).told.any()


def test_two_ships_with_one_number_are_not_bridged() -> None:
    fixes = fixes_of([(1, 0, 0, 0, 10, 90), (1, 60, 30_000, 0, 10, 90)])
    assert metres(at(fixes, 1, 10).lonlat)[0] == pytest.approx([10 * KNOT_M_S * 10, 0], abs=1)


@given(st.integers(0, 10_000))
def test_each_ship_is_looked_up_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [
        (int(m), float(t), *rng.uniform(-9000, 9000, 2), 8.0, 45.0)
        for m in range(5)
        for t in np.unique(rng.integers(0, 3600, rng.integers(1, 5)))
    ]
    fixes = fixes_of(rows)
    mmsi = rng.integers(0, 6, 12)
    time = START + rng.integers(-600, 4200, 12).astype("timedelta64[s]")
    together = whereabouts(fixes, mmsi, time)
    for i, (one, when) in enumerate(zip(mmsi, time, strict=True)):
        own = fixes.mmsi == one
        alone = Fixes(*(getattr(fixes, name)[own] for name in Fixes.__slots__))
        single = whereabouts(alone, np.array([one]), np.array([when]))
        np.testing.assert_allclose(together.lonlat[i], single.lonlat[0])
        np.testing.assert_allclose(together.spread_m[i], single.spread_m[0])


def test_the_middle_of_the_hull_is_ahead_of_an_antenna_at_the_stern() -> None:
    where = at(fixes_of([(1, 0, 0, 0, 0, 0)], heading=90.0), 1, 0)
    bow, stern, port, starboard = (np.array([v], np.float32) for v in (180, 20, 5, 25))
    text = np.array([""])
    statics = Statics(np.array([1]), text, text, bow + stern, port + starboard, bow, stern, port, starboard)
    found = at_centre(where, statics, np.array([0]))
    assert metres(found.lonlat)[0] == pytest.approx([80, -10], abs=0.01)  # starboard of a bow to the east is south
    assert metres(at_centre(where, statics, np.array([-1])).lonlat)[0] == pytest.approx([0, 0], abs=0.01)


def test_an_antenna_of_unknown_place_is_taken_to_be_astern() -> None:
    text, size, unknown = np.array([""]), np.array([200], np.float32), np.array([np.nan], np.float32)
    statics = Statics(np.array([1]), text, text, size, size / 6, *([unknown] * 4))
    headed = at(fixes_of([(1, 0, 0, 0, 0, 0)], heading=0.0), 1, 0)
    found = at_centre(headed, statics, np.array([0]))
    assert metres(found.lonlat)[0] == pytest.approx([0, 40], abs=0.01)
    lost = at(fixes_of([(1, 0, 0, 0, 0, 0)]), 1, 0)
    blind = at_centre(lost, statics, np.array([0]))
    assert metres(blind.lonlat)[0] == pytest.approx([0, 0], abs=0.01)
    assert headed.spread_m[0] < found.spread_m[0] < blind.spread_m[0] < 50
