"""Lines that are drawn on a picture are told from the sea, from ships, and from the side lobes of one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from refinedet.scene.input.pixels.drawn import has_drawn_lines


def _sea() -> NDArray[np.uint8]:
    power = np.random.default_rng(0).gamma(4, 0.25, (200, 300))
    return np.clip(60 * np.sqrt(power), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("grey", [255, 0])
@pytest.mark.parametrize("width_px", [1, 2])
def test_a_frame_or_a_graticule_is_drawn(grey: int, width_px: int) -> None:
    pixels = np.maximum(_sea(), 100) if grey == 0 else _sea()
    assert not has_drawn_lines(pixels)
    inside = pixels[80 + width_px : 120 - width_px, 100 + width_px : 160 - width_px].copy()
    pixels[80:120, 100:160] = grey
    pixels[80 + width_px : 120 - width_px, 100 + width_px : 160 - width_px] = inside
    assert has_drawn_lines(pixels)


def test_a_ship_with_side_lobes_and_a_dark_border_are_not() -> None:
    pixels = _sea()
    pixels[90:110, 50:110], pixels[99:101, 20:160], pixels[60:150, 79:81] = 255, 255, 255
    pixels[:30], pixels[:, :40] = 0, 0
    assert not has_drawn_lines(pixels)
    assert not has_drawn_lines(pixels[:10, :10])
