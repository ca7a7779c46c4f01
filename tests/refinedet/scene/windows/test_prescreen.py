"""Contrast against the sea: high for ships of any size and place; low for speckle, swell, nodata and calm water."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.scene.windows.prescreen import K, bounding_window, contrast, high_contrast
from refinedet.tiling import Window


def sea(seed: int = 0, side: int = 512, level: float = 30.0, looks: float = 4.4) -> NDArray[np.uint8]:
    """Speckle of a Sentinel-1 GRD product on water with a slow gradient."""
    rng = np.random.default_rng(seed)
    power = rng.gamma(looks, 1 / looks, (side, side)) * np.linspace(0.7, 1.4, side)
    return np.clip(level * np.sqrt(power), 1, 255).astype(np.uint8)


def stands_out(chip: NDArray[np.uint8], part: Window) -> bool:
    return bounding_window(high_contrast(chip), part) is not None


def whole(chip: NDArray[np.uint8]) -> Window:
    return Window(0, 0, *chip.shape[:2])


def mirrored(place: int, count: int) -> int:
    return -place if place < 0 else 2 * count - 2 - place if place >= count else place


def slow(chip: NDArray[np.uint8]) -> NDArray[np.float64]:
    """`contrast` of a chip of whole cells without a pixel of 0, loop by loop."""
    means = np.floor(chip.reshape(len(chip) // 2, 2, -1, 2).mean(axis=(1, 3)) + 0.5)
    smooth = ndimage.uniform_filter(means, 3, mode="nearest")
    rows, columns = (side // 8 for side in smooth.shape)
    cells = {(r, c): smooth[8 * r : 8 * r + 8, 8 * c : 8 * c + 8] for r in range(rows) for c in range(columns)}
    apart = np.zeros_like(smooth)
    reach = range(-2, 3)
    for (r, c), cell in cells.items():
        near = [cells[mirrored(r + y, rows), mirrored(c + x, columns)] for y in reach for x in reach]
        level, std = (sorted(values)[8] for values in ([n.mean() for n in near], [n.std() for n in near]))
        apart[8 * r : 8 * r + 8, 8 * c : 8 * c + 8] = (cell - level) / max(std, 0.5)
    return apart


def test_it_is_what_it_says() -> None:
    chip = sea(3, 160)
    chip[40:50, 60:90] = 200
    np.testing.assert_allclose(contrast(chip), slow(chip), rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("missing", [0, 200])
def test_what_stands_out_has_more_contrast_than_the_limit(missing: int) -> None:
    chip = sea(3, 300)
    chip[40:50, 60:90], chip[200:204, 250:258], chip[:, :missing] = 200, 70, 0
    for k in (2.0, 4.5, K):
        np.testing.assert_array_equal(high_contrast(chip, k), contrast(chip) > k)
    assert not high_contrast(chip, 1e9).any()


def test_rows_shared_by_windows_show_what_each_window_shows_but_for_its_edges() -> None:
    rows = sea(4, 512)[:160]
    rows[70:76, 300:330] = 150
    inner = (slice(None), slice(48, 112))
    np.testing.assert_allclose(contrast(rows)[:, 80:240][inner], contrast(rows[:, 160:480])[inner], rtol=1e-6)


def test_nearly_all_calm_sea_is_left_out() -> None:
    assert sum(stands_out(chip, whole(chip)) for chip in map(sea, range(40))) <= 4


@given(
    st.integers(0, 10), st.integers(0, 508), st.integers(0, 508), st.integers(4, 200), st.integers(4, 60), st.booleans()
)
@settings(max_examples=80)
def test_a_ship_three_times_as_bright_stands_out_wherever_it_is(
    seed: int, x: int, y: int, length: int, width: int, across: bool
) -> None:
    chip = sea(seed)
    high, wide = (width, length) if across else (length, width)
    chip[y : y + high, x : x + wide] = 120
    assert stands_out(chip, whole(chip))
    assert stands_out(chip, Window(y, x, min(high, 512 - y), min(wide, 512 - x)))


def test_what_stands_out_elsewhere_does_not_count() -> None:
    chip = sea(1)
    assert contrast(chip).max() < K
    chip[100:110, 100:120] = 200
    assert stands_out(chip, Window(96, 96, 40, 40))
    assert not stands_out(chip, Window(140, 140, 300, 300))


@pytest.mark.parametrize("seed", range(5))
def test_missing_pixels_neither_stand_out_nor_make_water_do(seed: int) -> None:
    chip = sea(seed)
    quiet = contrast(chip).max()
    chip[:, :200], chip[300:] = 0, 0
    assert contrast(chip).max() < quiet + 1.5
    assert not stands_out(np.zeros((512, 512), np.uint8), Window(0, 0, 512, 512))


def test_a_ship_beside_missing_pixels_and_one_beside_the_shore_stand_out() -> None:
    chip = sea(2)
    chip[:, :250] = 0
    chip[200:206, 252:270] = 140
    assert stands_out(chip, Window(190, 240, 30, 40))
    shore = sea(2)
    shore[:, :250] = np.clip(shore[:, :250].astype(int) * 3, 0, 255)
    shore[200:206, 262:280] = 140
    assert stands_out(shore, Window(198, 264, 10, 10))


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (5, 9), (33, 47), (512, 300)])
def test_chips_of_any_size(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    chip = rng.integers(1, 255, shape, dtype=np.uint8)
    if min(shape) > 1:
        assert contrast(chip).shape == (-(-shape[0] // 2), -(-shape[1] // 2))
        assert np.isfinite(contrast(chip)).all()
    too_small = shape[0] * shape[1] < 100 or min(shape) == 1
    assert stands_out(np.full(shape, 9, np.uint8), Window(0, 0, *shape)) == too_small


def test_colour_always_stands_out() -> None:
    assert stands_out(np.zeros((64, 64, 3), np.uint8), Window(0, 0, 64, 64))


def test_a_ship_on_black_sea_stands_out_where_black_was_measured() -> None:
    picture = np.zeros((320, 320), np.uint8)
    picture[150:158, 140:170] = 90
    assert bounding_window(high_contrast(picture, black=True), whole(picture)) is not None
    assert bounding_window(high_contrast(np.zeros_like(picture), black=True), whole(picture)) is None
