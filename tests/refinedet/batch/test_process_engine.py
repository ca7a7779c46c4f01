"""Processes of this machine: one scene each, replaced when they die. The work here is no detection, but quick."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from refinedet.batch.archive import SceneArchive, SceneArchiveOptions, Summary
from refinedet.batch.engine import Job, Report
from refinedet.batch.process_engine import ProcessEngine
from refinedet.batch.status import NAME, open_status
from refinedet.errors import InputError, RefineDetError
from refinedet.system.concurrency import THREADS


@dataclass(frozen=True)
class Quick:
    """Work that fails as it is told to."""

    folder: Path
    refuses: bool = False
    dies: str = ""
    """Scene that kills its process."""
    attempts: int = 1
    """Attempts at which it does."""
    slow_s: float = 0.0

    def software(self) -> Mapping[str, Any]:
        """No software."""
        return {}

    def start(self) -> Mapping[str, Any]:
        """Return an identity, refuse, or die."""
        if self.refuses:
            raise InputError("expected weights, found none")
        if self.dies == "start":
            os._exit(1)
        return {"of": "all"}

    def process(self, job: Job) -> Report:
        """Leave a file of this process's number."""
        if job.scene.name == f"{self.dies}.tif" and job.attempt <= self.attempts:
            os._exit(1)
        try:
            time.sleep(self.slow_s)
        except KeyboardInterrupt:
            (self.folder / "interrupted").touch()
            raise
        (self.folder / f"{os.getpid()}").write_text(os.environ[THREADS])
        time.sleep(0.05)
        return Report("done", ships=job.attempt)


def run(work: Quick, count: int, **options: Any) -> Summary:
    scenes = [work.folder / f"{number}.tif" for number in range(count)]
    with open_status(work.folder / NAME) as status:
        archive = SceneArchive(ProcessEngine(work, 2), status, {}, SceneArchiveOptions(**options))
        return archive.run(scenes, lambda _done, _all: None)


def test_scenes_are_spread_over_processes_that_share_the_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(THREADS, "2")
    found = run(Quick(tmp_path), 12)
    assert (found.done, found.ships) == (12, 12)
    told = [path.read_text() for path in tmp_path.iterdir() if path.name != NAME]
    assert told == ["1", "1"]


def test_a_process_that_dies_is_replaced_and_its_scene_tried_again(tmp_path: Path) -> None:
    found = run(Quick(tmp_path, dies="3"), 6)
    assert (found.done, found.ships, found.failed) == (6, 7, {})


def test_a_scene_that_kills_every_process_fails_alone(tmp_path: Path) -> None:
    found = run(Quick(tmp_path, dies="0", attempts=9), 4, retries=1)
    assert found.done == 3
    ((scene, sentence),) = found.failed.items()
    assert scene.stem == "0"
    assert sentence.startswith(f"expected a process to finish {scene}, but it died 2 times")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_process_that_dies_between_scenes_is_replaced(tmp_path: Path) -> None:
    with ProcessEngine(Quick(tmp_path), 1) as engine:
        engine.submit(Job(tmp_path / "0.tif"))
        assert engine.wait()[1].state == "done"
        (number,) = (int(path.name) for path in tmp_path.iterdir())
        os.kill(number, signal.SIGKILL)
        time.sleep(0.5)  # until it is noticed
        engine.submit(Job(tmp_path / "1.tif"))
        assert engine.wait()[1].state == "done"
    assert len(list(tmp_path.iterdir())) == 2


def test_what_is_wrong_with_all_processes_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RefineDetError, match=r"^expected weights, found none$"):
        run(Quick(tmp_path, refuses=True), 2)
    with pytest.raises(RefineDetError, match="expected 2 processes that start, but one of them died"):
        run(Quick(tmp_path, dies="start"), 2)
    assert not (tmp_path / NAME).exists()


def test_an_interruption_stops_scenes_in_work(tmp_path: Path) -> None:
    began = time.monotonic()
    engine = ProcessEngine(Quick(tmp_path, slow_s=50), 1)
    with pytest.raises(KeyboardInterrupt), engine:
        engine.submit(Job(tmp_path / "0.tif"))
        assert not engine.has_idle_worker
        time.sleep(1)
        signal.raise_signal(signal.SIGINT)
    assert time.monotonic() - began < 40
    assert (tmp_path / "interrupted").exists()
