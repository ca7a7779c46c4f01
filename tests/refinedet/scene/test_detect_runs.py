"""Runs on a scene: interrupted and resumed, read ahead, on several devices. The ships stay the same."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refinedet.config import TileConfig
from refinedet.detections import Detections
from refinedet.errors import FileError, InputError
from refinedet.predictors.predictor import Chip
from refinedet.raster import write_scene
from refinedet.scene import detect, identity
from refinedet.scene.detect import detect_scene
from refinedet.scene.search.journal import Journal
from tests.refinedet.scene.windowed_scene import COUNT, TILE, Moody, files, resumed, write_windowed_scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_windowed_scene(tmp_path_factory.mktemp("scene") / "scene.tif")


def test_windows_are_looked_at_while_the_scene_is_still_hashed(
    scene: Path, tmp_path: Path, bright_blobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = threading.Event()

    class Telling(Moody):
        def predict(self, chips: Sequence[Chip]) -> list[Detections]:
            looked.set()
            return super().predict(chips)

    def slow(*scene: Any) -> str:
        assert looked.wait(20), "who looks waits for the hash"
        return identity.scene_sha256(*scene)

    monkeypatch.setattr(detect, "scene_sha256", slow)
    result = detect_scene(scene, Telling(bright_blobs), tile=TILE, journal=Journal(tmp_path / "scene.journal"))
    assert result.identity is not None
    assert result.identity.scene == identity.scene_sha256(scene)


def test_interrupted_at_any_batch_the_run_goes_on_and_its_files_are_equal(
    scene: Path, bright_blobs: Any, tmp_path: Path
) -> None:
    whole = files(detect_scene(scene, Moody(bright_blobs), tile=TILE, batch_size=4), scene, tmp_path / "whole")
    all_chips, bright_blobs.chips = len(bright_blobs.chips), []
    for lives in range(0, 18, 3):
        journal = Journal(tmp_path / f"{lives}.journal")
        with pytest.raises(KeyboardInterrupt):
            detect_scene(scene, Moody(bright_blobs, lives), tile=TILE, batch_size=4, journal=journal)
        result, steps = resumed(scene, Moody(bright_blobs), journal)
        assert files(result, scene, tmp_path / f"{lives}") == whole
        assert len(bright_blobs.chips) == all_chips  # none was looked at twice
        assert steps[0][0] >= 4 * lives
        assert steps[-1] == (COUNT, COUNT)
        assert result.windows_skipped > 0
        bright_blobs.chips = []


@given(st.lists(st.integers(0, 12), min_size=1, max_size=6), st.integers(1, 9), st.integers(1, 3))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])  # only its class is used
def test_however_often_interrupted_and_on_however_many_devices_the_files_are_the_same(
    scene: Path,
    bright_blobs: Any,
    tmp_path_factory: pytest.TempPathFactory,
    lives: list[int],
    batch_size: int,
    devices: int,
) -> None:
    folder, blobs = tmp_path_factory.mktemp("runs"), type(bright_blobs)
    whole = files(detect_scene(scene, Moody(blobs()), tile=TILE, batch_size=batch_size), scene, folder / "whole")
    journal = Journal(folder / "scene.journal")
    for count in [*lives, np.inf]:
        predictors = [Moody(blobs(), count) for _ in range(devices)]
        try:
            result = detect_scene(scene, predictors, tile=TILE, batch_size=batch_size, journal=journal)
        except KeyboardInterrupt:
            continue
        assert files(result, scene, folder / "resumed") == whole


def interrupt(scene: Path, blobs: Any, journal: Journal, **settings_: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        detect_scene(scene, Moody(blobs, 5), tile=TILE, batch_size=4, journal=journal, **settings_)


def test_a_run_may_go_on_with_smaller_batches(scene: Path, bright_blobs: Any, tmp_path: Path) -> None:
    whole = detect_scene(scene, bright_blobs, tile=TILE)
    journal = Journal(tmp_path / "scene.journal")
    interrupt(scene, bright_blobs, journal)
    resumed = detect_scene(scene, bright_blobs, tile=TILE, batch_size=3, journal=journal)
    before, after = (np.array(sorted(np.rint(one.detections.boxes_xyxy).tolist())) for one in (whole, resumed))
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize(
    ("changed", "differs"),
    [
        ({"tile": TileConfig(tile_px=64, overlap_px=16)}, "settings.tile.overlap_px was 24, is 16"),
        ({"score_min": 0.3}, "settings.score_min was 0.5, is 0.3"),
    ],
)
def test_other_settings_are_refused_before_anything_is_looked_at(
    scene: Path,
    bright_blobs: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changed: dict[str, Any],
    differs: str,
) -> None:
    journal = Journal(tmp_path / "scene.journal")
    interrupt(scene, bright_blobs, journal)
    monkeypatch.setattr(bright_blobs, "predict", lambda _: pytest.fail("looked at"))
    with pytest.raises(InputError, match=differs):
        detect_scene(scene, bright_blobs, **({"tile": TILE} | changed), journal=journal)


def test_another_scene_of_the_same_name_or_another_predictor_is_refused(
    scene: Path, bright_blobs: Any, tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "scene.journal", {"weights": "first"})
    interrupt(scene, bright_blobs, journal)
    with pytest.raises(InputError, match=r"detector\.weights was first, is second"):
        detect_scene(scene, bright_blobs, tile=TILE, journal=replace(journal, detector={"weights": "second"}))
    other = tmp_path / scene.name
    write_scene(other, np.full((300, 460), 7, np.uint16))
    with pytest.raises(InputError, match=r"\(scene was "):
        detect_scene(other, bright_blobs, tile=TILE, journal=journal)


def test_a_scene_that_changes_during_the_run_is_refused(scene: Path, tmp_path: Path, bright_blobs: Any) -> None:
    copy, journal = tmp_path / "copy.tif", Journal(tmp_path / "copy.journal")
    copy.write_bytes(scene.read_bytes())

    def rewrite(_done: int, _total: int) -> None:
        copy.write_bytes(scene.read_bytes()[:-1] + b"x")

    with pytest.raises(FileError, match=r"copy\.tif to stay as it is during the run, found it changed; run the same"):
        detect_scene(copy, bright_blobs, tile=TILE, journal=journal, progress=rewrite)
    assert not journal.path.exists()
    detect_scene(copy, bright_blobs, tile=TILE, progress=lambda *_: copy.unlink(missing_ok=True))
