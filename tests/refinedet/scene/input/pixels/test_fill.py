"""Fill of a scene, found in a sample: markers and extremes that fill areas, and nothing that may be a measurement."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from refinedet.scene.input.pixels.fill import count_zeros, find_fills, without_markers, zero_fill

SHAPE = (300, 400)
HIDDEN = np.zeros(SHAPE, np.bool_)
HIDDEN[:90], HIDDEN[:, :120] = True, True
SIDE = 3


def amplitude(scale: float = 0.1) -> NDArray[np.float32]:
    return (scale * np.sqrt(np.random.default_rng(1).gamma(4.4, 1 / 4.4, SHAPE))).astype(np.float32)


def decibel() -> NDArray[np.float32]:
    return (20 * np.log10(amplitude())).astype(np.float32)


def filled(values: NDArray[Any], fill: float) -> NDArray[Any]:
    values = values.copy()
    values[HIDDEN] = fill
    return values


@pytest.mark.parametrize(
    ("values", "fill", "areas"),
    [
        (amplitude(), -9999, False),
        (amplitude(), 1e20, False),
        (amplitude().astype(np.float64), -1.7976931348623157e308, False),
        (decibel(), -9999, False),
        (decibel(), -60, False),
        (amplitude() ** 2, 1e-30, False),
        ((100 * decibel()).astype(np.int16), -32768, False),
        (amplitude(60).astype(np.uint16), 65535, True),
        (amplitude(60).astype(np.uint8), 255, True),
        (np.repeat(amplitude(60).astype(np.uint8)[..., None], 3, axis=2), 255, True),
    ],
    ids=lambda value: str(value.dtype) if isinstance(value, np.ndarray) else str(value),
)
def test_a_value_that_fills_areas_is_found(values: NDArray[Any], fill: float, areas: bool) -> None:
    (found,) = find_fills(filled(values, fill), SIDE)
    assert found.value == pytest.approx(fill)
    assert (found.pieces, found.areas) == (1, areas)
    assert found.share == pytest.approx(HIDDEN.mean())


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(np.maximum(decibel(), -22), id="cut off below"),
        pytest.param(np.minimum(amplitude(60), 70).astype(np.uint16), id="cut off above"),
        pytest.param(filled(amplitude(60).astype(np.uint8), 0), id="black of a picture"),
        pytest.param(amplitude(), id="none"),
        pytest.param(np.full(SHAPE, 7, np.uint16), id="constant"),
        pytest.param(np.full(SHAPE, np.nan), id="nothing measured"),
        pytest.param(filled(amplitude(), 0).astype(np.complex64), id="complex"),
    ],
)
def test_what_may_be_a_measurement_is_no_fill(values: NDArray[Any]) -> None:
    assert find_fills(values, SIDE) == []


def test_a_fill_that_one_band_has_elsewhere_too_is_found_once() -> None:
    values = np.stack([amplitude(60), amplitude(50)], axis=2).astype(np.int16)
    values[::40, ::40], values[7::40, ::40, 0] = -32768, -32768
    (found,) = find_fills(values, SIDE)
    assert found.value == -32768


def test_saturated_ships_are_no_fill() -> None:
    values = amplitude(60).astype(np.uint16)
    for x in range(20, 380, 30):
        values[100:160, x : x + 20] = 65535
    assert (values == 65535).mean() > 0.1
    assert find_fills(values, SIDE) == []


@pytest.mark.parametrize(
    ("values", "fill"),
    [
        (decibel(), 9999),
        (decibel(), 100),
        (decibel(), -15),
        (amplitude(), 1),
        (amplitude().astype(np.float64), 1.7976931348623157e308),
        ((100 * decibel()).astype(np.int16), 32767),
        (amplitude(60).astype(np.uint16), 65535),
    ],
)
def test_land_that_was_set_to_any_value_is_a_fill(values: NDArray[Any], fill: float) -> None:
    values = values.copy()
    values[100:180, 120:220] = fill
    (found,) = find_fills(values, SIDE)
    assert (found.value, found.pieces, found.areas) == (pytest.approx(fill), 1, True)
    assert found.share == pytest.approx(8000 / values.size, abs=0.001)


def test_a_marker_counts_even_in_single_pixels() -> None:
    values = amplitude()
    values[5::40, 5::40] = -9999
    (found,) = find_fills(values, SIDE)
    assert (found.value, found.pieces) == (-9999, 0)


def test_two_fills_are_found_the_larger_first() -> None:
    values = filled(decibel(), -60)
    values[200:] = -9999
    assert [fill.value for fill in find_fills(values, SIDE)] == [-60, -9999]


def test_zeros_in_areas_are_told_from_scattered_ones() -> None:
    values = amplitude()
    values[values < np.percentile(values, 62)] = 0
    scattered = count_zeros(values, 16)
    assert (scattered.areas, scattered.scattered) == (0, pytest.approx(0.62, abs=0.01))
    both = count_zeros(filled(values, 0), 16)
    assert both.areas == pytest.approx(HIDDEN.mean(), abs=0.01)
    assert count_zeros(filled(amplitude(), 0), 16).scattered == 0


def test_zero_decibels_fill_areas_beside_measured_ones() -> None:
    values = (100 * decibel()).astype(np.int16)
    values[150:160:2, 200:210:3] = 0
    assert zero_fill(values, SIDE) is None
    found = zero_fill(filled(values, 0), SIDE)
    assert found is not None
    assert (found.value, found.areas) == (0, True)


def test_markers_leave_a_block_of_floats() -> None:
    block = np.array([[0.5, -9999, 1e20]], np.float32)
    np.testing.assert_array_equal(without_markers(block), np.array([[0.5, np.nan, np.nan]], np.float32))
