"""A stretch that follows the sea: the same bytes in every window, and those of plain limits where the level is flat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from refinedet.config import Radiometry
from refinedet.radiometry import StretchLimits, to_uint8, valid_mask
from refinedet.raster import RasterInfo
from refinedet.stretch import stretching
from refinedet.stretch.sea_level import SeaLevels
from refinedet.stretch.stretch_limits import scene_limits
from refinedet.stretch.stretching import Stretch, stretch_whole
from refinedet.tiling import Window
from tests.refinedet.stretch.test_sea_level import SIDE, speckle

WHOLE = Window(0, 0, SIDE, SIDE)


def sloped(dtype: str) -> np.ndarray:
    pixels = speckle() * 10 ** (np.linspace(-3, 3, SIDE) / 20)
    pixels[40:45, 100:140] = 4000
    pixels[:, :21] = 0
    return pixels.astype(dtype)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("trained", ["percentile", "decibel"])
def test_a_pixel_has_the_same_grey_in_every_window(dtype: str, trained: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, info = sloped(dtype), RasterInfo(SIDE, SIDE, 1, dtype, 0)
    limits = scene_limits(pixels, dtype, 0, Radiometry(stretch=trained))  # type: ignore[arg-type]
    whole = Stretch(info, limits)(pixels, WHOLE)
    monkeypatch.setattr(stretching, "_CHUNK_PX", 777)
    for window in (Window(0, 0, 1, 1), Window(31, 17, 77, 300), Window(555, 333, 85, 307)):
        rows, columns = slice(window.y, window.y + window.height), slice(window.x, window.x + window.width)
        np.testing.assert_array_equal(Stretch(info, limits)(pixels[rows, columns], window), whole[rows, columns])
    assert ((whole == 0) == (pixels == 0)).all()


def test_the_sea_is_equally_bright_along_a_trend() -> None:
    seen = stretch_whole(sloped("uint16"), 0, Radiometry())
    left, right = (float(np.median(seen[:, columns])) for columns in (slice(40, 140), slice(500, 600)))
    assert left == pytest.approx(right, rel=0.1)


@pytest.mark.parametrize("domain", ["amplitude", "decibel"])
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_a_flat_level_gives_what_plain_limits_give(dtype: str, domain: str) -> None:
    pixels, info = sloped(dtype), RasterInfo(SIDE, SIDE, 1, dtype)
    plain = StretchLimits(20.0, 300.0) if domain == "amplitude" else StretchLimits(26.0, 50.0, "decibel")
    flat = replace(plain, levels=SeaLevels(np.zeros((3, 4)), (0.3, 0.3)))
    expected = to_uint8(pixels, valid_mask(pixels, None), plain).astype(int)
    assert np.abs(Stretch(info, flat)(pixels, WHOLE) - expected).max() <= 1


def test_values_that_are_no_measurement_become_0_and_the_largest_255() -> None:
    pixels = np.full((SIDE, SIDE), 50, np.float32)
    pixels[0, :4] = np.nan, np.inf, 3e38, -3e38
    limits = StretchLimits(20.0, 300.0, levels=SeaLevels(np.full((3, 4), -30.0), (0.3, 0.3)))
    seen = Stretch(RasterInfo(SIDE, SIDE, 1, "float32"), limits)(pixels, WHOLE)
    assert seen[0, :4].tolist() == [0, 0, 255, 1]


def test_a_thinned_picture_of_a_window_looks_like_it() -> None:
    pixels, info = sloped("uint16"), RasterInfo(SIDE, SIDE, 1, "uint16", 0)
    stretch = Stretch(info, scene_limits(pixels, "uint16", 0, Radiometry()))
    part, window = pixels[96:, 64:][::5, ::5], Window(96, 64, SIDE - 96, SIDE - 64)
    difference = stretch(part, window).astype(int) - stretch(pixels, WHOLE)[96:, 64:][::5, ::5]
    assert np.abs(difference).mean() < 0.5
