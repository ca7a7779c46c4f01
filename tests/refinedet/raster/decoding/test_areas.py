"""Areas of one value: single pixels are none, solid ones are, and no pixel depends on the window it is read through."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from refinedet.raster.decoding.areas import around, grown, in_areas, opened
from refinedet.tiling import Window


def _scene() -> np.ndarray:
    flags = np.random.default_rng(5).random((203, 171)) < 0.74
    flags[:60, :50] = True
    flags[150:, 90:130] = True
    return flags


def test_scattered_pixels_are_no_area_and_solid_ones_are() -> None:
    flags = _scene()
    found = in_areas(flags)
    assert found[:60, :50].all()
    assert found[150:192, 90:130].all()
    assert not found[80:130].any()
    assert not (found & ~flags).any()


@pytest.mark.parametrize("window", [Window(0, 0, 5, 9), Window(37, 21, 40, 90), Window(140, 85, 63, 86)])
def test_a_pixel_is_the_same_through_every_window(window: Window) -> None:
    flags = _scene()
    whole = in_areas(flags)
    wide = around(window, *flags.shape)
    part = in_areas(flags[wide.y : wide.y + wide.height, wide.x : wide.x + wide.width])
    y, x = window.y - wide.y, window.x - wide.x
    np.testing.assert_array_equal(
        part[y : y + window.height, x : x + window.width],
        whole[window.y : window.y + window.height, window.x : window.x + window.width],
    )


@pytest.mark.parametrize("side", [3, 4, 5])
def test_a_square_of_that_side_stays_and_a_smaller_one_goes(side: int) -> None:
    flags = np.zeros((40, 50), np.bool_)
    flags[10 : 10 + side, 20 : 20 + side] = True
    flags[30 : 30 + side, 30 : 30 + side - 1] = True
    flags[:, :1] = True  # a strip along the border is an area
    kept = opened(flags, side)
    assert kept[10 : 10 + side, 20 : 20 + side].all()
    assert kept[:, 0].all()
    assert kept.sum() == side * side + 40


FLAGS = arrays(np.bool_, st.tuples(st.integers(1, 30), st.integers(1, 30)), elements=st.booleans())


@given(FLAGS, st.integers(1, 9))
def test_squares_are_those_of_scipys_filters(flags: np.ndarray, side: int) -> None:
    padded = np.pad(flags, side, constant_values=True)
    core = ndimage.minimum_filter(padded, side)
    wide = ndimage.maximum_filter(core, side, origin=-1 if side % 2 == 0 else 0)
    np.testing.assert_array_equal(opened(flags, side), wide[side:-side, side:-side])
    np.testing.assert_array_equal(grown(flags, side), ndimage.maximum_filter(flags, 2 * side + 1, mode="constant"))
