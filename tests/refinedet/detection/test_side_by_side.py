"""Many small scenes: processes side by side write the same bytes as one process, and fail scene by scene."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from refinedet.config.options.settings import DetectSettings
from refinedet.detection import side_by_side
from refinedet.detection.find_ships import find_ships_in
from refinedet.detection.outcome import DetectionRun
from refinedet.detection.side_by_side import find_side_by_side, processes_for
from refinedet.errors import FileError, InputError
from refinedet.scene.output.files import plan_scenes
from refinedet.system.concurrency import THREADS
from tests.refinedet.detection.test_find_ships_in import content


@pytest.fixture
def scenes(tmp_path: Path) -> list[Path]:
    """Five small pictures of sea with a bright ship; the third is damaged."""
    rng = np.random.default_rng(5)
    paths = [tmp_path / f"{name}.png" for name in "abcde"]
    for path in paths:
        pixels = rng.gamma(4, 10, (70, 60)).clip(0, 255).astype(np.uint8)
        pixels[20:25, 20:38] = 250
        Image.fromarray(pixels).save(path)
    paths[2].write_bytes(paths[2].read_bytes()[:100])
    return paths


def made(folder: Path, **more: Any) -> DetectSettings:
    """Settings of a run into a folder."""
    return DetectSettings.of(**({"out": folder, "device": "cpu", "runtime": "openvino"} | more))


def silent(_: Any) -> Any:
    return lambda _done, _all: None


def test_processes_write_the_bytes_of_one_process(scenes: list[Path], tmp_path: Path) -> None:
    told = []

    def progress(scene: Path) -> Any:
        return lambda done, total: told.append((scene, done, total))

    together = made(tmp_path / "together")
    plan = plan_scenes(scenes, together.output)
    outcomes = list(find_side_by_side(plan, together, progress, 2))
    runs = [one for one in outcomes if isinstance(one, DetectionRun)]
    ((failed, error),) = [one for one in outcomes if not isinstance(one, DetectionRun)]
    assert failed == scenes[2]
    assert isinstance(error, FileError)
    assert "c.png" in str(error)
    whole = [scene for scene in scenes if scene != scenes[2]]
    assert sorted(run.scene for run in runs) == whole
    assert sorted(told) == [(scene, 1, 1) for scene in whole]
    alone = list(find_ships_in(scenes, made(tmp_path / "alone"), silent))
    assert [one.scene for one in alone if isinstance(one, DetectionRun)] == whole
    assert content(tmp_path / "together") == content(tmp_path / "alone")
    ships = {one.scene: one.ships for one in alone if isinstance(one, DetectionRun)}
    assert {run.scene: run.ships for run in runs} == ships
    assert all(run.result is not None and len(run.result.detections) == run.ships for run in runs)


def test_a_detector_that_cannot_be_loaded_is_one_error(scenes: list[Path], tmp_path: Path) -> None:
    settings = made(tmp_path / "out", weights=tmp_path / "none.safetensors")
    with pytest.raises(FileError, match=r"none\.safetensors"):
        list(find_side_by_side(plan_scenes(scenes, settings.output), settings, silent, 2))
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_stopped_in_the_middle_nothing_is_half_written(scenes: list[Path], tmp_path: Path) -> None:
    settings = made(tmp_path / "out")
    outcomes = find_side_by_side(plan_scenes(scenes[:2] + scenes[3:], settings.output), settings, silent, 1)
    first = next(outcomes)
    outcomes.close()
    assert isinstance(first, DetectionRun)
    left = {path.suffix for path in (tmp_path / "out").iterdir()}
    assert left == {".geojson", ".csv", ".png", ".html", ".json"}
    again = list(find_ships_in(scenes[:2], made(tmp_path / "out", skip_existing=True), silent))
    assert all(isinstance(one, DetectionRun) for one in again)


def test_processes_are_for_many_small_scenes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "usable_cores", lambda: 4)
    small = [tmp_path / f"{number}.png" for number in range(50)]
    for path in small:
        path.write_bytes(b"x")
    settings = made(tmp_path / "out")
    assert processes_for(small, settings) == 2
    assert processes_for(small * 2, settings) == 4
    assert processes_for(small[:39], settings) == 1
    assert processes_for([], settings) == 1
    assert processes_for(small, made(tmp_path / "out", runtime="torch")) == 1
    assert processes_for(small, made(tmp_path / "out", device="cuda:0", runtime="auto")) == 1
    assert processes_for([*small, tmp_path], settings) == 1
    assert processes_for([*small, tmp_path / "missing.png"], settings) == 1
    small[7].write_bytes(bytes(3 << 20))
    assert processes_for(small, settings) == 1


def test_one_processor_has_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS, "1")
    small = [tmp_path / f"{number}.png" for number in range(50)]
    for path in small:
        path.write_bytes(b"x")
    assert processes_for(small, made(tmp_path / "out")) == 1


def test_existing_results_are_refused_before_any_process_starts(
    scenes: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_process(*_: Any) -> int:
        raise AssertionError

    first = list(find_ships_in(scenes[:2], made(tmp_path / "out"), silent))
    assert all(isinstance(one, DetectionRun) for one in first)
    monkeypatch.setattr("refinedet.detection.find_ships.find_side_by_side", no_process)
    refused = list(find_ships_in(scenes[:2], made(tmp_path / "out"), silent, 2))
    assert [scene for scene, _ in refused] == scenes[:2]
    assert all(isinstance(error, FileError | InputError) for _, error in refused)
    with pytest.raises(AssertionError):
        list(find_ships_in(scenes[3:], made(tmp_path / "out"), silent, 2))
