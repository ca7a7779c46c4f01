"""Displacement of moving ships in the image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinedet.ais.displacement import View, covariance, displacement, range_over_speed
from refinedet.geo.steps import direction

ANGLES = st.floats(0, 360)
SPEEDS = st.floats(0.5, 15)


def view(track: float, *, right: bool = True, incidence: float = 37.0, seconds: float = 115.0) -> View:
    return View(np.array([seconds]), np.array([incidence]), np.array([track]), right)


@given(ANGLES, ANGLES, SPEEDS, st.booleans())
def test_it_lies_along_the_track_and_against_flight_for_what_goes_away(
    track: float, course: float, speed: float, right: bool
) -> None:
    seen = view(track, right=right)
    velocity = speed * direction(np.array([course]))
    shift = displacement(seen, velocity)[0]
    along = direction(np.array([track]))[0]
    assert shift @ along == pytest.approx(shift @ along)
    assert np.hypot(*(shift - (shift @ along) * along)) < 1e-6
    radial = float(velocity[0] @ seen.away[0])
    assert shift @ along == pytest.approx(-115 * radial * np.sin(np.radians(37)), abs=1e-6)


@given(ANGLES, ANGLES, SPEEDS)
def test_it_is_linear_in_velocity(track: float, course: float, speed: float) -> None:
    velocity = speed * direction(np.array([course]))
    one = displacement(view(track), velocity)
    np.testing.assert_allclose(displacement(view(track), -2 * velocity), -2 * one, atol=1e-9)


@given(ANGLES, SPEEDS)
def test_along_the_track_there_is_none(track: float, speed: float) -> None:
    assert np.hypot(*displacement(view(track), speed * direction(np.array([track])))[0]) < 1e-6


def test_a_ship_to_the_east_is_shown_south_on_both_passes() -> None:
    """Sentinel-1 looks right: what goes east goes away on the ascending pass, and comes near on the descending one."""
    for track in (348.0, 192.0):
        shift = displacement(view(track), np.array([[7.0, 0.0]]))[0]
        assert shift[1] < -400


@pytest.mark.parametrize(("incidence", "expected"), [(31.0, 105.0), (46.0, 126.0)])
def test_sentinel_1_sees_from_its_range(incidence: float, expected: float) -> None:
    assert range_over_speed(np.array([incidence]))[0] == pytest.approx(expected, rel=0.03)


def test_an_unknown_geometry_gives_no_displacement_but_its_spread() -> None:
    velocity = np.array([[7.0, 0.0], [0.0, 0.0]])
    unknown = View.unknown(2)
    assert (displacement(unknown, velocity) == 0).all()
    spread = covariance(unknown, velocity, np.zeros(2))
    known = displacement(view(348.0), velocity[:1])
    assert np.sqrt(spread[0, 0, 0]) > np.hypot(*known[0]) / 2
    assert spread[0, 0, 1] == 0
    assert spread[1] == pytest.approx(np.zeros((2, 2)))


@given(ANGLES, ANGLES, SPEEDS, st.floats(0.01, 1))
def test_the_spread_is_that_of_the_displacements(track: float, course: float, speed: float, error: float) -> None:
    velocity = speed * direction(np.array([course]))
    errors = np.random.default_rng(0).normal(0, error, (4000, 2))
    many = View(np.full(4000, 115.0), np.full(4000, 37.0), np.full(4000, track))
    shifts = displacement(many, velocity + errors)
    expected = covariance(view(track), velocity, np.array([error]))[0]
    np.testing.assert_allclose(np.cov(shifts.T), expected, atol=0.15 * expected.trace())
