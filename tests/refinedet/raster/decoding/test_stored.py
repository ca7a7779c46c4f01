"""Pixels of a small file are decoded once, and are there after it is closed; those of a large one are not held."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from refinedet.raster import open_scene
from refinedet.raster.decoding import stored
from refinedet.raster.decoding.stored import StoredPixels, Wanted
from refinedet.raster.ranged import GdalFile
from refinedet.tiling import Window

GREY = Wanted((1,), masked=False, alpha=None)
PIXELS = np.arange(2 * 20 * 30, dtype=np.uint8).reshape(2, 20, 30)


class Dataset(SimpleNamespace):
    """Dataset of rasterio that counts how often it is read."""

    dtypes, height, width, reads = ("uint8", "uint8"), 20, 30, 0

    def read(self, bands: list[int] | int, window: Any) -> NDArray[Any]:
        """Pixels of some bands, as rasterio gives them."""
        self.reads += 1
        rows, columns = window.toslices()
        return np.array(PIXELS[np.array(bands) - 1][..., rows, columns])


def test_a_small_file_is_decoded_once_for_the_same_bands() -> None:
    dataset = Dataset()
    pixels = StoredPixels(dataset, GdalFile(Path("s.jpg")))
    assert not pixels.held(GREY)
    for y in (10, 0, 5):
        found, masks = pixels.read(Window(y, 3, 5, 6), GREY)
        np.testing.assert_array_equal(found, PIXELS[:1, y : y + 5, 3:9])
        assert masks == []
        found[:] = 0  # the caller may change them
    assert dataset.reads == 1
    assert pixels.held(GREY)
    found, (alpha,) = pixels.read(Window(1, 1, 2, 3), GREY._replace(alpha=2))
    np.testing.assert_array_equal(found, PIXELS[:1, 1:3, 1:4])
    np.testing.assert_array_equal(alpha, PIXELS[1, 1:3, 1:4])
    assert not pixels.held(GREY)


def test_a_large_file_is_read_window_by_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "_HELD_BYTES", 20 * 30 - 1)
    dataset = Dataset()
    pixels = StoredPixels(dataset, GdalFile(Path("s.tif")))
    for y in (10, 0):
        np.testing.assert_array_equal(pixels.read(Window(y, 3, 5, 6), GREY)[0], PIXELS[:1, y : y + 5, 3:9])
    assert dataset.reads == 2
    assert not pixels.held(GREY)


def test_a_small_scene_can_be_read_after_it_is_closed(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (40, 50, 3)).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "s.png")
    with open_scene(tmp_path / "s.png") as scene:
        before = scene.is_held
        first = scene.read(Window(30, 10, 5, 6))
        assert (before, scene.is_held) == (False, True)
    (tmp_path / "s.png").unlink()
    np.testing.assert_array_equal(scene.read(Window(0, 0, 40, 50)), picture)
    np.testing.assert_array_equal(first, picture[30:35, 10:16])
