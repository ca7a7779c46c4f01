"""Cuts of one scene are placed on each other exactly; pictures that only look alike are not."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.audit.image_alignment import Grey, place


def sea(seed: int, height: int = 200, width: int = 260) -> Grey:
    """Speckle over a slow swell, with a bright ship in the middle, whatever the seed."""
    rng = np.random.default_rng(seed)
    pixels = rng.gamma(2, 20, (height, width))
    pixels[height // 2 - 20 : height // 2 + 20, width // 2 - 4 : width // 2 + 4] += 180
    return pixels.clip(0, 255).astype(np.uint8)


def jpeg(picture: Grey, quality: int) -> Grey:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


@settings(max_examples=40)
@given(
    corners=st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60)),
    quality=st.integers(60, 95),
)
def test_two_cuts_of_one_scene_are_placed_to_the_pixel(corners: tuple[int, int, int, int], quality: int) -> None:
    y1, x1, y2, x2 = corners
    scene = sea(1)
    found = place(
        jpeg(scene[y1 : y1 + 140, x1 : x1 + 190], quality), jpeg(scene[y2 : y2 + 140, x2 : x2 + 200], quality)
    )
    assert found is not None
    assert (found.x, found.y) == (x2 - x1, y2 - y1)
    assert (found.scale_x, found.scale_y) == (1, 1)


def test_a_resized_copy_is_placed_by_its_scale() -> None:
    scene = sea(2)
    smaller = np.asarray(Image.fromarray(scene).resize((208, 160), Image.Resampling.BICUBIC))
    found = place(scene, smaller)
    assert found is not None
    assert (found.scale_x, found.scale_y) == (1.25, 1.25)
    assert max(abs(found.x), abs(found.y)) <= 1
    assert found.shared_share > 0.98


@pytest.mark.parametrize("seed", range(5))
def test_another_sea_with_the_same_ship_is_another_scene(seed: int) -> None:
    assert place(sea(10 + seed), sea(20 + seed)) is None


def test_pictures_without_any_grain_are_not_told_to_be_one_scene() -> None:
    flat = np.full((50, 60), 7, np.uint8)
    assert place(flat, flat) is None
    assert place(flat, sea(1)) is None


def test_what_hardly_overlaps_is_not_looked_for() -> None:
    scene = sea(3, 200, 400)
    assert place(scene[:, :150], scene[:, 140:290]) is None
