"""Chips are the stretched pixels of their windows, rows are read once, batches do not depend on what is finished."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refinedet.config import TileConfig
from refinedet.detections import Detections
from refinedet.radiometry import StretchLimits, to_uint8, valid_mask
from refinedet.raster import SceneReader, open_scene, write_scene
from refinedet.scene.windows import chips as chips_module
from refinedet.scene.windows.chips import Batch, Chips
from refinedet.scene.windows.seams import SeamGrid
from refinedet.system.stopwatch import Stopwatch
from refinedet.tiling import Window, windows

LIMITS = StretchLimits(50, 300)
TILE = TileConfig(tile_px=64, overlap_px=24)


def pixels(dtype: str = "uint16") -> Any:
    rng = np.random.default_rng(5)
    values = rng.normal(100, 6, (300, 460))
    for x, y in zip(rng.integers(0, 440, 12), rng.integers(0, 290, 12), strict=True):
        values[y : y + 5, x : x + 12] = 280
    values[:110, :150] = 0
    return values.astype(dtype)


def batches(
    path: Path, size: int = 4, finished: Any = (), prescreen: float | None = None, *, parts: bool = False
) -> list[Batch]:
    with open_scene(path) as reader:
        seams = SeamGrid(windows(reader.info.width, reader.info.height, TILE))
        return list(Chips(reader, LIMITS, prescreen, Stopwatch(), parts=parts).batches(seams, size, dict(finished)))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scene") / "scene.tif"
    write_scene(path, pixels())
    return path


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32"])
@pytest.mark.parametrize("band_px", [1 << 26, 1])
def test_chips_are_the_stretched_pixels_of_their_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str, band_px: int
) -> None:
    monkeypatch.setattr(chips_module, "_BAND_PX", band_px)
    values = pixels(dtype)
    write_scene(tmp_path / "scene.tif", values)
    expected = to_uint8(values, valid_mask(values, None), LIMITS)
    grid = windows(460, 300, TILE)
    found = dict(pair for batch in batches(tmp_path / "scene.tif") for pair in batch)
    assert list(found) == list(range(len(grid)))
    for index, chips in found.items():
        w = grid[index]
        wanted = expected[w.y : w.y + w.height, w.x : w.x + w.width]
        assert len(chips) == wanted.any()
        for chip in chips:
            assert chip.part.place == w
            np.testing.assert_array_equal(chip.pixels, wanted)


def test_rows_are_read_once(scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Window] = []
    read = SceneReader.read
    monkeypatch.setattr(SceneReader, "read", lambda self, window: (seen.append(window), read(self, window))[1])
    batches(scene)
    assert sum(window.height for window in seen) == 300
    assert {window.width for window in seen} == {460}


@given(st.data(), st.integers(1, 9), st.sampled_from([None, 6.0]))
@settings(max_examples=20)
def test_batches_hold_the_same_windows_whatever_is_finished(
    scene: Path, data: st.DataObject, size: int, prescreen: float | None
) -> None:
    whole = batches(scene, size, prescreen=prescreen)
    assert all(sum(bool(chips) for _, chips in batch) == size for batch in whole[:-1])
    done = data.draw(st.sets(st.integers(0, len(whole) - 1)))
    finished = {index: Detections.empty() if chips else None for number in done for index, chips in whole[number]}
    rest = batches(scene, size, finished, prescreen)
    wanted = [[index for index, _ in batch] for number, batch in enumerate(whole) if number not in done]
    assert [[index for index, _ in batch] for batch in rest] == wanted


@pytest.mark.parametrize("band_px", [1 << 26, 1])
def test_the_prescreen_leaves_out_windows_near_whose_own_pixels_nothing_stands_out(
    scene: Path, monkeypatch: pytest.MonkeyPatch, band_px: int
) -> None:
    monkeypatch.setattr(chips_module, "_BAND_PX", band_px)
    grid = windows(460, 300, TILE)
    seams, bright = SeamGrid(grid), pixels() == 280
    shown = {index for batch in batches(scene, prescreen=6.0) for index, chips in batch if chips}
    assert 0 < len(shown) < len(grid) * 0.6
    for index, w in enumerate(grid):
        part = seams.near(w, 0)
        own = bright[w.y + part.y : w.y + part.y + part.height, w.x + part.x : w.x + part.x + part.width]
        if own.sum() >= 20:
            assert index in shown


def test_a_scene_of_one_window_is_looked_at_whatever_it_shows(tmp_path: Path) -> None:
    write_scene(tmp_path / "calm.tif", np.full((60, 60), 100, np.uint16))
    [batch] = batches(tmp_path / "calm.tif", prescreen=6.0)
    assert len(batch[0][1]) == 1


def test_a_batch_ends_after_many_windows_without_a_chip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chips_module, "_BATCH_WINDOWS", 10)
    write_scene(tmp_path / "empty.tif", np.zeros((300, 460), np.uint16))
    assert [len(batch) for batch in batches(tmp_path / "empty.tif", 2)][:2] == [10, 10]


def test_parts_of_a_window_show_what_stands_out_as_the_window_does(scene: Path) -> None:
    whole, parted = (
        dict(pair for batch in batches(scene, prescreen=6.0, parts=h) for pair in batch) for h in (False, True)
    )
    sides = set()
    for index, parts in parted.items():
        assert bool(parts) == bool(whole[index])
        for chip in parts:
            [full] = whole[index]
            place = chip.part.place
            sides.add(place.height)
            y, x = place.y - full.part.place.y, place.x - full.part.place.x
            np.testing.assert_array_equal(chip.pixels, full.pixels[y : y + place.height, x : x + place.width])
    assert sides == {24, 40}
    assert max(map(len, parted.values())) > 1
