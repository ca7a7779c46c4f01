"""refinedet detect, stopped in the middle of its work by whatever stops programs, and started again."""

from __future__ import annotations

import errno
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

from refinedet import raster
from refinedet.predictors import predictor

ROOT = Path(__file__).resolve().parents[5]
Run = Callable[..., Result]
Start = Callable[..., subprocess.Popen[str]]
WINDOWS = 60


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory, tiny_network: Path) -> Start:
    """Start the real program on a scene of WINDOWS windows, each a batch of its own, with a real network."""
    rng = np.random.default_rng(1)
    pixels = rng.integers(90, 110, (300, 460)).astype(np.uint16)
    for x, y in zip(rng.integers(0, 440, 30), rng.integers(0, 290, 30), strict=True):
        pixels[y : y + 6, x : x + 15] = 1000
    pixels[:70, :100] = 0
    scene = tmp_path_factory.mktemp("runs") / "scene.tif"
    raster.write_scene(scene, pixels, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5.3e6), nodata=0)
    command = [
        *(sys.executable, "-m", "cli.app", "detect", "scene.tif", "--weights", str(tiny_network), "--device", "cpu"),
        *("--score-min", "0.0202", "--tile-px", "64", "--batch-size", "1", "--prescreen", "off"),
        *("--json", "--out"),
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    def call(folder: Path, **settings: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*command, str(folder)],
            cwd=scene.parent,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **settings,
        )

    return call


@pytest.fixture(scope="module")
def whole(start: Start, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a run that nothing interrupts."""
    folder = tmp_path_factory.mktemp("whole")
    told = finished(start(folder))
    assert told["ships"] > 20
    assert (told["windows"], told["windows_skipped"], told["windows_kept"]) == (WINDOWS, 1, 0)
    return content(folder)


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What the program says of the scene at its end."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    told: dict[str, Any] = json.loads(out)["scenes"][0]
    return told


def content(folder: Path) -> dict[str, bytes]:
    """Bytes of the files, without what the record of the run says of time and devices."""
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    if record := found.get("scene.run.json"):
        found["scene.run.json"] = json.dumps(
            {k: v for k, v in json.loads(record).items() if k not in ("time", "device")}
        ).encode()
    return found


def kept(journal: Path) -> int:
    """Windows in the whole lines of a journal."""
    lines = journal.read_bytes().split(b"\n")[1:-1] if journal.exists() else []
    return sum(len(json.loads(line.partition(b" ")[2])) for line in lines)


def wait_for(process: subprocess.Popen[str], journal: Path, windows: int) -> None:
    while process.poll() is None and kept(journal) < windows:
        time.sleep(0.002)


@pytest.mark.parametrize("kills", [3, pytest.param(5, marks=pytest.mark.slow)])
def test_killed_at_random_moments_and_started_again_its_files_are_equal(
    start: Start, whole: dict[str, bytes], tmp_path: Path, kills: int
) -> None:
    moments = random.Random(time.time_ns())  # noqa: S311 - no secret
    folder, before = tmp_path / "out", 0
    journal = folder / "scene.journal"
    for wanted in sorted(moments.sample(range(1, WINDOWS - 10), kills)):
        process = start(folder)
        wait_for(process, journal, max(wanted, before + 1))
        time.sleep(moments.uniform(0, 0.02))
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert kept(journal) > before
        before = kept(journal)
    assert finished(start(folder))["windows_kept"] == before
    assert content(folder) == whole


@pytest.mark.slow
def test_stopped_by_a_full_disk_and_then_by_ctrl_c_it_says_how_to_go_on_and_does(
    start: Start, whole: dict[str, bytes], tmp_path: Path
) -> None:
    """A limit on the size of files stands in for the disk: the kernel refuses a write in the middle of it."""
    folder = tmp_path / "out"
    journal = folder / "scene.journal"
    process = start(folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000)))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert "File too large" in json.loads(out)["scenes"][0]["error"]
    first = kept(journal)
    assert 0 < first < WINDOWS - 10
    process = start(folder)
    wait_for(process, journal, first + 1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    second = kept(journal)
    assert err == (
        f"refinedet: interrupted; {second} of {WINDOWS} windows of scene.tif are kept in {journal}: "
        "run the same again to go on\n"
    )
    assert [path.name for path in folder.iterdir()] == ["scene.journal"]
    assert finished(start(folder))["windows_kept"] == second
    assert content(folder) == whole


def test_no_room_for_a_picture_is_one_sentence_and_the_windows_are_kept(
    run: Run, tmp_path: Path, weights: Path, scene: Path, bright_blobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    words = "detect", scene, "--weights", weights, "--out", tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr("refinedet.scene.output.quicklook.write_quicklook", full)
        ran = run(*words)
    assert ran.exit_code == 1
    assert "expected room on the disk" in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert (tmp_path / "out" / "scene.journal").is_file()
    shown = len(bright_blobs.chips)
    assert run(*words).exit_code == 0
    assert len(bright_blobs.chips) == shown  # the network was not asked again
    assert not (tmp_path / "out" / "scene.journal").exists()


def interrupted(run: Run, blobs: Any, monkeypatch: pytest.MonkeyPatch, *words: object) -> Result:
    """A run that is stopped in its second batch."""
    with monkeypatch.context() as patch:
        predict = blobs.predict

        def stop(chips: Any) -> Any:
            if blobs.batches:
                raise KeyboardInterrupt
            return predict(chips)

        patch.setattr(blobs, "predict", stop)
        return run("detect", *words, "--batch-size", 8)


def test_other_settings_are_refused_until_told_to_restart(
    run: Run, tmp_path: Path, weights: Path, scene: Path, bright_blobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = scene, "--weights", weights, "--out", tmp_path / "out"
    assert interrupted(run, bright_blobs, monkeypatch, *words).exit_code == 130
    refused = run("detect", *words, "--overlap-px", 32)
    assert refused.exit_code == 1
    assert "settings.tile.overlap_px was 48, is 32" in refused.stderr
    assert "--restart" in refused.stderr
    assert not (tmp_path / "out" / "scene.csv").exists()
    weights.write_bytes(b"other weights")
    assert "detector.weights was" in run("detect", *words).stderr
    ran = run("detect", *words, "--restart")
    assert ran.exit_code == 0, ran.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "scene.csv",
        "scene.geojson",
        "scene.html",
        "scene.png",
        "scene.run.json",
    ]


def test_a_run_that_was_free_to_replace_results_still_is_when_it_goes_on(
    run: Run, tmp_path: Path, weights: Path, scene: Path, bright_blobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = scene, "--weights", weights, "--out", tmp_path / "out"
    assert run("detect", *words).exit_code == 0
    bright_blobs.batches.clear()
    assert interrupted(run, bright_blobs, monkeypatch, *words, "--overwrite").exit_code == 130
    ran = run("detect", *words)
    assert ran.exit_code == 0, ran.output
    assert "8 from before" in ran.stdout
    assert run("detect", *words).exit_code == 1  # finished: results are safe again


def test_a_journal_in_the_way_of_one_scene_does_not_stop_the_others(
    run: Run, tmp_path: Path, weights: Path, scene: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "bad.journal").write_text("my notes")
    bad = tmp_path / "bad.tif"
    bad.write_bytes(scene.read_bytes())
    ran = run("detect", bad, scene, "--weights", weights, "--out", tmp_path / "out")
    assert ran.exit_code == 1
    assert "expected a journal" in ran.stderr
    assert "1 of 2 scenes failed" in ran.stderr
    assert (tmp_path / "out" / "scene.csv").is_file()
    assert (tmp_path / "out" / "bad.journal").read_text() == "my notes"


def test_several_scenes_stop_at_ctrl_c_and_the_finished_ones_stay(
    run: Run, tmp_path: Path, weights: Path, scene: Path, bright_blobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "first.tif"
    other.write_bytes(scene.read_bytes())
    predict = bright_blobs.predict

    def stop(chips: Any) -> Any:
        if len(bright_blobs.batches) > 2:
            raise KeyboardInterrupt
        return predict(chips)

    with monkeypatch.context() as patch:
        patch.setattr(bright_blobs, "predict", stop)
        ran = run("detect", other, scene, "--weights", weights, "--batch-size", 8)
    assert ran.exit_code == 130
    assert "8 of 12 windows of" in ran.stderr
    assert (tmp_path / "first_ships" / "first.csv").is_file()
    assert not (tmp_path / "first_ships" / "first.journal").exists()
    assert (tmp_path / "scene_ships" / "scene.journal").is_file()


def test_all_devices_share_a_scene(
    run: Run, tmp_path: Path, weights: Path, scene: Path, bright_blobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "detect", scene, "--weights", weights, "--batch-size", 1, "--no-quicklook", "--out"
    assert run(*words, tmp_path / "one").exit_code == 0
    devices: dict[str, Any] = {}

    def load(*_: object, device: str, **__: object) -> Any:
        return devices.setdefault(device, type(bright_blobs)())

    monkeypatch.setattr(predictor, "resolve_devices", lambda name: ["cuda:0", "cuda:1"] if name == "all" else [name])
    monkeypatch.setattr(predictor.TorchPredictor, "load", load)
    assert run(*words, tmp_path / "all", "--device", "all").exit_code == 0
    assert content(tmp_path / "all") == content(tmp_path / "one")
    assert {name: len(one.chips) > 0 for name, one in devices.items()} == {"cuda:0": True, "cuda:1": True}
    assert sum(len(one.chips) for one in devices.values()) == 12
