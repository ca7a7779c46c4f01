"""A scene in another pixel size: no seams, to the last bit; true means of power; what is hidden stays hidden."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from refinedet.errors import InputError
from refinedet.radiometry import valid_mask
from refinedet.raster import RasterInfo, Reader
from refinedet.raster import resample as module
from refinedet.raster.resample import ResampledReader
from refinedet.tiling import Window


class InMemory(Reader):
    """A scene that is an array."""

    def __init__(self, pixels: NDArray[Any], nodata: float | None = None) -> None:
        self.pixels = pixels
        self.info = RasterInfo(pixels.shape[1], pixels.shape[0], 1, pixels.dtype.name, nodata)
        self.largest = 0

    def read(self, window: Window) -> NDArray[Any]:
        """A part of the array."""
        self._check_inside(window)
        self.largest = max(self.largest, window.height * window.width)
        return self.pixels[window.y : window.y + window.height, window.x : window.x + window.width]


def scene(height: int, width: int, dtype: str = "uint16", seed: int = 1) -> NDArray[Any]:
    return np.random.default_rng(seed).integers(0, 200, (height, width)).astype(dtype)


def resampled(pixels: NDArray[Any], fx: float, fy: float | None = None, nodata: float | None = None) -> ResampledReader:
    source = InMemory(pixels, nodata)
    return ResampledReader(source, fx, fx if fy is None else fy, source.sample())


def whole(reader: Reader) -> NDArray[Any]:
    return reader.read(Window(0, 0, reader.info.height, reader.info.width))


@given(st.data())
def test_a_pixel_does_not_depend_on_the_window_it_is_read_through(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 60))
    fx, fy = data.draw(st.floats(0.05, 4)), data.draw(st.floats(0.05, 4))
    dtype = data.draw(st.sampled_from(["uint8", "uint16", "float32", "int16"]))
    pixels = scene(height, width, dtype) - (100 if dtype in ("float32", "int16") else 0)
    reader = resampled(pixels.astype(dtype), fx, fy)
    every = whole(reader)
    y, x = (data.draw(st.integers(0, side - 1)) for side in every.shape)
    window = Window(y, x, data.draw(st.integers(1, every.shape[0] - y)), data.draw(st.integers(1, every.shape[1] - x)))
    np.testing.assert_array_equal(reader.read(window), every[y : y + window.height, x : x + window.width])


def test_pieces_that_bound_memory_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = scene(300, 400)
    every = whole(resampled(pixels, 0.3))
    monkeypatch.setattr(module, "_SOURCE_PX", 50)
    source = InMemory(pixels)
    pieces = ResampledReader(source, 0.3, 0.3, pixels)
    np.testing.assert_array_equal(whole(pieces), every)
    assert source.largest <= 60 * 60


@pytest.mark.parametrize("factor", [0.5, 0.25, 0.1])
def test_shrinking_by_a_whole_number_is_the_mean_of_power(factor: float) -> None:
    pixels = scene(40, 60, "uint16") + np.uint16(1)
    n = round(1 / factor)
    power = (pixels.astype(float) ** 2).reshape(40 // n, n, 60 // n, n).mean(axis=(1, 3))
    np.testing.assert_allclose(whole(resampled(pixels, factor)), np.sqrt(power), rtol=1e-6)


@given(st.floats(0.05, 5), st.integers(1, 50), st.integers(1, 50))
def test_a_flat_scene_stays_flat(factor: float, height: int, width: int) -> None:
    for dtype in ("uint8", "float32"):
        flat = whole(resampled(np.full((height, width), 77, dtype), factor))
        np.testing.assert_allclose(flat, 77, rtol=1e-6)
        assert flat.dtype == dtype


@given(st.floats(0.1, 3))
def test_a_place_keeps_its_place(factor: float) -> None:
    """The middle of a blob in scaled pixels, over the factor, is its middle in pixels: no half pixel is lost."""
    y, x = np.mgrid[0:90, 0:120] + 0.5
    blob = np.exp(-((x - 71.3) ** 2 + (y - 40.6) ** 2) / 300).astype(np.float32) * 100
    reader = resampled(blob, factor)
    power = whole(reader).astype(float) ** 2
    rows, columns = np.mgrid[0 : power.shape[0], 0 : power.shape[1]] + 0.5
    found = [(power * places).sum() / power.sum() for places in (columns, rows)]
    assert found == pytest.approx([71.3 * reader.factors[0], 40.6 * reader.factors[1]], abs=0.02 * factor + 0.005)


def test_the_total_power_is_kept_when_the_scene_shrinks() -> None:
    pixels = scene(97, 131, "float32") + 1
    reader = resampled(pixels, 0.41, 0.23)
    power, source = (whole(reader).astype(float) ** 2).mean(), (pixels.astype(float) ** 2).mean()
    assert power == pytest.approx(source, rel=1e-5)


@pytest.mark.parametrize("dtype", ["uint16", "float32", "uint8"])
def test_hidden_pixels_neither_spread_nor_dim_their_neighbours(dtype: str) -> None:
    pixels = np.full((40, 40), 50, dtype)
    pixels[:, :19] = 255
    reader = resampled(pixels, 0.25, nodata=255)
    out = whole(reader)
    valid = valid_mask(out, reader.info.nodata)
    assert valid.all(axis=0).tolist() == [False] * 5 + [True] * 5
    np.testing.assert_allclose(out[valid], 50)
    half = whole(
        resampled(np.where(np.arange(40)[None] < np.full((40, 1), 18), 255, 50).astype(dtype), 0.25, nodata=255)
    )
    assert half[0, 4] == 50  # half of it was measured


def test_a_mean_that_equals_nodata_is_still_measured() -> None:
    rows = np.where(np.arange(10) % 2, 251, 253).astype(np.uint8)
    reader = resampled(np.repeat(rows[:, None], 10, axis=1), 0.5, nodata=252)
    assert valid_mask(whole(reader), reader.info.nodata).all()


def test_colours_are_kept_apart() -> None:
    rgb = np.dstack([np.full((20, 20), v, np.uint8) for v in (10, 0, 250)])
    assert (whole(resampled(rgb, 0.3)) == (10, 0, 250)).all()


def test_extreme_values_do_not_overflow() -> None:
    pixels = np.full((8, 8), -3.4e38, np.float32)
    pixels[0, 0] = np.inf
    assert np.isfinite(whole(resampled(pixels, 0.5))).sum() == 16
    assert np.isfinite(whole(resampled(np.full((8, 8), 1e300), 0.5))).all()


@pytest.mark.parametrize("factor", [0.0, -1.0, 0.001, 100.0, float("nan")])
def test_absurd_scales_are_refused(factor: float) -> None:
    with pytest.raises(InputError, match="expected a scale from"):
        resampled(scene(5, 5), factor)


def test_the_sample_is_that_of_the_scaled_scene() -> None:
    reader = resampled(scene(400, 600), 0.5)
    np.testing.assert_array_equal(reader.sample(100), whole(reader)[::3, ::3])
