"""Stream of a scene: the detections of each finished window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from refinedet.config import TileConfig
from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.search.journal import Journal
from refinedet.scene.search.stream import WindowDetections

TILE = TileConfig(tile_px=128, overlap_px=48)
SHIPS = [(20, 30, 40, 38), (150, 100, 162, 130), (240, 150, 280, 160), (100, 60, 120, 64), (84, 200, 100, 212)]
"""Boxes in a scene of 300 x 220 pixels, none longer than the overlap, several of them in two windows or four."""


def pixels() -> NDArray[np.uint16]:
    sea = np.random.default_rng(1).integers(90, 110, (220, 300)).astype(np.uint16)
    for x1, y1, x2, y2 in SHIPS:
        sea[y1:y2, x1:x2] = 1000
    return sea


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    write_scene(tmp_path / "scene.tif", pixels(), crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5.3e6))
    return tmp_path / "scene.tif"


def streamed(scene: Path, predictor: Any, **settings: Any) -> tuple[list[WindowDetections], Any]:
    told: list[WindowDetections] = []
    return told, detect_scene(scene, predictor, tile=TILE, stream=told.append, **settings)


def rows(found: list[WindowDetections]) -> list[tuple[float, ...]]:
    return sorted(tuple(box) for one in found for box in one.detections.boxes_xyxy[one.owned].tolist())


def test_each_window_is_told_once_and_each_ship_is_owned_once(scene: Path, bright_blobs: Any) -> None:
    told, result = streamed(scene, bright_blobs, batch_size=3)
    assert len({one.window for one in told}) == len(told) == result.windows == 12
    assert sum(len(one.detections) for one in told) > len(SHIPS)
    assert rows(told) == sorted(SHIPS)
    assert rows(told) == sorted(tuple(box) for box in result.detections.boxes_xyxy.tolist())


def test_places_are_those_of_the_result(scene: Path, bright_blobs: Any) -> None:
    told, result = streamed(scene, bright_blobs)
    early = np.concatenate([one.centres_lonlat[one.owned] for one in told])
    late = result.places.centres_lonlat
    np.testing.assert_array_equal(early[np.lexsort(early.T)], late[np.lexsort(late.T)])


def test_without_a_position_places_are_unknown(tmp_path: Path, bright_blobs: Any) -> None:
    write_scene(tmp_path / "scene.tif", pixels())
    told, _ = streamed(tmp_path / "scene.tif", bright_blobs)
    assert all(np.isnan(one.centres_lonlat).all() for one in told)
    assert sum(one.centres_lonlat.shape[0] for one in told) >= len(SHIPS)


def test_they_come_while_the_predictor_still_works(scene: Path, bright_blobs: Any) -> None:
    seen: list[int] = []
    detect_scene(scene, bright_blobs, tile=TILE, batch_size=2, stream=lambda _: seen.append(len(bright_blobs.chips)))
    assert seen == [2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12]


def test_weak_detections_and_empty_windows_are_not_told(tmp_path: Path, bright_blobs: Any) -> None:
    sea = pixels()
    sea[:, :130] = 0
    write_scene(tmp_path / "scene.tif", sea)
    bright_blobs.score = 0.4
    told, result = streamed(tmp_path / "scene.tif", bright_blobs)
    assert len(told) == result.windows - result.windows_skipped == 9
    assert all(len(one.detections) == 0 for one in told)


def test_windows_of_a_journal_are_told_first_and_all_the_same(scene: Path, bright_blobs: Any, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "scene.journal")

    def stop(one: WindowDetections) -> None:
        if one.window.y > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        detect_scene(scene, bright_blobs, tile=TILE, batch_size=2, journal=journal, stream=stop)
    bright_blobs.chips.clear()
    whole, _ = streamed(scene, bright_blobs)
    bright_blobs.chips.clear()
    told, _ = streamed(scene, bright_blobs, batch_size=2, journal=journal)
    assert [one.window for one in told] == [one.window for one in whole]
    assert rows(told) == rows(whole)
    assert len(bright_blobs.chips) == 12 - 6
