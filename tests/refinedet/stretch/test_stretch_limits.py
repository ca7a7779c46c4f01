"""Limits of the stretch come from the sea; a stretch that the weights do not know is refused."""

from __future__ import annotations

import numpy as np
import pytest

from refinedet.config import Radiometry, StretchChoice
from refinedet.errors import InputError
from refinedet.radiometry import StretchLimits
from refinedet.stretch.stretch_limits import NO_SEA, SEA_HEADROOM, SEA_SPAN, measure_limits, scene_limits
from tests.refinedet.stretch.test_sea_level import SIDE, city, speckle


def limits(pixels: np.ndarray, choice: str = "auto", radiometry: Radiometry | None = None) -> StretchLimits:
    found = scene_limits(pixels, pixels.dtype, None, radiometry or Radiometry(), StretchChoice.parse(choice))
    assert found is not None
    return found


def with_ships(pixels: np.ndarray) -> np.ndarray:
    pixels = pixels.copy()
    pixels[50:55, 50:90] = 3000
    return pixels


def test_limits_of_a_plain_sea_are_its_percentiles() -> None:
    pixels = with_ships(speckle()).astype(np.uint16)
    low, high = np.percentile(speckle(), (1, 99.5))
    found = limits(pixels)
    assert found.low == pytest.approx(low, rel=0.02)
    assert found.high == pytest.approx(SEA_SPAN * speckle().mean(), rel=0.02)
    rough = with_ships(speckle(shape=1))
    low, high = np.percentile(speckle(shape=1), (1, 99.5))
    assert limits(rough).high == pytest.approx(low + 2 * SEA_HEADROOM * (high - low), rel=0.02)
    assert found.note is None


@pytest.mark.parametrize("stretch", ["percentile", "decibel"])
def test_a_city_does_not_move_the_limits(stretch: str) -> None:
    radiometry = Radiometry(stretch=stretch)  # type: ignore[arg-type]  # a name by parameter
    sea = with_ships(speckle())
    port = np.where(np.arange(SIDE)[:, None] < 250, sea, city())
    plain, moved = (limits(one.astype(np.uint16), radiometry=radiometry) for one in (sea, port))
    assert moved.high == pytest.approx(plain.high, rel=0.05)
    assert moved.low == pytest.approx(plain.low, rel=0.05)


def test_without_a_sea_all_pixels_count_and_a_note_says_so() -> None:
    land = city().astype(np.uint16)
    found = limits(land)
    assert found.note == NO_SEA
    assert (found, found.levels) == (measure_limits(land, Radiometry()), None)


def test_an_8_bit_picture_in_a_wider_type_keeps_its_greys() -> None:
    """Its ships were cut off at 255, and its sea is as dark as the weights know it."""
    grey = speckle() / 5
    grey[::20, ::6] = 300  # ships, on nearly 1 %
    grey = grey.clip(1, 255).astype(np.uint8)
    for factor in (1, 257):
        found = limits(grey.astype(np.uint16) * factor)
        assert found.levels is None
        assert found.high == 255 * factor


@pytest.mark.parametrize(
    "pixels", [np.array([[1, 256]], np.uint16), np.array([[0.1, 0.5]], np.float32), np.array([[-1, 7]], np.int16)]
)
def test_the_stretch_none_is_for_8_bit_values(pixels: np.ndarray) -> None:
    with pytest.raises(InputError, match="whole numbers from 0 to 255 for `stretch` none, found"):
        scene_limits(pixels, pixels.dtype, None, Radiometry(), StretchChoice("none"))
    assert scene_limits(pixels, pixels.dtype, None, Radiometry(stretch="none")) is None  # trained so


def test_fixed_limits_are_in_the_domain_of_the_weights() -> None:
    pixels, choice = np.ones((2, 2), np.float32), StretchChoice("fixed", 0.1, 1)
    linear, logs = (
        scene_limits(pixels, pixels.dtype, None, Radiometry(stretch=one), choice) for one in ("percentile", "decibel")
    )
    assert linear is not None
    assert logs is not None
    assert (linear.low, linear.high, linear.domain) == (pytest.approx(0.1), 1, "amplitude")
    assert (logs.low, logs.high, logs.domain) == (pytest.approx(-20), 0, "decibel")
    with pytest.raises(InputError, match="expected a fixed `stretch` from above 0"):
        scene_limits(pixels, pixels.dtype, None, Radiometry(stretch="decibel"), StretchChoice("fixed", 0, 9))


def test_the_ends_of_a_fixed_stretch_in_the_wrong_order_are_an_error_that_shows_them() -> None:
    with pytest.raises(InputError, match=r"`stretch`: expected fixed:LOW:HIGH with LOW below HIGH, found 'fixed:9:1'"):
        StretchChoice.parse("fixed:9:1")
