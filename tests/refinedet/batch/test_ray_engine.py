"""Workers on Ray: equal shares, one scene each, replaced when they die. The work here is no detection, but quick."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from refinedet.batch import ray_engine
from refinedet.batch.archive import SceneArchive, SceneArchiveOptions, Summary
from refinedet.batch.engine import Job, Report
from refinedet.batch.ray_engine import RayEngine, Share
from refinedet.batch.status import NAME, open_status
from refinedet.errors import InputError, MissingExtra, RefineDetError
from refinedet.system.concurrency import THREADS

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'refinedet[ray]'")
Do = Callable[[Job], Report]


@pytest.fixture(scope="module", autouse=True)
def session() -> Iterator[None]:
    """Ray on two cores, for all tests of this file."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import tests
    yield
    ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    ray.shutdown()


class Told:
    """Work that does what a test says, in another process."""

    def __init__(self, do: Do, start: Callable[[], Mapping[str, Any]] = dict) -> None:
        self._do, self._start = do, start

    def software(self) -> Mapping[str, Any]:
        """Equal software everywhere, unless a test says otherwise."""
        return {"code": os.environ.get("TEST_CODE", "1")}

    def start(self) -> Mapping[str, Any]:
        """Return what the test gave."""
        return self._start()

    def process(self, job: Job) -> Report:
        """Return what the test gave."""
        return self._do(job)


def run(folder: Path, work: Told, count: int, **options: Any) -> Summary:
    scenes = [folder / f"{number}.tif" for number in range(count)]
    with open_status(folder / NAME) as status:
        return SceneArchive(RayEngine(work), status, {}, SceneArchiveOptions(**options)).run(
            scenes, lambda _done, _all: None
        )


def test_scenes_are_spread_over_workers_that_have_a_core_each(tmp_path: Path) -> None:
    def process(job: Job) -> Report:
        (tmp_path / f"{os.getpid()}").write_text(f"{os.environ[THREADS]} {os.environ['OMP_NUM_THREADS']}")
        time.sleep(0.05)
        return Report("done", ships=job.attempt)

    found = run(tmp_path, Told(process), 12)
    assert (found.done, found.ships) == (12, 12)
    told = [path.read_text() for path in tmp_path.iterdir() if path.name != NAME]
    assert told == ["1 1", "1 1"]


def test_a_worker_killed_in_the_middle_of_a_scene_is_replaced_and_the_scene_tried_again(tmp_path: Path) -> None:
    def process(job: Job) -> Report:
        if job.scene.stem == "3" and job.attempt == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return Report("done", ships=job.attempt, worker=str(os.getpid()))

    found = run(tmp_path, Told(process), 6)
    assert (found.done, found.ships, found.failed) == (6, 7, {})


@pytest.mark.slow
def test_a_scene_that_kills_every_worker_fails_alone(tmp_path: Path) -> None:
    def process(job: Job) -> Report:
        if job.scene.stem == "0":
            os._exit(1)
        return Report("done")

    found = run(tmp_path, Told(process), 4, retries=1)
    assert found.done == 3
    ((scene, sentence),) = found.failed.items()
    assert scene.stem == "0"
    assert sentence.startswith(f"expected a worker to finish {scene}, but it died 2 times")


@pytest.mark.slow
def test_what_is_wrong_with_all_workers_is_one_sentence(tmp_path: Path) -> None:
    def refuse() -> Mapping[str, Any]:
        raise InputError("expected weights, found none")

    def die() -> Mapping[str, Any]:
        os._exit(1)

    with pytest.raises(RefineDetError, match=r"^expected weights, found none$"):
        run(tmp_path, Told(lambda _: Report("done"), refuse), 2)
    with pytest.raises(RefineDetError, match="found 3 that died at once"):
        run(tmp_path, Told(lambda _: Report("done"), die), 2)
    assert not (tmp_path / NAME).exists()


@pytest.mark.slow
def test_other_software_on_a_worker_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_CODE", "2")  # of this process: Ray was started before
    with pytest.raises(InputError, match=r"software\.code was 2, is 1"):
        run(tmp_path, Told(lambda _: Report("done")), 1)


@pytest.mark.parametrize(
    ("cpus", "gpus", "workers", "gpu", "wanted"),
    [
        (8, 0, None, True, Share(8, 1, 0)),
        (8, 0, 3, True, Share(3, 2, 0)),
        (2, 0, 4, False, Share(4, 0.5, 0)),
        (32, 4, None, True, Share(4, 8, 1)),
        (32, 4, None, False, Share(32, 1, 0)),
        (32, 4, 8, True, Share(8, 4, 0.5)),
    ],
)
def test_shares_are_equal(cpus: int, gpus: int, workers: int | None, gpu: bool, wanted: Share) -> None:
    assert Share.of({"CPU": cpus, "GPU": gpus}, workers, gpu=gpu) == wanted
    assert wanted.threads == max(1, int(wanted.cpus))


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(ray_engine, "import_module", missing)
    with pytest.raises(MissingExtra, match=r"pip install 'refinedet\[ray\]'"):
        run(tmp_path, Told(lambda _: Report("done")), 1)
