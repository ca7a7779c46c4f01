"""Windows are read beside the predictor, and shared by several devices."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from refinedet.config import Radiometry
from refinedet.detections import Detections
from refinedet.errors import FileError, InputError
from refinedet.predictors.predictor import Chip
from refinedet.raster import SceneReader
from refinedet.scene.detect import detect_scene
from refinedet.scene.search.journal import Journal
from refinedet.scene.windows.chips import Chips
from refinedet.tiling import Window
from tests.refinedet.scene.windowed_scene import COUNT, TILE, Moody, files, resumed, write_windowed_scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_windowed_scene(tmp_path_factory.mktemp("scene") / "scene.tif")


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
