"""Sizes, contrast and looks of ships of kind `sentinel1`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from refinedet.data.simulation.sentinel1.conditions import Sentinel1Conditions
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges
from refinedet.data.simulation.sentinel1.ships import beam_ratio, draw_shapes, scatterers, visible_box
from refinedet.data.simulation.ships import Ship
from refinedet.data.simulation.spec import SceneSpec

RANGES = Sentinel1Ranges()


@pytest.fixture
def conditions() -> Sentinel1Conditions:
    """Conditions of one scene."""
    spec = SceneSpec(300, 300, 1, seed=0, kind="sentinel1")
    drawn = Sentinel1Conditions.draw(spec, RANGES, np.random.default_rng(0))
    return replace(drawn, polarisation="vv", contrast_db=0.0, sea=replace(drawn.sea, mean_amplitude=80.0))


def test_lengths_and_beams_are_usual(conditions: Sentinel1Conditions) -> None:
    ships = draw_shapes(2000, 10.0, conditions, RANGES, np.random.default_rng(1))
    length = np.array([ship.length_px for ship in ships]) * 10
    ratio = np.array([ship.width_px / ship.length_px for ship in ships])
    assert 15 <= length.min() < 17
    assert 250 < length.max() <= 350
    assert np.mean(length < 60) == pytest.approx(0.35, abs=0.04)
    assert np.median(ratio[length > 100]) == pytest.approx(1 / 6.5, abs=0.01)
    assert np.median(ratio[length < 30]) > 0.18


def test_beam_of_a_boat_is_wider() -> None:
    assert beam_ratio(20) > 1.25 * beam_ratio(150)


def test_peaks_follow_the_length_and_the_sea(conditions: Sentinel1Conditions) -> None:
    at_80 = [conditions.expected_peak_db(length, RANGES) for length in (50, 100, 200)]
    assert at_80 == sorted(at_80)
    assert at_80[1] == pytest.approx(RANGES.contrast_vv.at_100_m_db)
    rough = replace(conditions, sea=replace(conditions.sea, mean_amplitude=160.0))
    assert rough.expected_peak_db(100, RANGES) == pytest.approx(at_80[1] - 6.02, abs=0.01)
    assert replace(conditions, polarisation="vh").law(RANGES) == RANGES.contrast_vh


def test_no_ship_is_fainter_than_anybody_would_mark(conditions: Sentinel1Conditions) -> None:
    rough = replace(conditions, contrast_db=-20.0)
    peaks = [ship.peak_to_clutter_db for ship in draw_shapes(300, 10.0, rough, RANGES, np.random.default_rng(2))]
    assert min(peaks) >= RANGES.least_peak_db


def test_masts_lean_towards_the_radar_and_nothing_else_leaves_the_hull(conditions: Sentinel1Conditions) -> None:
    ship = Ship(0, 0, 25, 4, 0, 30)
    for left in (True, False):
        seen = replace(conditions, radar_left=left)
        rng = np.random.default_rng(3)
        points = np.concatenate([scatterers(ship, 10.0, seen, rng)[0] for _ in range(40)])
        nearer = points[:, 0] < -2.2 if left else points[:, 0] > 2.2
        farther = points[:, 0] > 2.2 if left else points[:, 0] < -2.2
        assert nearer.sum() > 20
        assert not farther.any()
        assert np.abs(points[:, 1]).max() <= 12.5


def test_a_box_is_no_smaller_than_the_resolution() -> None:
    assert visible_box(Ship(10, 20, 1.5, 0.4, 90, 10), 10.0) == pytest.approx((9, 19, 11, 21))
    large = Ship(50, 50, 30, 5, 45, 10)
    assert visible_box(large, 10.0) == pytest.approx(large.box())
