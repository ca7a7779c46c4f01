"""Simulated ships: their outline, where they may lie, and how they are drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinedet.data.simulation.ships import Ship, add_patch, draw_ships, render, ship_patch
from refinedet.data.simulation.spec import SceneSpec
from refinedet.errors import InputError

SPEC = SceneSpec(width_px=256, height_px=256, ships=10, seed=0)


def _ship(length: float = 20, heading: float = 30, peak_db: float = 20, *, x: float = 60, y: float = 50) -> Ship:
    return Ship(x, y, length, length / 6, heading, peak_db)


@given(st.floats(4, 40), st.floats(0, 360))
def test_box_is_tight_around_the_outline(length: float, heading: float) -> None:
    ship = _ship(length, heading)
    x1, y1, x2, y2 = ship.box()
    hull = ship.hull()
    assert (hull.min(axis=0).tolist(), hull.max(axis=0).tolist()) == ([x1, y1], [x2, y2])
    assert np.hypot(x2 - x1, y2 - y1) <= np.hypot(length, length / 6) * np.sqrt(2)


@pytest.mark.parametrize(
    ("heading", "bow"),
    [
        pytest.param(0, (60, 40), id="up"),
        pytest.param(90, (70, 50), id="right"),
        pytest.param(180, (60, 60), id="down"),
        pytest.param(270, (50, 50), id="left"),
    ],
)
def test_heading_is_clockwise_from_the_top(heading: float, bow: tuple[float, float]) -> None:
    np.testing.assert_allclose(_ship(20, heading).hull()[0], bow, atol=1e-9)


@given(st.floats(4, 40), st.floats(0, 360), st.floats(0, 1), st.integers(0, 99))
def test_scatterers_lie_on_the_ship(length: float, heading: float, evenness: float, seed: int) -> None:
    ship = _ship(length, heading)
    points, power = ship.scatterers(np.random.default_rng(seed), evenness)
    x1, y1, x2, y2 = ship.box()
    inside = (points > np.array([x1, y1]) - 0.6) & (points < np.array([x2, y2]) + 0.6)
    assert inside.all()
    assert (power > 0).all()
    assert len(power) == len(points) >= 4


def test_a_scatterer_in_the_middle_of_a_pixel_lights_that_pixel() -> None:
    row, column, patch = render(np.array([[60.5, 50.5]]), np.ones(1), 0.75)
    peak = np.unravel_index(int(patch.argmax()), patch.shape)
    assert (row + peak[0], column + peak[1]) == (50, 60)
    assert patch.max() == pytest.approx(1)
    np.testing.assert_allclose(patch[peak[0] - 20 : peak[0] + 21, peak[1]], patch[peak[0], peak[1] - 20 : peak[1] + 21])


@given(st.floats(14, 40), st.floats(0, 360), st.floats(6, 25), st.integers(0, 99))
def test_the_light_of_a_ship_is_in_its_box(length: float, heading: float, peak_db: float, seed: int) -> None:
    ship = _ship(length, heading, peak_db)
    row, column, patch = ship_patch(ship, np.random.default_rng(seed), SPEC, 0.75)
    assert patch.max() == pytest.approx(1)
    y, x = np.mgrid[row : row + patch.shape[0], column : column + patch.shape[1]] + 0.5
    x1, y1, x2, y2 = ship.box()
    near = (x > x1 - 1.5) & (x < x2 + 1.5) & (y > y1 - 1.5) & (y < y2 + 1.5)
    assert patch[near].sum() > 0.9 * patch.sum()


def test_weak_ships_are_visible_along_their_whole_length() -> None:
    for seed in range(10):
        row, column, patch = ship_patch(_ship(30, 90, 8), np.random.default_rng(seed), SPEC, 0.75)
        axis = patch[50 - row, 47 - column : 74 - column]
        assert np.median(axis) > 0.3, "a few strong points would be all that is left of it"


def test_patches_are_cut_at_the_edge_of_the_scene() -> None:
    scene = np.zeros((10, 12), np.float32)
    add_patch(scene, -2, 9, np.ones((5, 5), np.float32))
    add_patch(scene, 40, 40, np.ones((5, 5), np.float32))
    assert scene.sum() == 9
    assert (scene[:3, 9:] == 1).all()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_ships_keep_to_free_water_and_off_each_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    blocked = np.zeros((256, 256), bool)
    blocked[:, :90] = blocked[200:] = True
    ships = draw_ships(SPEC, 3.0, blocked, blocked, rng)
    assert len(ships) == SPEC.ships
    taken = blocked.copy()
    for ship in ships:
        x1, y1, x2, y2 = ship.box()
        box = (slice(int(y1), int(np.ceil(y2))), slice(int(x1), int(np.ceil(x2))))
        assert not taken[box].any()
        taken[box] = True


@pytest.mark.parametrize("sea_shape", [1.0, 10.0])
def test_sizes_and_peaks_are_as_specified(sea_shape: float) -> None:
    water = np.zeros((2048, 2048), bool)
    spec = SceneSpec(width_px=2048, height_px=2048, ships=150, seed=0)
    ships = draw_ships(spec, sea_shape, water, water, np.random.default_rng(0))
    peaks = np.array([ship.peak_to_clutter_db for ship in ships])
    lengths = np.array([ship.length_px for ship in ships])
    assert 6 <= peaks.min() < peaks.max() <= 25
    assert 4 <= lengths.min() < 6
    assert 36 < lengths.max() <= 40
    assert (peaks < spec.weak_db).mean() >= spec.weak_share >= 0.2


def test_without_room_the_answer_is_one_sentence() -> None:
    blocked = np.ones((256, 256), bool)
    blocked[100:140, 100:140] = False
    with pytest.raises(InputError, match="ask for fewer ships or a larger scene"):
        draw_ships(SPEC, 3.0, blocked, blocked, np.random.default_rng(0))
