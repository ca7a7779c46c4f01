"""The peers look at the scene that we look at: equal pixels, equal windows, and the same ships where no seam is."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from benchmarks.speed.peers_ways import WAYS
from refinedet.config import Radiometry, TileConfig
from refinedet.detection.detector import Detector
from refinedet.detection.search import Search
from refinedet.detections import Detections
from refinedet.predictors.predictor import Chip
from refinedet.raster import write_scene

TILE = TileConfig(tile_px=128, overlap_px=32)
SHIPS = [(20, 30, 32, 38), (200, 150, 210, 158), (110, 60, 120, 70), (230, 230, 240, 240)]
"""The third lies where windows overlap."""


class Bright:
    """Boxes what is bright, and keeps what it was shown."""

    classes = ("ship",)
    radiometry = Radiometry()

    def __init__(self) -> None:
        self.shown: list[Chip] = []

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """Boxes around the bright blobs of each chip."""
        self.shown.extend(chips)
        return [self._boxes(chip) for chip in chips]

    @staticmethod
    def _boxes(chip: Chip) -> Detections:
        found = ndimage.find_objects(ndimage.label(chip >= 200)[0])
        boxes = [(columns.start, rows.start, columns.stop, rows.stop) for rows, columns in found]
        return Detections.of(boxes, np.full(len(boxes), 0.9), np.zeros(len(boxes)))


@pytest.fixture
def script(beside_the_scripts: Path) -> Any:
    assert beside_the_scripts.is_dir()
    return import_module("peers")


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(50, 300, (256, 256)).astype(np.uint16)
    pixels[:, :5] = 0
    for x1, y1, x2, y2 in SHIPS:
        pixels[y1:y2, x1:x2] = 3000
    write_scene(tmp_path / "scene.tif", pixels, nodata=0)
    return tmp_path / "scene.tif"


@pytest.mark.parametrize("way", WAYS)
def test_every_way_sees_the_same_pixels_and_finds_the_same_ships(way: str, scene: Path) -> None:
    if "SAHI" in way and find_spec("sahi") is None:
        pytest.skip("SAHI is not installed: pip install 'refinedet[bench]'")
    told = {}
    for name in ("refinedet", way):
        bright = Bright()
        found = WAYS[name](scene, Search([bright], TILE, 0.5, None, None, None))
        assert sorted(map(tuple, found.boxes_xyxy.astype(int).tolist())) == sorted(SHIPS)
        told[name] = sorted(chip.tobytes() for chip in bright.shown)
    assert all(len(chip) == TILE.tile_px**2 for chip in told[way])
    if way == "plain loop":  # SAHI's windows end elsewhere
        assert told[way] == told["refinedet"]


def test_the_child_asks_for_what_the_command_line_asks_for(scene: Path, script: Any) -> None:
    search = script.asked(argparse.Namespace(scene=scene, weights=None))
    with Detector.load() as detector:
        usual = detector.search()
    assert replace(search, predictors=[]) == replace(usual, predictors=[])


@pytest.mark.slow
def test_the_script_prints_every_way_and_the_limits(script: Any) -> None:
    done = subprocess.run([sys.executable, script.__file__, "--quick"], capture_output=True, text=True, check=True)
    assert {line.split(" | ")[0][2:] for line in done.stdout.splitlines() if line.startswith("|")} > {
        "refinedet",
        "plain loop",
        "the bytes of the file, read",
    }
    assert "GFLOP/s" in done.stdout


def test_f1_is_of_what_a_child_told(script: Any) -> None:
    told = json.loads(json.dumps({"boxes": SHIPS[:2], "scores": [0.9, 0.8]}))
    assert script.f1(told, np.array(SHIPS, np.float32)) == pytest.approx(2 / 3)
