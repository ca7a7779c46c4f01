"""Windows of a scene are read together, and no number depends on how."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refinedet.boxes import as_boxes
from refinedet.config.options.detect import SceneSettings
from refinedet.config.options.land import LandSettings
from refinedet.detections import Detections
from refinedet.geo.position import locate
from refinedet.raster import SceneReader, write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.land.survey import survey
from refinedet.scene.ships.describe import SceneAsRead, Ships, describe_ships
from refinedet.scene.ships.measuring import blocks
from refinedet.scene.ships.measuring.blocks import read_blocks
from refinedet.scene.source import open_source
from refinedet.scene.windows.merge import Merged
from refinedet.tiling import Window

SIDE = 400


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """Speckle with 64 ships, an islet, and a corner without data."""
    rng = np.random.default_rng(0)
    amplitude = 30 * np.sqrt(rng.gamma(4.4, 1 / 4.4, (SIDE, SIDE)))
    for y in range(20, SIDE, 48):
        for x in range(20, SIDE, 48):
            amplitude[y : y + 4, x : x + rng.integers(4, 16)] = rng.uniform(150, 2000)
    amplitude[250:272, 250:268] = 540 * np.sqrt(rng.gamma(4.4, 1 / 4.4, (22, 18)))
    amplitude[:50, :70] = 0
    path = tmp_path / "scene.tif"
    write_scene(path, amplitude.astype(np.uint16), crs="EPSG:32631", transform=(10.0, 0, 5e5, 0, -10.0, 6e6))
    return path


@pytest.mark.parametrize(("side_px", "read_px"), [(512, 1 << 14), (100, 1 << 14), (512, -(1 << 40))])
def test_each_window_is_in_one_block_with_its_own_pixels(
    scene: Path, side_px: int, read_px: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK_PX", side_px)
    monkeypatch.setattr(blocks, "_READ_PX", read_px)
    rng = np.random.default_rng(1)
    windows = [Window(int(y), int(x), 50, 40) for y, x in rng.integers(0, SIDE - 50, (30, 2))]
    seen = []
    with open_source(scene, SceneSettings()) as reader:
        for block, members in read_blocks(reader, windows):
            seen += members
            for index in members:
                own = reader.read(windows[index])
                span = block.span(windows[index])
                assert (block.power[span] == own.astype(np.float64) ** 2).all()
                assert (block.valid[span] == (own > 0)).all()
    assert sorted(seen) == list(range(30))


def test_what_lies_between_windows_far_apart_is_not_read(scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_READ_PX", 0)
    windows = [Window(0, 0, 50, 50), Window(SIDE - 60, SIDE - 60, 50, 50)]
    with open_source(scene, SceneSettings()) as reader:
        assert [block.power.shape for block, _ in read_blocks(reader, windows)] == [(50, 50), (50, 50)]


def test_ships_close_together_are_not_read_one_by_one(
    scene: Path, bright_blobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bright_blobs.threshold = 250
    real, calls = SceneReader.read, []

    def counted(self: SceneReader, window: Window) -> Any:
        calls.append(window)
        return real(self, window)

    monkeypatch.setattr(SceneReader, "read", counted)
    found = detect_scene(scene, bright_blobs)
    assert len(found.detections) > 50
    assert len(calls) < len(found.detections), "of the whole run"


@pytest.mark.parametrize(("side_px", "read_px"), [(64, 1 << 14), (150, 0), (512, -(1 << 40))])
def test_no_number_depends_on_which_ships_are_read_together(
    scene: Path, side_px: int, read_px: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = described(scene)
    monkeypatch.setattr(blocks, "BLOCK_PX", side_px)
    monkeypatch.setattr(blocks, "_READ_PX", read_px)
    ours, theirs = together.places, described(scene).places
    assert [getattr(ours, f.name).tobytes() for f in fields(ours)] == [
        getattr(theirs, f.name).tobytes() for f in fields(theirs)
    ]
    assert described(scene).flags == together.flags
    assert {name for names in together.flags for name in names} >= {"islet", "nodata"}


def described(scene: Path) -> Ships:
    boxes = as_boxes([(x - 6, y - 6, x + 12, y + 10) for y in range(20, 388, 60) for x in range(20, 388, 48)])
    boxes = np.concatenate([boxes, as_boxes([(252, 252, 268, 270)])])
    none = np.zeros(len(boxes), bool)
    found = Merged(Detections.of(boxes, np.linspace(0.9, 0.1, len(boxes)), none.astype(int)), none, none)
    land = LandSettings(land_mask="off")
    with open_source(scene, SceneSettings()) as reader:
        known = survey(locate(reader.info), SIDE, SIDE, land)
        return describe_ships(SceneAsRead([reader], reader, (1.0, 1.0)), found, known, None)
