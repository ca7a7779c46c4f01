"""With the prescreen: the same ships from less of the scene, by predictors that take parts of windows and by others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from refinedet.config import Radiometry, TileConfig
from refinedet.detections import Detections
from refinedet.predictor import PartPredictor
from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.prescreen import K
from refinedet.scene.source import SceneChoice

TILE = TileConfig(tile_px=128, overlap_px=40)
SHIPS = [(60, 70), (300, 310), (301, 540), (560, 90), (700, 702), (150, 860), (152, 880)]
"""(y, x) of the top left pixel of each, 6 x 10 pixels."""


class Blobs:
    """Finds what is bright; remembers which chips it was shown."""

    classes = ("ship",)
    radiometry = Radiometry(stretch="none")

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def predict(self, chips: Sequence[Any]) -> list[Detections]:
        """Remember and answer."""
        self.shapes += [chip.shape for chip in chips]
        return [self._found(chip) for chip in chips]

    @staticmethod
    def _found(chip: Any) -> Detections:
        places = ndimage.find_objects(ndimage.label(chip == 250)[0])
        boxes = np.array([[x.start, y.start, x.stop, y.stop] for y, x in places], np.float32).reshape(-1, 4)
        return Detections.of(boxes, np.full(len(boxes), 0.9), np.zeros(len(boxes), int))


class PartBlobs(Blobs):
    """The same, which takes parts too."""

    def __init__(self) -> None:
        super().__init__()
        self.wholes: set[int] = set()

    def predict_parts(self, chips: Sequence[Any], whole_px: int) -> list[Detections]:
        """Remember and answer."""
        self.wholes.add(whole_px)
        return self.predict(chips)


def scene(path: Path, size: int = 900) -> Path:
    sea = np.random.default_rng(1).gamma(4.4, 6.0, (size, size)).clip(1, 120).astype(np.uint8)
    for y, x in SHIPS:
        sea[y : y + 6, x : x + 10] = 250
    write_scene(path, sea)
    return path


def found(path: Path, predictor: Blobs, prescreen: float | None) -> Any:
    return detect_scene(path, predictor, choice=SceneChoice(prescreen=prescreen), tile=TILE).detections


def test_the_same_ships_are_found_in_less_of_the_scene(tmp_path: Path) -> None:
    path = scene(tmp_path / "scene.tif")
    assert isinstance(PartBlobs(), PartPredictor)
    assert not isinstance(Blobs(), PartPredictor)
    whole, windows, halves = Blobs(), Blobs(), PartBlobs()
    expected = found(path, whole, None)
    assert sorted(map(tuple, expected.boxes_xyxy[:, 1::-1])) == sorted(SHIPS)
    for predictor in (windows, halves):
        ships = found(path, predictor, K)
        np.testing.assert_array_equal(ships.boxes_xyxy, expected.boxes_xyxy)
    assert len(windows.shapes) < len(whole.shapes) / 2
    assert set(windows.shapes) == {(128, 128)}
    assert len(halves.shapes) == len(windows.shapes)
    assert halves.shapes.count((64, 64)) > len(halves.shapes) / 2
    assert halves.wholes == {128}


@pytest.mark.parametrize("prescreen", [None, K])
def test_a_scene_of_one_window_is_shown_as_a_whole(tmp_path: Path, prescreen: float | None) -> None:
    path = tmp_path / "scene.tif"
    write_scene(path, np.full((150, 100), 250, np.uint8))
    predictor = PartBlobs()
    assert len(found(path, predictor, prescreen)) == 1
    assert predictor.shapes == [(150, 100)]
    assert not predictor.wholes


def test_without_the_prescreen_windows_are_shown_whole(tmp_path: Path) -> None:
    predictor = PartBlobs()
    found(scene(tmp_path / "scene.tif"), predictor, None)
    assert set(predictor.shapes) == {(128, 128)}
