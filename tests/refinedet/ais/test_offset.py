"""Offset of a scene, and what its matches tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refinedet.ais.offset import detection_by_length, fit, length_bias, vote


def residuals(
    seed: int, offset: tuple[float, float], clock_s: float, count: int = 40, moving: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Residuals of matches with a spread of 30 m, their covariances and velocities; one of ten is astray."""
    rng = np.random.default_rng(seed)
    velocity = rng.normal(0, 5, (count, 2)) * moving
    found = np.array(offset) + clock_s * velocity + rng.normal(0, 30, (count, 2))
    found[::10] += rng.normal(0, 300, (len(found[::10]), 2))
    return found, np.broadcast_to(900 * np.eye(2), (count, 2, 2)), velocity


@settings(max_examples=25)
@given(st.integers(0, 1000), st.floats(-300, 300), st.floats(-300, 300), st.floats(-40, 40))
def test_an_offset_and_a_clock_are_fitted_though_some_are_astray(
    seed: int, east: float, north: float, clock: float
) -> None:
    found = fit(*residuals(seed, (east, north), clock))
    assert (found.east_m, found.north_m) == pytest.approx((east, north), abs=35)
    assert found.clock_s == pytest.approx(clock, abs=10)


@given(st.integers(0, 1000))
def test_ships_at_rest_tell_no_clock(seed: int) -> None:
    found = fit(*residuals(seed, (200, 0), 30.0, moving=False))
    assert found.clock_s == 0
    assert found.east_m == pytest.approx(200, abs=40)


def test_ships_that_go_one_way_tell_no_clock() -> None:
    rng = np.random.default_rng(3)
    velocity = np.array([7.0, 0.0]) + rng.normal(0, 0.2, (30, 2))
    found = fit(rng.normal(0, 30, (30, 2)) + 20 * velocity, np.broadcast_to(900 * np.eye(2), (30, 2, 2)), velocity)
    assert found.clock_s == 0
    assert found.east_m == pytest.approx(140, abs=30)


def test_an_offset_within_its_error_is_none() -> None:
    offsets = [fit(*residuals(seed, (0, 0), 0.0)) for seed in range(50)]
    assert np.mean([one.east_m == 0 == one.clock_s for one in offsets]) >= 0.9
    assert fit(*(part[:3] for part in residuals(0, (500, 0), 0.0))).east_m == 0


def test_most_pairs_agree_on_the_offset() -> None:
    near = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        offset, turn = rng.uniform(100, 800), rng.uniform(0, 2 * np.pi)
        east, north = offset * np.sin(turn), offset * np.cos(turn)
        right, _, velocity = residuals(seed, (east, north), rng.choice([-40.0, 0.0, 30.0]))
        wrong = rng.uniform(-1000, 1000, (800, 2))
        found = vote(np.concatenate([right, wrong]), np.concatenate([velocity, rng.normal(0, 5, (800, 2))]))
        near.append(np.hypot(found.east_m - east, found.north_m - north) <= 60)
    assert np.mean(near) >= 0.9, "chance may hide the offset among so many wrong pairs"


@given(st.integers(0, 1000))
def test_pairs_that_agree_on_nothing_give_no_offset(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = vote(rng.uniform(-800, 800, (300, 2)), rng.normal(0, 5, (300, 2)))
    assert (found.east_m, found.north_m, found.clock_s) == (0, 0, 0)
    assert vote(np.zeros((0, 2)), np.zeros((0, 2))).east_m == 0


def test_the_bias_of_lengths_is_a_median() -> None:
    assert length_bias(np.array([120.0, 130, 500, np.nan]), np.array([100.0, 110, 120, 90])) == (20, 0, 3)
    assert length_bias(np.zeros(0), np.zeros(0))[2] == 0


def test_detection_is_counted_by_length() -> None:
    lengths = np.array([10.0, 30, 30, 30, 300, np.nan])
    found = detection_by_length(lengths, np.array([False, True, False, True, True, True]))
    assert [(one.from_m, one.ships, one.seen) for one in found] == [(0, 1, 0), (25, 3, 2), (200, 1, 1)]
    assert all(0 <= one.low <= one.seen / one.ships <= one.high <= 1 for one in found)
