"""With the prescreen: the same ships from less of the scene, by predictors that take parts of windows and by others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refinedet.config import TileConfig
from refinedet.detections import Detections
from refinedet.predictors.predictor import Chip, PartPredictor
from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.windows.prescreen import K

TILE = TileConfig(tile_px=128, overlap_px=40)
SHIPS = [(60, 70), (150, 860), (152, 880), (300, 310), (301, 540), (560, 90), (700, 702)]
"""(y, x) of the top left pixel of each, 6 x 10 pixels."""


class TakesParts:
    """Another predictor, which now takes parts of windows."""

    def __init__(self, predictor: Any) -> None:
        self.classes, self.radiometry, self.predict = predictor.classes, predictor.radiometry, predictor.predict
        self.wholes: set[int] = set()

    def predict_parts(self, chips: Sequence[Chip], whole_px: int) -> list[Detections]:
        """Remember what a part is said to be of, and answer."""
        self.wholes.add(whole_px)
        found: list[Detections] = self.predict(chips)
        return found


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    sea = np.random.default_rng(1).gamma(4.4, 6.0, (900, 900)).clip(1, 120).astype(np.uint8)
    for y, x in SHIPS:
        sea[y : y + 6, x : x + 10] = 250
    write_scene(tmp_path / "scene.tif", sea)
    return tmp_path / "scene.tif"


def ships(path: Path, predictor: Any, prescreen: float | None) -> list[tuple[float, ...]]:
    found = detect_scene(path, predictor, prescreen=prescreen, tile=TILE).detections
    return sorted((y, x) for x, y, *_ in found.boxes_xyxy.tolist())


def shapes(blobs: Any) -> Counter[tuple[int, ...]]:
    seen = Counter(chip.shape for chip in blobs.chips)
    blobs.chips.clear()
    return seen


def test_the_same_ships_are_found_in_less_of_the_scene(scene: Path, bright_blobs: Any) -> None:
    parts = TakesParts(bright_blobs)
    assert isinstance(parts, PartPredictor)
    assert not isinstance(bright_blobs, PartPredictor)
    assert ships(scene, bright_blobs, None) == SHIPS
    everything = shapes(bright_blobs)
    assert ships(scene, bright_blobs, K) == SHIPS
    windows = shapes(bright_blobs)
    assert ships(scene, parts, K) == SHIPS
    parted = shapes(bright_blobs)
    assert everything.keys() == windows.keys() == {(128, 128)}
    assert windows.total() < everything.total() / 2
    assert parted.total() >= windows.total()
    assert sum(n * h * w for (h, w), n in parted.items()) < sum(n * h * w for (h, w), n in windows.items()) / 2
    assert parted[48, 48] > parted[128, 128]
    assert parts.wholes == {128}


@pytest.mark.parametrize("prescreen", [None, K])
def test_a_scene_of_one_window_is_shown_as_a_whole(tmp_path: Path, bright_blobs: Any, prescreen: float | None) -> None:
    write_scene(tmp_path / "scene.tif", np.full((150, 100), 250, np.uint8))
    parts = TakesParts(bright_blobs)
    assert ships(tmp_path / "scene.tif", parts, prescreen) == [(0, 0)]
    assert shapes(bright_blobs) == {(150, 100): 1}
    assert not parts.wholes


def test_without_the_prescreen_windows_are_shown_whole(scene: Path, bright_blobs: Any) -> None:
    assert ships(scene, TakesParts(bright_blobs), None) == SHIPS
    assert shapes(bright_blobs).keys() == {(128, 128)}
