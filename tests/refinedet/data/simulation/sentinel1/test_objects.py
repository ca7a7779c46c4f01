"""Islets, harbours, towns and structures of kind `sentinel1`, each on a flat sea."""

from __future__ import annotations

import numpy as np
import pytest

from refinedet.data.simulation.sentinel1.canvas import Canvas
from refinedet.data.simulation.sentinel1.conditions import Sentinel1Conditions
from refinedet.data.simulation.sentinel1.harbour import add_harbours
from refinedet.data.simulation.sentinel1.islets import add_islets, islet_brightness, islet_mask
from refinedet.data.simulation.sentinel1.land import add_towns, slope_db
from refinedet.data.simulation.sentinel1.offshore import add_platforms, add_turbines, wind_farm
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges
from refinedet.data.simulation.spec import SceneSpec

SIDE = 320


@pytest.fixture
def canvas() -> Canvas:
    """A flat sea without anything."""
    spec = SceneSpec(SIDE, SIDE, 0, seed=0, kind="sentinel1")
    conditions = Sentinel1Conditions.draw(spec, Sentinel1Ranges(), np.random.default_rng(0))
    shape = (SIDE, SIDE)
    return Canvas(
        10.0, conditions, np.ones(shape, np.float32), np.zeros(shape, np.bool_), np.ones(shape, np.float32),
        np.zeros(shape, np.float32),
    )  # fmt: skip


def test_islets_are_land_and_rocks_are_signal(canvas: Canvas) -> None:
    found = add_islets(canvas, Sentinel1Ranges(islets=(12, 12), islet_m=(20, 300)), np.random.default_rng(1))
    assert {one.kind for one in found} == {"islet", "rock"}
    for one in found:
        x1, y1, x2, y2 = (int(value) for value in one.box)
        if one.kind == "islet":
            assert canvas.land[y1:y2, x1:x2].mean() > 0.3
            assert canvas.brightness[y1:y2, x1:x2].max() > 2
        else:
            assert canvas.signal[y1 : y2 + 1, x1 : x2 + 1].max() > 1.5


def test_an_islet_is_one_piece_of_about_its_size() -> None:
    areas = [islet_mask(20, np.random.default_rng(seed)).sum() for seed in range(20)]
    assert np.median(areas) == pytest.approx(np.pi * 100, rel=0.4)


def test_the_shore_towards_the_radar_is_brighter(canvas: Canvas) -> None:
    mask = islet_mask(30, np.random.default_rng(3))
    made = [islet_brightness(mask, 6, canvas.conditions, np.random.default_rng(seed)) for seed in range(30)]
    near = 1 if canvas.conditions.radar_left else -1
    shores = [mask & ~np.roll(mask, side * near, axis=1) for side in (1, -1)]
    towards, away = (np.mean([one[shore].mean() for one in made]) for shore in shores)
    assert towards > 1.3 * away


def test_slopes_towards_the_radar_are_brighter(canvas: Canvas) -> None:
    x = np.linspace(0, 1, 60, dtype=np.float32)
    ridge = np.tile(1 - np.abs(x - 0.5), (20, 1))
    left, right = (part.mean() for part in np.split(slope_db(ridge, canvas.conditions, 3.0), 2, axis=1))
    assert (left > right) == canvas.conditions.radar_left


def test_harbours_grow_from_the_coast(canvas: Canvas) -> None:
    canvas.land[: SIDE // 3] = True
    before = canvas.land.copy()
    found = add_harbours(canvas, Sentinel1Ranges(harbours=(2, 2)), np.random.default_rng(5))
    assert found
    assert {one.kind for one in found} == {"breakwater"}
    grown = canvas.land & ~before
    assert grown[SIDE // 3 :].sum() > 150
    assert canvas.signal[SIDE // 3 :].max() > 30


def test_no_harbour_without_a_coast(canvas: Canvas) -> None:
    assert add_harbours(canvas, Sentinel1Ranges(), np.random.default_rng(5)) == []


def test_towns_are_on_land(canvas: Canvas) -> None:
    add_towns(canvas, np.random.default_rng(6))
    assert not canvas.signal.any()
    canvas.land[:, :160] = True
    add_towns(canvas, np.random.default_rng(6))
    assert canvas.signal[:, :160].max() > 20 * canvas.signal[:, 220:].max()


def test_a_wind_farm_is_a_regular_grid() -> None:
    places = wind_farm(10.0, Sentinel1Ranges(turbine_spacing_m=(600, 600)), np.random.default_rng(7))
    distance = np.hypot(*(places[:, None] - places).transpose(2, 0, 1))
    np.fill_diagonal(distance, np.inf)
    assert distance.min(axis=1) == pytest.approx(60, abs=4)


def test_structures_stand_out_of_the_sea_and_not_on_land(canvas: Canvas) -> None:
    canvas.land[:, :100] = True
    ranges = Sentinel1Ranges(
        wind_farm_probability=1, single_turbine_probability=1, platform_probability=1, platforms=(6, 6)
    )
    rng = np.random.default_rng(8)
    found = [*add_turbines(canvas, ranges, rng), *add_platforms(canvas, ranges, rng)]
    assert {one.kind for one in found} == {"turbine", "platform"}
    for one in found:
        x1, y1, x2, y2 = (int(value) for value in one.box)
        assert canvas.signal[max(y1, 0) : y2 + 1, max(x1, 0) : x2 + 1].max() > 3
        if one.kind == "platform":
            assert not canvas.land[(y1 + y2) // 2, (x1 + x2) // 2]


def test_shores_are_as_sharp_as_the_imaging_system(canvas: Canvas) -> None:
    canvas.land[:, 100:] = True
    canvas.brightness[:] = 9
    clutter = canvas.clutter(np.ones_like(canvas.level))
    assert clutter[50, [90, 110]] == pytest.approx([1, 9], abs=1e-3)
    assert 1.5 < clutter[50, 99] < 5 < clutter[50, 100] < 8.5
