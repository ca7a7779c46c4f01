"""Moving ships and their wakes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from refinedet.data.simulation.sentinel1.canvas import Canvas
from refinedet.data.simulation.sentinel1.conditions import Sentinel1Conditions
from refinedet.data.simulation.sentinel1.motion import STILL, Motion, add_wake, draw_motion, smeared
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges
from refinedet.data.simulation.ships import Ship
from refinedet.data.simulation.spec import SceneSpec

MOVING = Sentinel1Ranges(moving_probability=1, wake_probability=1, speed_kn=(10, 10))


@pytest.fixture
def conditions() -> Sentinel1Conditions:
    """Conditions of one scene."""
    spec = SceneSpec(300, 300, 1, seed=0, kind="sentinel1")
    return Sentinel1Conditions.draw(spec, MOVING, np.random.default_rng(0))


def _ship(heading_deg: float) -> Ship:
    return Ship(150, 150, 12, 2, heading_deg, 20)


@pytest.mark.parametrize(("heading_deg", "metres"), [(90, 338), (270, -338), (0, 0)])
def test_a_ship_is_displaced_by_its_speed_along_the_line_of_sight(
    conditions: Sentinel1Conditions, heading_deg: float, metres: float
) -> None:
    seen = replace(conditions, incidence_deg=34.8)
    motion = draw_motion(_ship(heading_deg), 10.0, seen, MOVING, np.random.default_rng(1))
    assert motion.displaced_px * 10 == pytest.approx(metres, abs=5)
    assert motion.wake


def test_a_ship_at_anchor_is_neither_displaced_nor_smeared(conditions: Sentinel1Conditions) -> None:
    ranges = Sentinel1Ranges(moving_probability=0)
    assert draw_motion(_ship(90), 10.0, conditions, ranges, np.random.default_rng(1)) == STILL


def test_motion_smears_along_azimuth_alone() -> None:
    patch = np.zeros((21, 21), np.float32)
    patch[10, 10] = 1
    rows, columns = np.nonzero(smeared(patch, 4.2))
    assert (np.ptp(rows), np.ptp(columns)) == (4, 0)
    assert smeared(patch, 0.3) is patch


def test_a_wake_begins_where_the_ship_really_is_and_lies_behind_it(conditions: Sentinel1Conditions) -> None:
    flat = np.full((300, 300), 100, np.float32)
    canvas = Canvas(10.0, conditions, flat, np.zeros((300, 300), np.bool_), np.ones_like(flat), np.zeros_like(flat))
    add_wake(canvas, _ship(90), Motion(30.0, 0.0, wake=True), np.random.default_rng(2))
    changed = np.abs(canvas.level - 100) > 1
    rows, columns = np.nonzero(changed)
    assert columns.max() <= 150  # the ship goes to the right
    assert canvas.level[120, 100] < 85  # 30 rows above the place of the ship in the image
    assert np.median(rows) == pytest.approx(120, abs=3)
