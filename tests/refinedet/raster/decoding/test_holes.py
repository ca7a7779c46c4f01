"""Lost pixels are interpolated, whatever the window, and areas of padding do not shrink."""

from __future__ import annotations

import numpy as np
import pytest

from refinedet.raster.decoding.holes import Holes, sum_around
from refinedet.tiling import Window


def sea(share: float) -> tuple[np.ndarray, np.ndarray]:
    """Sloping values (90, 110), and true where they are known; the first 20 rows are padding."""
    rng = np.random.default_rng(5)
    pixels = 100 + np.add.outer(np.arange(90.0), np.arange(110.0))
    valid = rng.random(pixels.shape) >= share
    valid[:20] = False
    return pixels, valid


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5])
def test_holes_are_close_to_what_was_there(share: float) -> None:
    pixels, valid = sea(share)
    filled = Holes().filled(np.where(valid, pixels, 0), valid)
    inner = np.s_[25:-6, 6:-6]
    assert np.abs(filled[inner] - pixels[inner]).max() < 6
    np.testing.assert_array_equal(filled[valid], pixels[valid])


def test_integers_stay_integers() -> None:
    pixels, valid = sea(0.1)
    filled = Holes().filled(pixels.astype(np.uint16), valid)
    assert filled.dtype == np.uint16
    assert np.abs(filled[25:] - pixels[25:]).max() < 6


def test_padding_with_a_straight_border_stays_missing() -> None:
    pixels, valid = sea(0.0)
    filled = Holes().filled(np.where(valid, pixels, -1), valid)
    assert (filled[:20] == -1).all()


def test_a_pixel_does_not_depend_on_its_window() -> None:
    pixels, valid = sea(0.5)
    whole = Holes().filled(pixels * valid, valid)
    for window in (Window(0, 0, 30, 30), Window(17, 41, 25, 13), Window(60, 80, 30, 30)):
        wide = Holes().around(window, *pixels.shape)
        part = np.s_[wide.y : wide.y + wide.height, wide.x : wide.x + wide.width]
        filled = Holes().filled((pixels * valid)[part], valid[part])
        y, x = window.y - wide.y, window.x - wide.x
        own = whole[window.y : window.y + window.height, window.x : window.x + window.width]
        np.testing.assert_array_equal(filled[y : y + window.height, x : x + window.width], own)


def test_sums_leave_out_the_pixel_itself() -> None:
    assert sum_around(np.ones((3, 3))).tolist() == [[3, 5, 3], [5, 8, 5], [3, 5, 3]]
