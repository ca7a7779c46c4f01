"""The level of the sea is that of the water: cities, land, ships and fills do not move it, and it follows a trend."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from refinedet.stretch.sea_level import CELL_PX, measure_sea

SIDE = 640
EVERYWHERE = np.ones((SIDE, SIDE), bool)


def speckle(seed: int = 0, looks: float = 4.4, shape: float = np.inf) -> NDArray[np.float64]:
    """Amplitude of a sea of mean power 100 ** 2: speckle, on a texture of that shape."""
    rng = np.random.default_rng(seed)
    texture = 1.0 if np.isinf(shape) else rng.gamma(shape, 1 / shape, (SIDE, SIDE))
    return 100 * np.sqrt(texture * rng.gamma(looks, 1 / looks, (SIDE, SIDE)))


def city(seed: int = 1) -> NDArray[np.float64]:
    """Amplitude of built-up land: brighter speckle with many strong points."""
    rng = np.random.default_rng(seed)
    land = 2 * speckle(seed)
    bright = rng.random(land.shape) < 0.06
    land[bright] *= rng.lognormal(2.2, 0.8, int(bright.sum()))
    return land


def level_at(pixels: NDArray[np.float64], y: float, x: float, **known: NDArray[np.bool_]) -> float:
    """Amplitude of the sea that is found at a place, given as shares of the sides."""
    sea = measure_sea(pixels, np.isfinite(pixels), **known)
    assert sea is not None
    return float(np.mean(sea.amplitudes) * 10 ** (sea.levels.line(y, np.array([x]))[0] / 20))


@pytest.mark.parametrize("looks", [1, 4.4, 20])
@pytest.mark.parametrize("shape", [1.5, 5, np.inf])
def test_all_of_a_plain_sea_counts_however_rough(looks: float, shape: float) -> None:
    pixels = speckle(0, looks, shape)
    sea = measure_sea(pixels, EVERYWHERE)
    assert sea is not None
    assert sea.amplitudes.size > 0.9 * pixels.size
    assert np.ptp(sea.levels.span()) < 0.5
    assert np.mean(sea.amplitudes) == pytest.approx(np.mean(pixels), rel=0.02)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_city_moves_no_level_at_sea(share: float) -> None:
    pixels = speckle()
    edge = int(SIDE * (1 - share))
    pixels[edge:] = city()[edge:]
    for y in np.array([0.1, 0.5, 0.95]) * edge / SIDE:
        assert level_at(pixels, y, 0.5) == pytest.approx(np.mean(speckle()), rel=0.06)


@pytest.mark.parametrize("gain", [3, 10])
def test_rough_bright_land_moves_no_level_at_sea(gain: float) -> None:
    pixels = speckle()
    pixels[:, SIDE // 2 :] = gain * speckle(1, shape=6)[:, SIDE // 2 :]
    for x in (0.1, 0.4, 0.47):
        assert level_at(pixels, 0.5, x) == pytest.approx(np.mean(speckle()), rel=0.1)


def test_a_sea_brighter_than_its_land_keeps_its_level() -> None:
    pixels = speckle()
    pixels[:, SIDE // 2 :] = speckle(1, shape=6)[:, SIDE // 2 :] / 4
    assert level_at(pixels, 0.5, 0.2) == pytest.approx(np.mean(speckle()), rel=0.05)


def test_a_coastline_leaves_out_land_that_looks_like_water() -> None:
    pixels, land = speckle(), np.zeros((SIDE, SIDE), bool)
    pixels[:, SIDE // 2 :] *= 4
    land[:, SIDE // 2 :] = True
    assert level_at(pixels, 0.5, 0.9) > 3 * np.mean(speckle())
    assert level_at(pixels, 0.5, 0.9, land=land) == pytest.approx(np.mean(speckle()), rel=0.05)


def test_ships_islands_and_fills_move_no_level() -> None:
    pixels = speckle()
    rng = np.random.default_rng(5)
    for y, x in rng.integers(0, SIDE - 40, (40, 2)):
        pixels[y : y + 6, x : x + 30] += 1500
    pixels[100:160, 300:380] = city()[100:160, 300:380]
    pixels[:, :60] = 65535
    assert level_at(pixels, 0.3, 0.5) == pytest.approx(np.mean(speckle()), rel=0.03)
    assert level_at(pixels, 0.3, 0.01) == pytest.approx(np.mean(speckle()), rel=0.03)


@pytest.mark.filterwarnings("error")
def test_a_fill_that_is_too_large_to_multiply_is_left_out() -> None:
    pixels = np.where(np.arange(SIDE) < 70, np.finfo(np.float32).max, speckle() * np.linspace(1, 3, SIDE))
    amplitudes = pixels.astype(np.float32)
    found = measure_sea(amplitudes, amplitudes < 1e30)
    assert found is not None
    assert found.amplitudes.max() < 1e6


def test_the_level_follows_a_trend_and_amplitudes_lose_it() -> None:
    trend_db = np.linspace(5, -5, SIDE)
    sea = measure_sea(speckle() * 10 ** (trend_db / 20), EVERYWHERE)
    assert sea is not None
    x = (np.arange(SIDE) + 0.5) / SIDE
    inside = slice(2 * CELL_PX, -2 * CELL_PX)
    for y in (0.1, 0.9):
        assert np.abs(sea.levels.line(y, x) - trend_db)[inside].max() < 0.5
    plain = np.percentile(speckle(), (1, 50, 99.5))
    np.testing.assert_allclose(np.percentile(sea.amplitudes, (1, 50, 99.5)), plain, rtol=0.05)


@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param(speckle()[:40, :40], id="two cells are too small a sea"),
        pytest.param(np.full((SIDE, SIDE), 7.0), id="constant"),
        pytest.param(np.zeros((SIDE, SIDE)), id="nothing but zeros"),
        pytest.param(np.full((SIDE, SIDE), np.nan), id="nothing measured"),
        pytest.param(city(), id="all city"),
        pytest.param(-speckle(), id="no amplitude"),
        pytest.param(speckle() * 1e300, id="beyond single precision"),
    ],
)
def test_where_there_is_no_sea_none_is_found(pixels: NDArray[np.float64]) -> None:
    with np.errstate(over="ignore"):
        assert measure_sea(pixels, np.isfinite(pixels)) is None
