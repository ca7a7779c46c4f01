"""Noisy fringes are found, water is kept, and boxes know what they touch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from refinedet.scene.sentinel1.borders import Borders, find_fringes, invalid_share
from refinedet.tiling import Window

HEIGHT, WIDTH = 900, 1400


def sea(seed: int = 1, level: float = 40.0) -> NDArray[np.uint16]:
    """Amplitude of four-look speckle."""
    power = np.random.default_rng(seed).gamma(4.4, level**2 / 4.4, (HEIGHT, WIDTH))
    return np.maximum(np.sqrt(power), 1).astype(np.uint16)


def measured() -> NDArray[np.bool_]:
    """Measured part of a scene: slanted sides, straight top and bottom."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.asarray(
        (columns >= 60 + rows // 20) & (columns < WIDTH - 90 + rows // 30) & (rows >= 33) & (rows < HEIGHT - 45)
    )


def fringed(pixels: NDArray[np.uint16], valid: NDArray[np.bool_], seed: int = 2) -> NDArray[np.uint16]:
    """Small values outside of what is valid, some of them bright, and zeros at the very left."""
    rng = np.random.default_rng(seed)
    noise = np.where(rng.random(pixels.shape) < 2e-3, 90, rng.integers(0, 16, pixels.shape))
    noise[:, :20] = 0
    return np.where(valid, pixels, noise).astype(np.uint16)


def found(pixels: NDArray[Any]) -> Borders:
    def read(window: Window) -> NDArray[Any]:
        return pixels[window.y : window.y + window.height, window.x : window.x + window.width]

    return find_fringes(read, pixels.shape[1], pixels.shape[0], pixels[::2, ::2])


def whole(borders: Borders) -> NDArray[np.bool_]:
    return borders.valid(Window(0, 0, HEIGHT, WIDTH))


@pytest.mark.parametrize("land", [False, True], ids=["sea", "land at the border"])
def test_a_fringe_is_found_and_little_else(land: bool) -> None:
    pixels, valid = sea(), measured()
    if land:
        pixels[100:500, :400] *= 4
        pixels[600:, 1000:] *= 3
    mask = whole(found(fringed(pixels, valid)))
    assert (mask & ~valid).sum() < 2e-3 * (~valid).sum()
    lost = valid & ~mask
    inner = valid & np.roll(valid, 40, 1) & np.roll(valid, -40, 1) & np.roll(valid, 40, 0) & np.roll(valid, -40, 0)
    assert not (lost & inner).any()  # 400 m and more from the border nothing is lost
    assert lost.sum() < 0.03 * valid.sum()


def test_a_scene_without_fringe_keeps_every_pixel() -> None:
    assert whole(found(sea())).all()
    pixels = sea()
    pixels[~measured()] = 0
    mask = whole(found(pixels))
    assert mask[measured()].mean() > 0.998  # slanted borders are cut in steps of eight lines


def test_calm_water_at_the_border_is_no_fringe() -> None:
    pixels = sea()
    pixels[:, :700] = np.maximum(pixels[:, :700] // 4, 1)  # 12 dB darker, wider than any fringe
    assert whole(found(pixels)).all()


def test_windows_are_cut_from_one_mask() -> None:
    borders = found(fringed(sea(), measured()))
    np.testing.assert_array_equal(borders.valid(Window(20, 50, 100, 200)), whole(borders)[20:120, 50:250])


@pytest.mark.parametrize("shape", [(1, 1), (5, 900), (900, 3), (40, 40)])
def test_a_scene_of_any_size_has_borders(shape: tuple[int, int]) -> None:
    pixels = np.full(shape, 50, np.uint16)
    assert found(pixels).valid(Window(0, 0, *shape)).all()
    assert found(pixels * 0).valid(Window(0, 0, *shape)).shape == shape


def test_a_box_counts_what_it_touches() -> None:
    valid = np.ones((40, 60), np.bool_)
    valid[:, 50:] = False
    assert invalid_share(valid, (10, 10, 20, 20)) == 0
    assert invalid_share(valid, (30.5, 10, 48.9, 20)) == 0
    assert 0 < invalid_share(valid, (40, 10, 50, 20)) < 0.2  # the pixel next to it
    assert invalid_share(valid, (45, 10, 57, 20)) > 0.5
    assert invalid_share(valid, (52, 10, 58, 20)) > 0.85
    assert invalid_share(valid, (70, 10, 80, 20)) == 1
