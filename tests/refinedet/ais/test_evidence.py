"""Likelihood that a detection and a ship are one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinedet.ais.evidence import density, log_heading, log_length, log_seen
from refinedet.geo.steps import moved

ANGLES = st.floats(0, 360)


@given(st.floats(5, 400), st.floats(0, 400))
def test_the_reported_length_speaks_for_a_pair_more_than_any_other(told: float, off: float) -> None:
    right, wrong = log_length(np.array([told, told + off]), np.array([told, told]))
    assert right >= wrong
    assert wrong >= -5


@given(ANGLES, ANGLES)
def test_bow_and_stern_look_alike(axis: float, turn: float) -> None:
    both = log_heading(np.array([axis % 180, axis % 180]), np.array([(axis + turn) % 360, (axis + turn + 180) % 360]))
    assert both[0] == pytest.approx(both[1], abs=1e-6)


def test_unknown_lengths_and_headings_say_nothing() -> None:
    nothing = np.array([np.nan])
    assert log_length(nothing, np.array([100.0]))[0] == log_heading(nothing, np.array([10.0]))[0] == 0
    alike, apart = log_heading(np.array([10.0, 10.0]), np.array([10.0, 80.0]))
    assert alike > 1
    assert apart < 0


def test_longer_ships_are_seen_rather() -> None:
    odds = log_seen(np.array([8.0, 25.0, 60.0, 300.0]))
    assert (np.diff(odds) > 0).all()
    assert odds[1] == pytest.approx(0)


def test_density_is_that_of_an_even_pattern() -> None:
    step = np.arange(-5000.0, 5001.0, 500.0)
    grid = np.stack(np.meshgrid(step, step), axis=-1).reshape(-1, 2)
    lonlat = moved(np.tile([5.0, 54.0], (len(grid), 1)), grid)
    inner = np.hypot(*grid.T) < 2000
    assert np.median(density(lonlat)[inner]) == pytest.approx(1 / 500**2, rel=0.5)
    assert density(lonlat[:1])[0] == 1e-10
