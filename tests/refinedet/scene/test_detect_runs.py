"""Runs on a scene: interrupted and resumed, read ahead, on several devices. The ships stay the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refinedet.config import Radiometry, TileConfig
from refinedet.detections import Detections
from refinedet.errors import FileError, InputError
from refinedet.predictors.predictor import Chip
from refinedet.raster import SceneReader, write_scene
from refinedet.scene import detect, identity
from refinedet.scene.detect import detect_scene
from refinedet.scene.journal import Journal
from refinedet.scene.output.result_paths import result_paths
from refinedet.scene.output.writers import write_results
from refinedet.scene.result import SceneResult
from refinedet.scene.windows.chips import Chips
from refinedet.tiling import Window

TILE = TileConfig(tile_px=64, overlap_px=24)
COUNT = 77
"""Windows of `scene`; some of them hold no data."""


class Moody:
    """A predictor whose boxes depend, in their last bits, on what shares their batch, as those of real networks do."""

    def __init__(self, inner: Any, lives: float = np.inf) -> None:
        self.inner, self.lives = inner, lives
        self.classes, self.radiometry = inner.classes, inner.radiometry

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """Predict as the inner one, off by 0.001 pixels times the sum of the batch; Ctrl-C after some batches."""
        self.lives -= 1
        if self.lives < 0:
            raise KeyboardInterrupt
        error = np.float32(sum(int(chip.sum()) for chip in chips) % 97 * 1e-3)
        return [Detections.of(d.boxes_xyxy + error, d.scores, d.labels) for d in self.inner.predict(chips)]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scene") / "scene.tif"
    rng = np.random.default_rng(5)
    pixels = rng.integers(90, 110, (300, 460)).astype(np.uint16)
    for x, y in zip(rng.integers(0, 440, 60), rng.integers(0, 290, 60), strict=True):
        pixels[y : y + 5, x : x + 12] = 1000
    pixels[:110, :150] = 0
    write_scene(path, pixels, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5.3e6))
    return path


def files(result: SceneResult, scene: Path, folder: Path) -> dict[str, bytes]:
    paths = result_paths(scene, folder, ("geojson", "csv", "coco"), quicklook=False)
    write_results(result, paths)
    return {path.name: path.read_bytes() for path in paths.values()}


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


def resumed(scene: Path, predictor: Any, journal: Journal) -> tuple[SceneResult, list[tuple[int, int]]]:
    """The result of a run that goes on, and its steps."""
    steps: list[tuple[int, int]] = []
    result = detect_scene(
        scene, predictor, tile=TILE, batch_size=4, journal=journal, progress=lambda *step: steps.append(step)
    )
    return result, steps


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


Reads = list[tuple[Window, threading.Thread]]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    """Every window whose pixels were asked for, and the thread that did."""
    made: Reads = []
    rows = Chips._rows

    def noted(self: Chips, window: Window) -> tuple[Window, Chip]:
        made.append((window, threading.current_thread()))
        return rows(self, window)

    monkeypatch.setattr(Chips, "_rows", noted)
    return made


class Patient:
    """A predictor that goes on only when the windows of the next batches have been read."""

    classes, radiometry = ("ship",), Radiometry(high_percentile=100, headroom=1)

    def __init__(self, reads: Reads, ahead: int) -> None:
        self.reads, self.ahead, self.most = reads, ahead, 0
        self.shown = 0

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """No ship."""
        self.shown += len(chips)
        wanted = min(self.shown + self.ahead, 70)
        deadline = time.monotonic() + 10
        while (made := len(self.reads)) < wanted and time.monotonic() < deadline:
            time.sleep(0.001)
        assert made >= wanted
        time.sleep(0.005)
        self.most = max(self.most, len(self.reads) - self.shown)
        return [Detections.empty() for _ in chips]


def test_windows_are_read_while_the_predictor_works_but_no_more_than_a_few_batches(scene: Path, reads: Reads) -> None:
    predictor = Patient(reads, ahead=8)
    detect_scene(scene, predictor, tile=TILE, batch_size=4)
    assert predictor.most <= 12 + 16  # two batches ready, one in the making; sixteen windows hold no data
    assert {thread.name for _, thread in reads} == {"prefetch"}
    assert not any(thread.name == "prefetch" for thread in threading.enumerate())


@pytest.mark.parametrize("devices", [1, 2])
def test_pixels_that_cannot_be_read_end_the_run_and_what_was_found_is_kept(
    scene: Path, bright_blobs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, devices: int
) -> None:
    read = SceneReader.read

    def broken(self: SceneReader, window: Window) -> Any:
        if window.y > 150 and threading.current_thread().name == "prefetch":
            raise FileError("expected to read pixels, but the disk is gone")
        return read(self, window)

    journal = Journal(tmp_path / "scene.journal")
    with monkeypatch.context() as patch, pytest.raises(FileError, match="the disk is gone"):
        patch.setattr(SceneReader, "read", broken)
        detect_scene(scene, [bright_blobs] * devices, tile=TILE, batch_size=4, journal=journal)
    _, steps = resumed(scene, bright_blobs, journal)
    assert 16 < steps[0][0] < COUNT
    assert not {t.name for t in threading.enumerate() if t.name.startswith(("prefetch", "map_unordered"))}


class Slow(Moody):
    """Takes its time, and notes what it is shown."""

    def __init__(self, inner: Any, seconds: float) -> None:
        super().__init__(inner)
        self.seconds = seconds

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """Predict as the inner one, later."""
        time.sleep(self.seconds)
        return super().predict(chips)


def test_several_devices_share_the_windows_by_their_speed_and_give_the_files_of_one(
    scene: Path, bright_blobs: Any, tmp_path: Path
) -> None:
    one = files(detect_scene(scene, Moody(bright_blobs), tile=TILE, batch_size=2), scene, tmp_path / "one")
    seen, bright_blobs.chips = len(bright_blobs.chips), []
    devices = [Slow(type(bright_blobs)(), seconds) for seconds in (0.02, 0.002, 0.002)]
    several = files(detect_scene(scene, devices, tile=TILE, batch_size=2), scene, tmp_path / "several")
    assert several == one
    shares = [len(device.inner.chips) for device in devices]
    assert sum(shares) == seen
    assert min(shares) > 0
    assert shares[0] < min(shares[1:])


@pytest.mark.parametrize(
    ("predictors", "sentence"),
    [
        (lambda _: [], "at least one predictor"),
        (lambda blobs: [blobs, Moody(blobs), Other()], "differ in their device alone"),
    ],
)
def test_predictors_that_cannot_work_together_are_refused(
    scene: Path, bright_blobs: Any, predictors: Any, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        detect_scene(scene, predictors(bright_blobs))


class Other:
    """A predictor of another class."""

    classes, radiometry = ("plane",), Radiometry()

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """No plane."""
        return [Detections.empty() for _ in chips]


def test_a_scene_that_changes_during_the_run_is_refused(scene: Path, tmp_path: Path, bright_blobs: Any) -> None:
    copy, journal = tmp_path / "copy.tif", Journal(tmp_path / "copy.journal")
    copy.write_bytes(scene.read_bytes())

    def rewrite(_done: int, _total: int) -> None:
        copy.write_bytes(scene.read_bytes()[:-1] + b"x")

    with pytest.raises(FileError, match=r"copy\.tif to stay as it is during the run, found it changed; run the same"):
        detect_scene(copy, bright_blobs, tile=TILE, journal=journal, progress=rewrite)
    assert not journal.path.exists()
    detect_scene(copy, bright_blobs, tile=TILE, progress=lambda *_: copy.unlink(missing_ok=True))
