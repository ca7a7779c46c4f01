"""Flags that follow from the neighbours of a detection reach the results."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np

from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene


def test_a_wind_farm_is_flagged_as_such_and_nothing_is_dropped(tmp_path: Path, bright_blobs: Any) -> None:
    """Sixteen turbines 600 m apart, and a ship that is too long for one; without a pixel size nothing is told."""
    pixels = np.random.default_rng(0).integers(80, 120, (330, 330)).astype(np.uint16)
    for y in range(40, 280, 60):
        for x in range(40, 280, 60):
            pixels[y : y + 5, x : x + 5] = 2000
    pixels[300:306, 40:80] = 2000
    bright_blobs.threshold = 200
    for name, place in (("a.tif", {"crs": "EPSG:32633", "transform": (10.0, 0, 5e5, 0, -10.0, 5e6)}), ("b.tif", {})):
        write_scene(tmp_path / name, pixels, **place)
        result = detect_scene(tmp_path / name, bright_blobs)
        told = ["turbine" in names for names in result.flags]
        tall = result.detections.boxes_xyxy[:, 1] < 290
        assert len(told) == 17
        assert told == (tall if place else tall & False).tolist()


def test_pixels_a_thousand_times_higher_than_wide_take_little_memory(tmp_path: Path, bright_blobs: Any) -> None:
    """In degrees beside a pole, a pixel is some millimetres wide; a ship was sampled at that distance along 10 m."""
    pixels = np.random.default_rng(0).integers(80, 120, (330, 330)).astype(np.uint16)
    pixels[200:208, 150:174] = 2000
    bright_blobs.threshold = 200
    degrees = 10 / 111_320
    write_scene(tmp_path / "a.tif", pixels, crs="EPSG:4326", transform=(degrees, 0, 8.0, 0, -degrees, 90.0))
    tracemalloc.start()
    result = detect_scene(tmp_path / "a.tif", bright_blobs)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(result.detections) == 1
    assert peak < 200e6


def test_a_length_that_no_ship_has_is_flagged_in_any_pixels(tmp_path: Path, bright_blobs: Any) -> None:
    """Pixels of 50 m show no shape, and sizes in 8 bits are not judged; a pier of 900 m is no ship in either."""
    pixels = np.random.default_rng(0).integers(30, 50, (330, 330))
    bright_blobs.threshold = 150
    for name, metres, long, dtype in (("a.tif", 50.0, 18, np.uint16), ("b.tif", 10.0, 90, np.uint8)):
        shown = pixels.astype(dtype)
        shown[200:204, 150 : 150 + long] = 250
        shown[100:104, 150 : 150 + long // 3] = 250
        write_scene(tmp_path / name, shown, crs="EPSG:32633", transform=(metres, 0, 5e5, 0, -metres, 5e6))
        result = detect_scene(tmp_path / name, bright_blobs)
        told = {
            round(float(y)): "implausible" in names
            for (_, y, *_), names in zip(result.detections.boxes_xyxy, result.flags, strict=True)
        }
        assert [told[y] for y in sorted(told)] == [False, True]
