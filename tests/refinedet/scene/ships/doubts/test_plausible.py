"""Doubts about detections: islets, land, clutter and things larger than ships, but no ship at sea."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.scene.ships.doubts import backdrop, clutter, plausible
from refinedet.scene.ships.doubts.clutter import CLUTTER, amid_clutter
from refinedet.scene.ships.doubts.plausible import (
    IMPLAUSIBLE,
    ISLET,
    REACH_PX,
    doubts,
    judged,
    resolution_m,
    surroundings,
)
from refinedet.scene.ships.measuring.crop import Crop

SIDE = 200
MIDDLE = SIDE / 2
Power = NDArray[np.float64]


def speckle(seed: int = 0, looks: float = 4.4) -> Power:
    """Power of a calm sea of mean 1."""
    return np.random.default_rng(seed).gamma(looks, 1 / looks, (SIDE, SIDE))


def bar(
    length: float, breadth: float, degrees: float = 30.0, x: float = MIDDLE, y: float = MIDDLE
) -> NDArray[np.bool_]:
    """Pixels of a bar around a place."""
    down, right = np.mgrid[:SIDE, :SIDE] + 0.5
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    along, across = (right - x) * cosine + (down - y) * sine, (down - y) * cosine - (right - x) * sine
    return (np.abs(along) <= length / 2) & (np.abs(across) <= breadth / 2)


def ship(
    length: float = 20, breadth: float = 3, gain: float = 300.0, x: float = MIDDLE, y: float = MIDDLE, seed: int = 5
) -> Power:
    """Power of a ship as a sensor with a resolution of two pixels shows it: uneven, with a few very bright points."""
    hull = bar(length, breadth, x=x, y=y)
    points = np.random.default_rng(seed).exponential(1.0, hull.shape) ** 2 * hull
    return gain * ndimage.gaussian_filter(points, 0.85)


def textured(seed: int = 9) -> Power:
    """Power of land of mean 1: speckle on a texture with a grain of several pixels."""
    grain = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(SIDE, SIDE)), 2)
    grain = np.exp(0.8 * grain / grain.std())
    return speckle(seed) * grain / grain.mean()


def city(seed: int = 3) -> Power:
    """Power of built-up land: bright points of any strength and size, everywhere."""
    rng = np.random.default_rng(seed)
    points = (rng.random((SIDE, SIDE)) < 0.02) * rng.lognormal(5, 1.2, (SIDE, SIDE))
    return textured(seed) + ndimage.gaussian_filter(points, 1.0)


def box(reach: float = 12, x: float = MIDDLE, y: float = MIDDLE) -> tuple[float, float, float, float]:
    return x - reach, y - reach, x + reach, y + reach


def judge(power: Power, place: tuple[float, float, float, float], pixel_m: float = 10.0) -> tuple[set[str], float]:
    crop = Crop.of(power, np.ones(power.shape, bool))
    flags, land_px = doubts(crop, place, pixel_m)
    return flags | ({CLUTTER} if amid_clutter([crop], [place])[0] else set()), land_px


@pytest.mark.parametrize("looks", [1.0, 4.4, 20.0])
@pytest.mark.parametrize("pixel_m", [10.0, np.nan])
@pytest.mark.parametrize(("length", "breadth"), [(4, 1.5), (20, 3), (40, 6)])
def test_a_ship_at_sea_is_not_doubted(length: float, breadth: float, pixel_m: float, looks: float) -> None:
    sea = speckle(1, looks) + ship(length, breadth)
    assert judge(sea, box(length / 2 + 2), pixel_m) == (set(), np.inf)


def test_ships_at_anchor_and_in_a_convoy_are_not_doubted() -> None:
    sea = speckle(2)
    for number, (x, y) in enumerate((x, y) for x in range(20, SIDE, 40) for y in range(20, SIDE, 40)):
        sea = sea + ship(18, 3, x=float(x), y=float(y), seed=number)
    assert judge(sea, box(x=100, y=100)) == (set(), np.inf)


def test_a_bright_sea_beside_a_slick_is_no_land() -> None:
    sea = 10 * speckle(3)
    sea[:, : SIDE // 2 - 30] /= 10
    assert judge(sea + ship(gain=3000), box()) == (set(), np.inf)


def test_side_lobes_of_a_bright_ship_are_no_land() -> None:
    sea = speckle(4)
    cross = np.zeros_like(sea)
    cross[94:106], cross[:, 94:106] = 1, 1
    assert judge(sea + 30 * cross * speckle(5) + ship(gain=3e4), box()) == (set(), np.inf)


@pytest.mark.parametrize(("length", "breadth", "flags"), [(70, 6, {IMPLAUSIBLE}), (24, 20, {IMPLAUSIBLE, ISLET})])
def test_what_is_larger_than_any_ship_is_implausible(length: float, breadth: float, flags: set[str]) -> None:
    patch = speckle(1) + 100 * speckle(6) * bar(length, breadth)
    assert judge(patch, box(length / 2))[0] == flags
    assert judge(patch, box(length / 2), np.nan)[0] == set()  # pixels of a metre would show a boat so


def test_an_even_broad_patch_is_an_islet_in_pixels_of_any_size() -> None:
    cut_off = np.minimum(speckle(1) + 100 * bar(36, 28), 6.0)
    assert judge(cut_off, box(20), np.nan)[0] == {ISLET}


@pytest.mark.parametrize(("gain", "seen"), [(6.0, True), (40.0, True), (1.2, False)])
def test_land_is_seen_by_its_texture_and_power(gain: float, *, seen: bool) -> None:
    scene = speckle(1)
    scene[:, 140:] = gain * textured()[:, 140:]
    flags, away = judge(scene + ship(), box())
    assert not flags
    assert away == (pytest.approx(140 - 112, abs=12) if seen else np.inf)


@pytest.mark.parametrize("within_px", [0.0, 5.0, 40.0, np.inf])
def test_land_is_seen_as_far_as_it_matters(within_px: float) -> None:
    scene = speckle(1)
    scene[:, 140:] = 20 * textured()[:, 140:]
    crop = Crop.of(scene + ship(), np.ones(scene.shape, bool))
    for x in (MIDDLE, MIDDLE + 22):
        (_, away), (_, limited) = (doubts(crop, box(x=x), 10.0, land_within_px=one) for one in (np.inf, within_px))
        assert limited == away if away <= within_px else limited > within_px


def test_a_detection_within_a_city_lies_in_clutter() -> None:
    flags, _ = judge(100 * city() + ship(gain=2e3), box())
    assert CLUTTER in flags
    assert CLUTTER not in judge(speckle() + ship(), box())[0]


def test_missing_pixels_all_around_raise_no_doubt() -> None:
    valid = bar(30, 30, 0)
    assert doubts(Crop.of(np.where(valid, speckle() + ship(), 0), valid), box(), 10.0) == (set(), np.inf)
    nothing = np.zeros((SIDE, SIDE))
    assert doubts(Crop.of(nothing, nothing > 0), box(), 10.0) == (set(), np.inf)
    assert judge(np.ones((12, 9)), (2, 2, 5, 5)) == (set(), np.inf)


def test_sizes_of_pixels() -> None:
    assert judged((np.nan, np.nan))
    assert judged((10.0, 14.0))
    assert not judged((2.3, 14.0))
    assert not judged((10.0, 40.0))
    assert resolution_m((np.nan, np.nan)) == resolution_m((3.0, 10.0)) == 20
    assert resolution_m((30.0, 40.0)) == pytest.approx(48)
    window = surroundings((2.5, 50.0, 20.2, 60.0), 30, 300)
    assert (window.x, window.y, window.width, window.height) == (0, 0, 30, 60 + REACH_PX)


def test_ships_in_a_picture_whose_sea_was_cut_off_to_black_are_not_doubted() -> None:
    sea = np.maximum(np.sqrt(speckle(7, 1.0)) - 1.5, 0) ** 2
    for number, (x, y) in enumerate(((40.0, 50.0), (150.0, 60.0), (60.0, 150.0), (100.0, 100.0))):
        sea = sea + ship(30, 8, gain=50, x=x, y=y, seed=number)
    assert judge(sea, box(), np.nan) == (set(), np.inf)


@pytest.mark.parametrize("pixel_m", [10.0, np.nan])
def test_quick_tests_change_no_answer(pixel_m: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """They only leave out what cannot raise a flag."""
    half = np.where(np.arange(SIDE) < SIDE / 2, 1.0, 0.0)
    scenes = [speckle(1), speckle(1) + ship(), city(), speckle(2) + 20 * city() * half, speckle(3, 1.0) + ship(70, 6)]
    places = [box(reach, x=x) for reach in (2, 12) for x in (60.0, MIDDLE, 130.0)]
    quick = [judge(power, place, pixel_m) for power in scenes for place in places]
    monkeypatch.setattr(clutter, "_may_have_points", lambda *_: True)
    monkeypatch.setattr(backdrop, "_may_have_land", lambda *_: True)
    monkeypatch.setattr(plausible, "_may_exceed", lambda *_: True)
    monkeypatch.setattr(plausible, "_least_median", lambda *_: 0.0)
    monkeypatch.setattr(plausible, "_CLOSE_PX", SIDE)
    monkeypatch.setattr(plausible._Patch, "exceeds", lambda *_: True)
    assert [judge(power, place, pixel_m) for power in scenes for place in places] == quick
    assert {flag for flags, _ in quick for flag in flags} >= {CLUTTER}
