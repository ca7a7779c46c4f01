"""The stretch to 8 bits: what is valid, what the limits are, and that a window is stretched like its scene."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refinedet.config import Radiometry, StretchChoice
from refinedet.errors import InputError
from refinedet.radiometry import StretchLimits, check_choice, to_uint8, valid_mask
from refinedet.raster import RasterInfo
from refinedet.stretch import stretching
from refinedet.stretch.stretch_limits import measure_limits, scene_limits
from refinedet.stretch.stretching import Stretch
from refinedet.tiling import Window

AMPLITUDES = hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12))
DECIBELS = hnp.arrays(np.float32, (6, 7), elements=st.floats(-60, 30, width=32))


@pytest.mark.parametrize(
    ("dtype", "nodata", "expected"),
    [
        pytest.param(np.uint16, None, [False, True, True], id="amplitude pads with zero"),
        pytest.param(np.uint16, 7, [True, False, True], id="a declared nodata is the only one"),
        pytest.param(np.uint8, None, [True, True, True], id="black is a colour of a picture"),
        pytest.param(np.uint8, 7, [True, False, True], id="unless the picture says otherwise"),
        pytest.param(np.int16, None, [True, True, True], id="0 is a value of scaled dB"),
        pytest.param(np.float32, None, [False, True, True], id="calibrated products pad with zero"),
        pytest.param(np.float32, np.nan, [True, True, True], id="declared NaN frees zero"),
    ],
)
def test_what_is_valid(dtype: type, nodata: float | None, expected: list[bool]) -> None:
    assert valid_mask(np.array([[0, 7, 9]], dtype), nodata).tolist() == [expected]


def test_nan_and_infinity_are_never_valid() -> None:
    assert valid_mask(np.array([[np.nan, np.inf, -np.inf, 1.5]]), nodata=-9999).tolist() == [
        [False, False, False, True]
    ]


def test_rgb_pixel_is_invalid_only_where_all_channels_are() -> None:
    assert valid_mask(np.array([[[0, 0, 0], [0, 0, 5]]], np.uint8), nodata=0).tolist() == [[False, True]]


@given(AMPLITUDES)
def test_zero_marks_exactly_the_invalid_pixels(pixels: np.ndarray) -> None:
    valid = valid_mask(pixels, None)
    limits = scene_limits(pixels, pixels.dtype, None, Radiometry())
    assert ((to_uint8(pixels, valid, limits) == 0) == ~valid).all()


@given(DECIBELS)
def test_brighter_never_becomes_darker(pixels: np.ndarray) -> None:
    limits = scene_limits(pixels, pixels.dtype, -9999, Radiometry())
    stretched = to_uint8(pixels, valid_mask(pixels, -9999), limits).ravel()[np.argsort(pixels, axis=None)]
    assert (np.diff(stretched.astype(int)) >= 0).all()


@given(AMPLITUDES, st.integers(0, 5), st.integers(0, 5))
def test_a_window_is_stretched_as_its_scene_is(pixels: np.ndarray, y: int, x: int) -> None:
    valid = valid_mask(pixels, None)
    limits = measure_limits(pixels[valid], Radiometry())
    whole = to_uint8(pixels, valid, limits)
    assert (to_uint8(pixels[y:, x:], valid[y:, x:], limits) == whole[y:, x:]).all()


def test_gain_of_the_processor_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.rayleigh(100, (200, 200)).astype(np.float32)
    both = []
    for gain in (1.0, 0.001):
        scene = pixels * np.float32(gain)
        limits = scene_limits(scene, scene.dtype, None, Radiometry())
        both.append(to_uint8(scene, valid_mask(scene, None), limits).astype(int))
    assert np.abs(both[0] - both[1]).max() <= 1


def test_levels_are_percentiles_with_headroom() -> None:
    pixels = np.append(np.arange(1, 1001, dtype=np.uint16), np.uint16(5000))[None]
    settings = Radiometry(low_percentile=10, high_percentile=90, headroom=2)
    assert measure_limits(pixels[valid_mask(pixels, None)], settings) == StretchLimits(101.0, 101.0 + 2 * 800.0)


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        pytest.param(np.zeros((4, 4), np.uint16), StretchLimits(0.0, 1.0), id="nothing was measured"),
        pytest.param(np.full((4, 4), 7, np.uint16), StretchLimits(7.0, 8.0), id="constant"),
        pytest.param(np.full((4, 4), -1e7, np.float32), StretchLimits(-1e7, -1e7 + 1e4), id="constant and huge"),
        pytest.param(
            np.where(np.arange(900) == 5, 9, 3)[None].astype(np.uint16),
            StretchLimits(3.0, 9.0),
            id="one ship, calm sea",
        ),
    ],
)
def test_limits_are_usable_where_all_values_are_equal(pixels: np.ndarray, expected: StretchLimits) -> None:
    assert scene_limits(pixels, pixels.dtype, None, Radiometry()) == expected


def test_no_level_lies_above_the_highest_value() -> None:
    """8-bit values times 3: what was cut off at 255 needs no headroom."""
    eight_bit = np.random.default_rng(0).integers(1, 256, (60, 60)).astype(np.uint16)
    limits = scene_limits(eight_bit * 3, np.uint16, None, Radiometry())
    assert limits is not None
    assert limits.high == 3 * eight_bit.max()
    assert np.abs(to_uint8(eight_bit * 3, np.ones((60, 60), bool), limits).astype(int) - eight_bit).max() <= 4


def test_extreme_values_do_not_overflow() -> None:
    pixels = np.array([[-3.4e38, 1.0, 2.0, 3.4e38]], np.float32)
    assert to_uint8(pixels, valid_mask(pixels, None), StretchLimits(1.0, 2.0)).tolist() == [[1, 1, 255, 255]]


@given(hnp.arrays(np.uint8, (3, 4, 3)))
def test_8_bit_pictures_pass_unchanged(pixels: np.ndarray) -> None:
    assert scene_limits(pixels, pixels.dtype, None, Radiometry()) is None
    assert (to_uint8(pixels, valid_mask(pixels, None), None) == pixels).all()


def test_without_a_stretch_values_are_clipped() -> None:
    pixels = np.array([[1, 200, 300]], np.uint16)
    limits = scene_limits(pixels, pixels.dtype, None, Radiometry(stretch="none"))
    assert to_uint8(pixels, valid_mask(pixels, None), limits).tolist() == [[1, 200, 255]]


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, 1.0), (0.0, float("nan"))])
def test_limits_without_a_span_are_refused(low: float, high: float) -> None:
    with pytest.raises(InputError, match="low < high"):
        StretchLimits(low, high)


def _speckle() -> np.ndarray:
    amplitude = np.random.default_rng(5).rayleigh(0.1, (200, 200)).astype(np.float32) + np.float32(1e-3)
    amplitude[50:60, 50:90] = 3
    return amplitude


def _chip(pixels: np.ndarray, radiometry: Radiometry, choice: StretchChoice | None = None) -> np.ndarray:
    limits = scene_limits(pixels, pixels.dtype, None, radiometry, choice or StretchChoice())
    return to_uint8(pixels, valid_mask(pixels, None), limits)


def test_in_decibels_faint_things_are_seen() -> None:
    linear, decibel = (_chip(_speckle(), Radiometry(stretch=s)) for s in ("percentile", "decibel"))
    assert np.median(decibel) > 1.3 * np.median(linear)


def test_the_levels_say_what_they_are_of() -> None:
    amplitude = _speckle()
    for scene, stretch, domain in (
        (amplitude, "percentile", "amplitude"),
        (amplitude, "decibel", "decibel"),
    ):
        limits = scene_limits(scene, scene.dtype, None, Radiometry(), StretchChoice(stretch))  # type: ignore[arg-type]
        assert limits is not None
        assert limits.domain == domain


def test_pixels_without_any_signal_say_nothing_of_levels_in_decibels() -> None:
    amplitude = np.linspace(1, 100, 90)
    alone = measure_limits(amplitude, Radiometry(), "decibel")
    with_zeros = measure_limits(np.concatenate([np.zeros(10), amplitude]), Radiometry(), "decibel")
    assert with_zeros == alone
    assert 0 <= alone.low < alone.high <= 40


def test_a_named_stretch_takes_the_place_of_the_weights_own() -> None:
    pixels = np.arange(10, 250, dtype=np.uint8).reshape(12, 20)
    assert (_chip(pixels, Radiometry()) == pixels).all()
    assert (_chip(pixels, Radiometry(), StretchChoice("none")) == pixels).all()
    assert (_chip(pixels, Radiometry(), StretchChoice("fixed", 10, 249)).min()) == 1
    stretched = _chip(pixels, Radiometry(), StretchChoice("percentile"))
    assert (stretched.min(), stretched.max()) == (1, 255)
    wide = pixels.astype(np.uint16) * 10
    assert scene_limits(wide, wide.dtype, None, Radiometry(), StretchChoice("fixed", 5, 80)) == StretchLimits(5, 80)


def test_the_decibel_stretch_takes_a_valid_zero() -> None:
    pixels = np.array([[0, 1, 10, 100]], np.uint16)
    limits = scene_limits(pixels, pixels.dtype, 65535, Radiometry(), StretchChoice("decibel"))
    assert to_uint8(pixels, valid_mask(pixels, 65535), limits)[0, 0] == 1


@pytest.mark.parametrize("text", ["auto", "percentile", "decibel", "none", "fixed:-25:5", "fixed:0:1e3"])
def test_stretches_by_name(text: str) -> None:
    kind, *ends = text.split(":")
    choice = StretchChoice.parse(text)
    assert choice.kind == kind
    assert [choice.low, choice.high] == [float(end) for end in ends] or not ends


@pytest.mark.parametrize(
    "text", ["", "linear", "fixed", "fixed:1", "fixed:a:b", "fixed:5:1", "auto:1:2", "fixed:nan:1"]
)
def test_other_stretches_are_one_sentence(text: str) -> None:
    with pytest.raises(InputError, match="expected"):
        StretchChoice.parse(text)


@given(
    st.sampled_from(["uint8", "int8", "uint16", "int16", "int32", "float32"]),
    st.sampled_from([None, 0, 7, -3]),
    st.sampled_from(
        [None, StretchLimits(10, 90), StretchLimits(-20, 5, "decibel"), StretchLimits(0.1, 2, "amplitude")]
    ),
    st.integers(0, 99),
)
def test_a_table_gives_the_same_bytes(dtype: str, nodata: int | None, limits: StretchLimits | None, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(-130, 300, (9, 11)).astype(dtype)
    expected = to_uint8(pixels, valid_mask(pixels, nodata), limits)
    info = RasterInfo(11, 9, 1, dtype, nodata)
    np.testing.assert_array_equal(Stretch(info, limits)(pixels, Window(0, 0, 9, 11)), expected)


def test_colour_is_stretched_as_by_to_uint8_also_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretching, "_PART_PX", 50)
    pixels = np.random.default_rng(1).integers(0, 3, (9, 11, 3)).astype(np.uint8)
    expected = to_uint8(pixels, valid_mask(pixels, 0), StretchLimits(0, 2))
    info = RasterInfo(11, 9, 3, "uint8", 0)
    np.testing.assert_array_equal(Stretch(info, StretchLimits(0, 2))(pixels, Window(0, 0, 9, 11)), expected)


@pytest.mark.parametrize(("asked", "trained"), [("decibel", "percentile"), ("percentile", "decibel")])
def test_a_stretch_that_the_weights_do_not_know_is_refused(asked: str, trained: str) -> None:
    radiometry = Radiometry(stretch=trained)  # type: ignore[arg-type]  # a name by parameter
    with pytest.raises(InputError, match=rf"weights know \({trained} or auto\), found {asked}"):
        check_choice(StretchChoice.parse(asked), radiometry)
    for fine in (trained, "auto", "none", "fixed:1:2"):
        check_choice(StretchChoice.parse(fine), radiometry)
