"""Turbines of a wind farm are told by the regular grid of their neighbours, anchored ships are not."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from refinedet.scene.ships.doubts.lattice import grid_members

Places = NDArray[np.float64]


def grid(rows: int, columns: int, spacing_m: tuple[float, float], turn_deg: float, skew: float = 0.0) -> Places:
    """Places of a grid whose rows are shifted by `skew` of the spacing, turned around the first one."""
    j, i = np.meshgrid(np.arange(columns), np.arange(rows))
    flat = np.stack([(j + skew * i) * spacing_m[0], i * spacing_m[1]], axis=-1).reshape(-1, 2)
    sine, cosine = np.sin(np.radians(turn_deg)), np.cos(np.radians(turn_deg))
    return np.asarray(flat @ np.array([[cosine, sine], [-sine, cosine]]) + [30_000.0, 40_000.0])


def everywhere(count: int) -> NDArray[np.bool_]:
    return np.ones(count, np.bool_)


@pytest.mark.parametrize("seed", range(4))
def test_most_turbines_are_told_and_ships_around_them_are_not(seed: int) -> None:
    """A farm of which the detector sees two thirds, some ships in it, and many around it."""
    rng = np.random.default_rng(seed)
    farm = grid(9, 10, tuple(rng.uniform(550, 1100, 2)), rng.uniform(0, 90), rng.choice([0.0, 0.5]))
    farm = farm[rng.random(len(farm)) < 0.67] + rng.normal(0, 12, (1, 2))
    farm += rng.normal(0, 10, farm.shape)
    ships = np.concatenate([rng.uniform(0, 90_000, (150, 2)), farm.mean(axis=0) + rng.normal(0, 2500, (6, 2))])
    places = np.concatenate([farm, ships])
    found = grid_members(places, everywhere(len(places)))
    assert found[: len(farm)].mean() > 0.7
    assert found[len(farm) :].sum() <= 1


@pytest.mark.parametrize("seed", range(6))
def test_ships_at_anchor_are_never_taken_for_turbines(seed: int) -> None:
    rng = np.random.default_rng(seed)
    anchorages = [
        rng.normal(0, 3000, (70, 2)),  # at random
        np.stack([np.arange(25) * 900.0, np.zeros(25)], axis=1) + rng.normal(0, 120, (25, 2)),  # along a fairway
    ]
    for swing_m in (70.0, 110.0, 160.0):  # in berths of a regular grid, each ship on its own chain
        berths = grid(8, 8, tuple(rng.uniform(650, 1300, 2)), rng.uniform(0, 90))
        anchorages.append(berths + rng.normal(0, swing_m, berths.shape))
    for places in anchorages:
        assert not grid_members(places, everywhere(len(places))).any()


def test_a_row_and_a_small_group_and_long_ships_form_no_grid() -> None:
    farm = grid(6, 6, (800.0, 700.0), 20.0)
    assert grid_members(farm, everywhere(36)).all()
    assert not grid_members(farm, np.zeros(36, np.bool_)).any(), "ships that are no points"
    assert not grid_members(farm[:6], everywhere(6)).any()
    assert not grid_members(farm[[0, 1, 2, 6, 7, 8, 12]], everywhere(7)).any()
    assert not grid_members(np.zeros((0, 2)), everywhere(0)).any()
    berths = grid(6, 10, (120.0, 60.0), 0.0)
    assert not grid_members(berths, everywhere(60)).any(), "ships at the quays of a port"


def test_many_detections_take_seconds() -> None:
    rng = np.random.default_rng(1)
    places = rng.uniform(0, (110_000, 80_000), (10_000, 2))
    began = time.perf_counter()
    assert not grid_members(places, everywhere(len(places))).any()
    assert time.perf_counter() - began < 20
