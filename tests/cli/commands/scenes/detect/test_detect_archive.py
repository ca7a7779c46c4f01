"""refinedet detect over an archive, in this process and on Ray: equal results, whatever is killed on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

from refinedet import raster
from tests.cli.conftest import sentences

ROOT = Path(__file__).resolve().parents[5]
NAME = "s1a-iw-grd-vv-202301{day:02}t170605-202301{day:02}t170630-046551-059438-001.tiff"
SCENES = 18
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of SCENES scenes of two days, none like another."""
    folder = tmp_path_factory.mktemp("archive")
    for number in range(SCENES):
        rng = np.random.default_rng(number)
        pixels = rng.integers(90, 110, (220, 300)).astype(np.uint16)
        for x, y in zip(rng.integers(0, 280, 12), rng.integers(0, 210, 12), strict=True):
            pixels[y : y + 6, x : x + 15] = 1000
        name = NAME.format(day=1 + number % 2).replace("-001.", f"-{number:03}.")
        raster.write_scene(folder / name, pixels, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5.3e6))
    return folder


@pytest.fixture(scope="module")
def words(scenes: Path, tiny_network: Path) -> list[str]:
    """The command line without its engine and its folder."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'refinedet[ray]'")
    settings = ["--device", "cpu", "--score-min", "0.0202", "--tile-px", "64", "--batch-size", "1"]
    settings += ["--prescreen", "off"]  # enough work to be stopped in
    return ["detect", f"{scenes}/*.tiff", "--weights", str(tiny_network), *settings, "--land-mask", "off", "--json"]


@pytest.fixture(scope="module")
def local(words: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the local engine makes of the scenes, by the real program."""
    out = tmp_path_factory.mktemp("local") / "out"
    process = start(words, out, "--archive")
    told, said = process.communicate(timeout=120)
    assert (process.returncode, said) == (0, "")
    summary = json.loads(told)
    assert (summary["scenes"], summary["done"], summary["failed"]) == (SCENES, SCENES, [])
    assert summary["ships"] > SCENES
    return out


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    """Ray on two cores; calls in this process use it, as they would a cluster."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'refinedet[ray]'")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield ray
    ray.shutdown()


def start(words: list[str], out: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cli.app", *words, "--out", str(out), *more],
        cwd=out.parent,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def data_set(out: Path) -> dict[str, bytes]:
    """Bytes of the files, of the data set and by name; unlike records they hold no time."""
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*.parquet"))}


def lines(out: Path) -> list[dict[str, Any]]:
    """Of the status file, whole ones, without the first."""
    path = out / "archive.jsonl"
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True)[1:] if line.endswith("\n")]


def wait_for(out: Path, count: int) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 100
    while len(lines(out)) < count and time.monotonic() < deadline:
        time.sleep(0.005)
    return lines(out)


def kill_worker(line: dict[str, Any]) -> int:
    process = int(line["worker"].split()[-1])
    os.kill(process, signal.SIGKILL)
    return process


def stopped(words: list[str], out: Path, *more: str) -> int:
    """Run a program of two workers, kill one of them, and stop all by Ctrl-C; returns the scenes that are finished."""
    process = start(words, out, *more, "--workers", "2")
    kill_worker(wait_for(out, 1)[0])
    wait_for(out, 2)
    process.send_signal(signal.SIGINT)
    told, said = process.communicate(timeout=60)
    before = len(lines(out))
    assert (process.returncode, told) == (130, "")
    sentence = "refinedet: interrupted; {} of {} scenes are finished: run the same again to go on\n"
    assert said in {sentence.format(before - late, SCENES) for late in range(3)}  # of two workers, just being counted
    return before


def _names(value: Any) -> list[str]:
    """Keys of a JSON value, and of all within."""
    return [name for key, inner in value.items() for name in (key, *_names(inner))] if isinstance(value, dict) else []


def test_the_local_engine_leaves_one_table_a_status_and_the_records(local: Path, scenes: Path) -> None:
    import pyarrow.dataset

    table = pyarrow.dataset.dataset(local / "dataset", partitioning="hive").to_table()
    names = {path.name for path in scenes.iterdir()}
    assert set(table["scene"].to_pylist()) == names
    assert set(table["date"].to_pylist()) == {"2023-01-01", "2023-01-02"}
    assert {Path(line["scene"]).name for line in lines(local)} == names
    assert all((local / file).is_file() for line in lines(local) for file in line["files"])
    kinds = {path.suffix for path in local.rglob("*") if path.is_file()}
    assert kinds == {".parquet", ".json", ".jsonl"}
    head = json.loads((local / "archive.jsonl").read_text().splitlines()[0])
    assert {"prescreen", "ship_m", "runtime"} <= set(_names(head)), "what defaults came to"


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_does_not_show_in_the_results(
    run: Run, session: Any, words: list[str], local: Path, tmp_path: Path
) -> None:
    out, killed = tmp_path / "out", []
    killer = threading.Thread(target=lambda: killed.append(kill_worker(wait_for(out, 1)[0])))
    killer.start()
    ran = run(*words, "--engine", "ray", "--out", out)
    killer.join()
    assert ran.exit_code == 0, ran.output
    summary = json.loads(ran.stdout)
    assert (summary["done"], summary["failed"]) == (SCENES, [])
    assert session.is_initialized()  # it was not started by the command
    assert max(line["attempts"] for line in lines(out)) == 2
    assert len({line["worker"] for line in lines(out)}) > 1  # the third may come when all is done
    assert data_set(out) == data_set(local)


@pytest.mark.usefixtures("session")
@pytest.mark.slow
def test_stopped_and_started_again_it_does_the_rest_and_ray_is_not_heard(
    run: Run, words: list[str], local: Path, tmp_path: Path
) -> None:
    """A program of its own, with Ray of its own, loses a worker, and is stopped by Ctrl-C in the middle."""
    out = tmp_path / "out"
    before = stopped(words, out, "--engine", "ray")
    assert 2 <= before < SCENES
    ran = run(*words, "--engine", "ray", "--out", out)
    assert ran.exit_code == 0, ran.output
    summary = json.loads(ran.stdout)
    assert (summary["done"] + summary["as_before"], summary["ships"]) == (SCENES, sum(x["ships"] for x in lines(local)))
    assert summary["as_before"] >= before
    assert data_set(out) == data_set(local)
    assert list(out.rglob("*.journal")) == []


@pytest.mark.slow
def test_processes_of_this_machine_leave_what_one_leaves_also_stopped_in_the_middle(
    run: Run, words: list[str], local: Path, tmp_path: Path
) -> None:
    """One of two processes is killed, then all are stopped by Ctrl-C, and started again."""
    out = tmp_path / "out"
    stopped(words, out, "--archive")
    ran = run(*words, "--archive", "--workers", 2, "--out", out)
    assert ran.exit_code == 0, ran.output
    summary = json.loads(ran.stdout)
    assert (summary["done"] + summary["as_before"], summary["failed"]) == (SCENES, [])
    assert data_set(out) == data_set(local)
    assert list(out.rglob("*.journal")) == []
    assert [path for path in out.rglob(".*") if path.is_file()] == []


@pytest.mark.usefixtures("session")
def test_a_damaged_scene_fails_once_and_is_named_at_the_end(
    run: Run, words: list[str], scenes: Path, tmp_path: Path
) -> None:
    good = next(scenes.iterdir())
    (tmp_path / "bad.tif").write_bytes(good.read_bytes()[:3000])
    (tmp_path / "list.txt").write_text(f"# two scenes\nbad.tif\n{good}\n")
    out = tmp_path / "out"
    settings = words[2:]
    ran = run("detect", "--manifest", tmp_path / "list.txt", *settings[:-1], "--engine", "ray", "--out", out)
    assert ran.exit_code == 1
    _, first, last = sentences(ran)  # the good scene has its time by its name
    assert first.startswith("refinedet: expected")
    assert "bad.tif" in first
    assert last == f"refinedet: 1 of 2 scenes failed; {out}/archive.jsonl names each"
    states = {Path(line["scene"]).name: (line["state"], line["attempts"]) for line in lines(out)}
    assert states == {"bad.tif": ("failed", 1), good.name: ("done", 1)}
    assert "dataset" in ran.stdout


def test_results_without_a_status_are_verified_rather_than_made_again(
    run: Run, weights: Path, scene: Path, tmp_path: Path
) -> None:
    words = ("detect", scene, "--weights", weights, "--archive", "--out", tmp_path / "out", "--json")
    assert json.loads(run(*words).stdout)["done"] == 1
    (tmp_path / "out" / "archive.jsonl").unlink()
    found = json.loads(run(*words).stdout)
    assert (found["done"], found["as_before"], found["ships"]) == (0, 1, 2)
    assert lines(tmp_path / "out")[0]["state"] == "skipped"
    refused = run(*words, "--score-min", 0.7)
    assert refused.exit_code == 1
    assert "(score_min was 0.5, is 0.7)" in refused.stderr


def test_workers_are_told_where_a_scene_lies_from_the_root(run: Run, weights: Path, tmp_path: Path) -> None:
    ran = run("detect", "missing.tif", "--weights", weights, "--archive", "--out", "out")
    assert ran.exit_code == 1
    assert f"{tmp_path}/missing.tif" in " ".join(ran.stderr.split())


def test_an_archive_has_the_formats_and_pictures_that_are_asked_for(
    run: Run, weights: Path, scene: Path, tmp_path: Path
) -> None:
    words = ("detect", scene, "--weights", weights, "--archive", "--out", tmp_path / "out")
    ran = run(*words, "--format", "csv", "--quicklook")
    assert ran.exit_code == 0, ran.output
    files = sorted(path.name for path in (tmp_path / "out" / "scenes" / "unknown").iterdir())
    assert files == ["scene.csv", "scene.png", "scene.run.json"]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        pytest.param(["--archive"], "expected --out for the results of an archive", id="no folder"),
        pytest.param(["--address", "a:1"], "setting --address: expected none without --engine ray", id="address alone"),
        pytest.param(["--engine", "ray", "--out", "o", "--device", "cuda:1"], "expected --device auto", id="a device"),
        pytest.param(["--manifest", "missing.txt", "--out", "o"], "expected a manifest at", id="no manifest"),
    ],
)
def test_options_that_do_not_go_together_are_one_sentence(
    run: Run, weights: Path, scene: Path, more: list[Any], sentence: str
) -> None:
    ran = run("detect", scene, "--weights", weights, *more)
    assert ran.exit_code == 1
    assert " ".join(ran.stderr.split()).startswith(f"refinedet: {sentence}")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere"])
def test_a_cluster_that_is_not_there_is_one_sentence_and_leaves_nothing(
    words: list[str], tmp_path: Path, address: str
) -> None:
    process = start(words, tmp_path / "out", "--engine", "ray", "--address", address)
    told, said = process.communicate(timeout=60)
    assert (process.returncode, told) == (1, "")
    assert said.startswith(f"refinedet: expected Ray at {address}, but it cannot be used")
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_scenes_of_one_name_or_among_the_results_are_refused(
    run: Run, weights: Path, scene: Path, tmp_path: Path
) -> None:
    inside = tmp_path / "out" / "scenes" / "a.tif"
    other = tmp_path / "other" / scene.name
    for path in (inside, other):
        path.parent.mkdir(parents=True)
        path.write_bytes(scene.read_bytes())
    words = ("detect", "--weights", weights, "--archive", "--out", tmp_path / "out")
    assert "lies among them" in " ".join(run(*words, inside).stderr.split())
    assert "different names" in run(*words, scene, other).stderr
