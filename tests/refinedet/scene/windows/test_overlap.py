"""overlap.py: windows share what the longest ship takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refinedet.config import TileConfig
from refinedet.errors import InputError
from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.windows.overlap import LONGEST_SHIP_M, shrink_overlap

TILE = TileConfig(tile_px=512, overlap_px=160)


@pytest.mark.parametrize(
    ("pixel_m", "factor", "overlap_px"),
    [
        (10, 1.0, 96),
        (4.9999999, 1.0, 100),
        (25, 1.0, 96),
        (4, 1.0, 125),
        (3.5, 1.0, 143),
        (3, 1.0, 160),
        (0.5, 1.0, 160),
        (10, 2.5, 125),
    ],
)
def test_the_longest_ship_fits_where_it_can_and_context_is_left(pixel_m: float, factor: float, overlap_px: int) -> None:
    turned = pixel_m * np.array([[0.8, -0.6], [0.6, 0.8]])
    assert shrink_overlap(TILE, turned, (factor, factor), LONGEST_SHIP_M).overlap_px == overlap_px


def test_the_smaller_side_of_a_pixel_decides() -> None:
    assert shrink_overlap(TILE, np.diag([20.0, 4.0]), (1.0, 1.0), LONGEST_SHIP_M).overlap_px == 125
    assert shrink_overlap(TILE, np.diag([20.0, 4.0]), (1.0, 0.5), LONGEST_SHIP_M).overlap_px == 96


def test_nothing_changes_where_no_size_is_known_or_asked_for_and_nothing_grows() -> None:
    assert shrink_overlap(TILE, None, (1.0, 1.0), LONGEST_SHIP_M) == TILE
    assert shrink_overlap(TILE, np.diag([10.0, 10.0]), (1.0, 1.0), None) == TILE
    little = TileConfig(tile_px=128, overlap_px=20)
    assert shrink_overlap(little, np.diag([10.0, 10.0]), (1.0, 1.0), LONGEST_SHIP_M) == little


def test_a_scene_has_fewer_windows_and_the_same_ships(tmp_path: Path, bright_blobs: Any) -> None:
    sea = np.full((2000, 2000), 20, np.uint8)
    for y, x in ((470, 470), (900, 30), (905, 1400), (1990, 1960)):
        sea[y : y + 6, x : x + 40] = 250  # 400 m
    write_scene(tmp_path / "scene.tif", sea, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5.3e6))
    found = [
        detect_scene(tmp_path / "scene.tif", bright_blobs, ship_m=ship_m, tile=TILE)
        for ship_m in (None, LONGEST_SHIP_M)
    ]
    assert [result.windows for result in found] == [36, 25]
    assert found[0].detections.boxes_xyxy.tolist() == found[1].detections.boxes_xyxy.tolist()
    assert len(found[0].detections) == 4


def test_the_longest_ships_are_whole_wherever_they_lie(tmp_path: Path, bright_blobs: Any) -> None:
    sea = np.full((1400, 1900), 20, np.uint8)
    places = [(20 + 25 * i, 37 * i % 1500 + 100) for i in range(54)]
    for y, x in places:
        sea[y : y + 6, x : x + 115] = 250  # 460 m
    write_scene(tmp_path / "scene.tif", sea, crs="EPSG:32633", transform=(4.0, 0, 5e5, 0, -4.0, 5.3e6))
    found = detect_scene(tmp_path / "scene.tif", bright_blobs, ship_m=LONGEST_SHIP_M, tile=TILE)
    assert found.detections.boxes_xyxy.tolist() == [[x, y, x + 115, y + 6] for y, x in places]
    assert found.flags == ((),) * len(places), "none is joined"


@pytest.mark.parametrize("ship_m", [0, -1, float("inf"), float("nan")])
def test_a_ship_of_no_length_is_an_error(ship_m: float, tmp_path: Path, bright_blobs: Any) -> None:
    with pytest.raises(InputError, match="longest ship above 0 m"):
        detect_scene(tmp_path / "scene.tif", bright_blobs, ship_m=ship_m)
