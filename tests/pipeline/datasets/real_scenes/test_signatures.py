"""Ships are cut out of their sea, turned, made shorter and fainter, and their boxes go with them."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.datasets.real_scenes import signatures
from pipeline.datasets.real_scenes.patches import Ship
from pipeline.datasets.real_scenes.signatures import Signature

SEA = 50.0


def _ship(length_px: int = 14, other: bool = False) -> Ship:
    rng = np.random.default_rng(3)
    patch = SEA * np.sqrt(rng.gamma(4.4, 1 / 4.4, (60, 70))).astype(np.float32)
    patch[28:31, 30 : 30 + length_px] = 600
    if other:
        patch[5:8, 50:56] = 600
    middle, along = np.array([30 + length_px / 2, 29.5]), np.array([float(length_px), 0.0])
    return Ship(patch, middle, along, 10.0 * length_px, 20.0, float("nan"))


def test_hull_box_lies_around_the_marked_ends() -> None:
    x1, y1, x2, y2 = signatures.hull_box(_ship())
    assert (x1, x2) == (pytest.approx(30 - 2.1), pytest.approx(44 + 2.1))
    assert (y1, y2) == (pytest.approx(28.5 - 2.1), pytest.approx(30.5 + 2.1))


def test_slanted_hull_has_the_box_of_its_corners() -> None:
    ship = _ship()
    slanted = Ship(ship.patch, ship.middle_xy, np.array([10.0, 10.0]), 141.0, 20.0, 141.0)
    x1, y1, x2, y2 = signatures.hull_box(slanted)
    assert x2 - x1 == pytest.approx(10 + 2 * np.sqrt(0.5) + 4.2)
    assert y2 - y1 == pytest.approx(x2 - x1)


def test_other_bright_areas_of_a_patch_are_boxed_and_the_ship_is_not() -> None:
    assert len(signatures.others(_ship())) == 0
    ((x1, y1, x2, y2),) = signatures.others(_ship(other=True)).tolist()
    assert (x1 <= 50, x2 >= 56, y1 <= 5, y2 >= 8) == (True, True, True, True)


def test_signature_holds_the_ship_and_no_sea() -> None:
    cut = signatures.cut_out(_ship(other=True))
    ratio = (600 / SEA) ** 2
    assert float(cut.power.max()) == pytest.approx(ratio, rel=0.25)
    assert cut.power.size < 60 * 70 / 4
    x1, y1, x2, y2 = cut.box_xyxy
    inside = cut.power[max(round(y1), 0) : round(y2), max(round(x1), 0) : round(x2)]
    assert inside.sum() > 0.95 * cut.power.sum()


@pytest.mark.parametrize("seed", range(12))
def test_box_goes_with_the_ship(seed: int) -> None:
    varied = signatures.varied(signatures.cut_out(_ship()), np.random.default_rng(seed))
    y, x = np.indices(varied.power.shape) + 0.5
    x1, y1, x2, y2 = varied.box_xyxy
    weight = varied.power / varied.power.sum()
    assert (weight * x).sum() == pytest.approx((x1 + x2) / 2, abs=0.6)
    assert (weight * y).sum() == pytest.approx((y1 + y2) / 2, abs=0.6)
    within = (x > x1) & (x < x2) & (y > y1) & (y < y2)
    assert weight[within].sum() > 0.95
    assert max(x2 - x1, y2 - y1) <= 14 + 4.3
    assert max(x2 - x1, y2 - y1) >= 0.3 * 14 + 4.1


def test_no_ship_becomes_fainter_than_a_reader_sees() -> None:
    faint = Signature(np.pad(np.full((3, 9), 6, np.float32), 4), (4, 4, 13, 7))
    peaks = [float(signatures.varied(faint, np.random.default_rng(seed)).power.max()) for seed in range(40)]
    assert min(peaks) >= 3.5
    assert min(peaks) < 5 < max(peaks) + 0.1


def test_some_ships_become_brighter_and_some_fainter() -> None:
    ship = Signature(np.pad(np.full((8, 30), 100, np.float32), 4), (4, 4, 34, 12))
    peaks = [float(signatures.varied(ship, np.random.default_rng(seed)).power.max()) for seed in range(40)]
    assert 300 < max(peaks) < 601
    assert min(peaks) < 50
    assert sum(peak == pytest.approx(100, rel=0.1) for peak in peaks) > 4


def test_ship_is_added_in_units_of_the_sea() -> None:
    power = np.full((20, 30), 4, np.float32)
    box = signatures.add(power, Signature(np.full((2, 3), 10, np.float32), (0, 0, 3, 2)), (5, 6), level=4)
    assert box == (5, 6, 8, 8)
    assert (power[6:8, 5:8] == 44).all()
    assert (power == 44).sum() == 6
