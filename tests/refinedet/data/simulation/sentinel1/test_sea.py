"""Sea of kind `sentinel1`: slicks, fronts, range, seams and foreign transmitters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from refinedet.data.simulation.sentinel1.artefacts import interference, seams
from refinedet.data.simulation.sentinel1.conditions import Sentinel1Conditions
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges
from refinedet.data.simulation.sentinel1.sea import front_db, incidence_db, slick_db
from refinedet.data.simulation.spec import SceneSpec

SHAPE = (200, 260)
RANGES = Sentinel1Ranges()


@pytest.mark.parametrize("seed", range(4))
def test_a_slick_is_darker_by_its_depth_on_a_part_of_the_sea(seed: int) -> None:
    slick = slick_db(SHAPE, 6.0, np.random.default_rng(seed))
    assert slick.min() >= 0
    assert slick.max() == pytest.approx(6, abs=0.6)
    assert 0.003 < (slick > 3).mean() < 0.3


def test_a_front_parts_the_sea_in_two_levels() -> None:
    parted = [front_db(SHAPE, 4.0, np.random.default_rng(seed)) for seed in range(8)]
    assert max(np.percentile(front, 90) - np.percentile(front, 10) for front in parted) == pytest.approx(4, abs=0.8)


@pytest.mark.parametrize("left", [True, False])
def test_the_sea_darkens_with_range(*, left: bool) -> None:
    spec = SceneSpec(300, 300, 1, seed=0, kind="sentinel1")
    conditions = replace(Sentinel1Conditions.draw(spec, RANGES, np.random.default_rng(0)), radar_left=left)
    ramp = incidence_db(SHAPE, 10.0, conditions, RANGES, np.random.default_rng(0))
    assert ramp.shape == SHAPE
    assert (np.diff(ramp[0]) < 0).all() == left
    assert ramp.mean() == pytest.approx(0, abs=1e-5)


def test_seams_are_steps_of_less_than_two_decibels() -> None:
    factor = 10 * np.log10(seams(SHAPE, RANGES, np.random.default_rng(4)))
    steps = np.abs(np.diff(factor, axis=1)).max(axis=0)
    assert (steps > 1e-3).sum() == 1
    assert np.abs(factor).max() < 3


def test_foreign_transmitters_leave_stripes_along_range() -> None:
    added = interference(SHAPE, RANGES, np.random.default_rng(5))
    rows = added.max(axis=1) > 0
    assert 0 < rows.mean() < 0.9
    assert 10 ** (RANGES.interference_db[0] / 10) <= added.max()
