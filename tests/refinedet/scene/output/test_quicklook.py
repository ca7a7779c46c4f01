"""The picture shows the ships, for scenes of any shape."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.output.quicklook import write_quicklook

AMBER = np.array([255, 180, 84])
GREY = np.array([143, 163, 191])


def drawn(path: Path, predictor: Any, tmp_path: Path) -> np.ndarray:
    write_quicklook(path, detect_scene(path, predictor), tmp_path / "a.png")
    return np.asarray(Image.open(tmp_path / "a.png").convert("RGB"))


def amber_pixels(picture: np.ndarray) -> int:
    return pixels_of(AMBER, picture)


def pixels_of(colour: np.ndarray, picture: np.ndarray) -> int:
    return int((np.abs(picture.astype(int) - colour).max(axis=2) < 12).sum())


@pytest.mark.parametrize(
    ("width", "height", "ships"),
    [
        pytest.param(300, 200, 1, id="one ship, smaller than a tile"),
        pytest.param(1500, 150, 15, id="long and low, more ships than cut-outs"),
        pytest.param(100, 900, 3, id="narrow and high"),
        pytest.param(8, 8, 1, id="a few pixels"),
    ],
)
def test_ships_are_marked_in_scenes_of_any_shape(
    tmp_path: Path, bright_blobs: Any, width: int, height: int, ships: int
) -> None:
    pixels = np.full((height, width), 100, np.uint16)
    pixels[::7, ::5] = 99
    for i in range(ships):
        x, y = (i + 1) * width // (ships + 1), (i + 1) * height // (ships + 1)
        pixels[y : y + 3, x : x + 3] = 1000
    path = tmp_path / "scene.tif"
    write_scene(path, pixels, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5e6))
    with_ships = amber_pixels(drawn(path, bright_blobs, tmp_path))
    bright_blobs.threshold = 256
    without = amber_pixels(drawn(path, bright_blobs, tmp_path))
    assert without > 0  # the bar in the header
    assert with_ships > without + 40 * min(ships, 12)


def test_the_frame_of_a_flagged_ship_is_grey(tmp_path: Path, bright_blobs: Any) -> None:
    path = tmp_path / "scene.tif"
    pixels = np.full((200, 300), 100, np.uint16)
    pixels[::7, ::5] = 99
    pixels[100:103, 150:153] = 1000
    write_scene(path, pixels, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5e6))
    result = detect_scene(path, bright_blobs)
    assert len(result.flags) == 1
    pictures = []
    for flags in ((), ("land",)):
        write_quicklook(path, replace(result, flags=(flags,)), tmp_path / "a.png")
        pictures.append(np.asarray(Image.open(tmp_path / "a.png").convert("RGB"))[112:312, 44:644])
    plain, flagged = pictures
    assert pixels_of(GREY, plain) < 20 < amber_pixels(plain)
    assert amber_pixels(flagged) < 20 < pixels_of(GREY, flagged)


def test_equal_results_give_equal_bytes(tmp_path: Path, bright_blobs: Any) -> None:
    path = tmp_path / "scene.tif"
    write_scene(path, np.random.default_rng(0).integers(1, 2000, (90, 120)).astype(np.uint16))
    result = detect_scene(path, bright_blobs)
    write_quicklook(path, result, tmp_path / "a.png")
    write_quicklook(path, result, tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("kind", ["void", "colour"])
def test_scenes_without_data_and_colour_pictures_are_drawn(tmp_path: Path, bright_blobs: Any, kind: str) -> None:
    if kind == "void":
        path = tmp_path / "scene.tif"
        write_scene(path, np.zeros((90, 120), np.uint16))
    else:
        path = tmp_path / "scene.png"
        Image.fromarray(np.full((90, 120, 3), (10, 220, 30), np.uint8)).save(path)
    assert drawn(path, bright_blobs, tmp_path).shape[2] == 3


@pytest.mark.parametrize("name", ["$\\frac{$ 船.tif", "two\nlines.tif", "<b>&amp;.tif", "x" * 180 + ".tif"])
def test_any_name_is_a_title(tmp_path: Path, bright_blobs: Any, name: str) -> None:
    path = tmp_path / name
    write_scene(path, np.full((60, 90), 7, np.uint16))
    assert drawn(path, bright_blobs, tmp_path).shape[2] == 3


def test_the_arrow_is_there_only_where_north_is_known(tmp_path: Path, bright_blobs: Any) -> None:
    pixels = np.full((200, 300), 100, np.uint16)
    corners = []
    for place in ({"crs": "EPSG:32633", "transform": (10.0, 0, 5e5, 0, -10.0, 5e6)}, {}):
        write_scene(tmp_path / "s.tif", pixels, **place)
        picture = drawn(tmp_path / "s.tif", bright_blobs, tmp_path)
        corners.append(int((picture[10:100, -100:].min(axis=2) > 200).sum()))
    assert corners[0] > 40
    assert corners[1] == 0


@pytest.mark.slow
def test_five_thousand_ships_are_drawn_in_seconds(tmp_path: Path, bright_blobs: Any) -> None:
    pixels = np.full((1000, 1000), 100, np.uint16)
    pixels[5::14, 5::14] = 1000
    path = tmp_path / "s.tif"
    write_scene(path, pixels)
    result = detect_scene(path, bright_blobs)
    assert len(result.detections) > 5000
    write_quicklook(path, result, tmp_path / "a.png")
    assert amber_pixels(np.asarray(Image.open(tmp_path / "a.png").convert("RGB"))) > 20_000
