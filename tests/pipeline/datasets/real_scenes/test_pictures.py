"""Masks, chips and halves of pictures become boxes and grey levels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.datasets.real_scenes import pictures


def test_mask_becomes_boxes() -> None:
    marked = np.zeros((20, 30), bool)
    marked[2:5, 3:9] = marked[10:12, 20:25] = True
    assert pictures.mask_boxes(marked).tolist() == [[3, 2, 9, 5], [20, 10, 25, 12]]
    assert pictures.mask_boxes(np.zeros((5, 5), bool)).shape == (0, 4)


def test_slick_mask_tells_ships_from_land() -> None:
    mask = np.zeros((40, 60, 3), np.uint8)
    mask[10:12, 20:24] = (153, 76, 0)
    mask[30:, :10] = (0, 153, 0)
    mask[5:8, 40:50] = (0, 255, 255)
    ships, land = pictures.slick_truth(mask)
    assert ships.tolist() == [[17, 7, 27, 15]]
    assert (land[30, 12], land[30, 13], land[5, 45]) == (True, False, False)


def _saved(path: Path, pixels: Any) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def test_chip_is_scaled_to_the_level_of_the_sea(tmp_path: Path) -> None:
    pixels = (50 * np.sqrt(np.random.default_rng(0).gamma(4.4, 1 / 4.4, (30, 30)))).clip(0, 255).astype(np.uint8)
    water = pictures.read_chip(_saved(tmp_path / "3_5-51_8.png", pixels))
    assert float(np.median(water)) == pytest.approx(100, rel=0.06)
    pixels[:, 15:] *= 2
    beach = pictures.read_chip(_saved(tmp_path / "3_5-51_8.png", pixels))
    assert float(np.median(beach[:, :15])) == pytest.approx(100, rel=0.2)


def test_half_of_a_picture_is_grey(tmp_path: Path) -> None:
    pixels = np.zeros((4, 10, 3), np.uint8)
    pixels[:, 5:] = 200
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert (pictures.half_of(tmp_path / "a.png", "left").size, pictures.half_of(tmp_path / "a.png", "left").mode) == (
        (5, 4),
        "L",
    )
    assert np.asarray(pictures.half_of(tmp_path / "a.png", "right")).min() == 200


def test_boat_is_what_stands_out_around_the_brightest_pixel() -> None:
    chip = np.full((30, 30), 100, np.float32)
    chip[10:12, 12:15] = 900
    chip[10, 16] = 500  # a gap of one pixel
    chip[25:27, 3:5] = 700
    boats, others = pictures.read_boat(chip)
    np.testing.assert_allclose(boats, [[10.6, 8.6, 18.4, 13.4]], atol=1e-5)
    np.testing.assert_allclose(others, [[1.6, 23.6, 6.4, 28.4]], atol=1e-5)


def test_hull_beside_a_very_bright_pixel_belongs_to_the_boat() -> None:
    chip = np.full((30, 30), 4, np.float32)
    chip[14:16, 4:24] = 40
    chip[14, 8] = 255
    chip[5:14, 8] = 14  # a side lobe
    boats, others = pictures.read_boat(chip)
    np.testing.assert_allclose(boats, [[2.6, 12.6, 25.4, 17.4]], atol=1e-5)
    assert len(others) == 0
