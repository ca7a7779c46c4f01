"""Run over many scenes: hands scenes to an engine, retries transient failures, and records the status of each."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from refinedet.batch.engine import Engine, Job, Report
from refinedet.batch.paths import named_alike
from refinedet.batch.settings import RETRIES
from refinedet.batch.status import SceneArchiveStatus
from refinedet.cloud.scene import Scene
from refinedet.detection.notes import SceneNotes

Progress = Callable[[int, int], None]
"""Called with (scenes finished, scenes in all)."""

_LOGGER = logging.getLogger(__name__)


@dataclass(slots=True)
class Summary:
    """Totals of an archive over all runs on it."""

    scenes: int
    done: int = 0
    as_before: int = 0
    """Number of scenes that an earlier run finished."""
    ships: int = 0
    seconds: float = 0.0
    failed: dict[Scene, str] = field(default_factory=dict)
    """Scene -> reason of the failure, in one sentence."""
    notes: SceneNotes = field(default_factory=SceneNotes)
    """Facts that the user should know."""

    def take(self, job: Job, report: Report) -> None:
        """Count the final report of a scene."""
        if report.state == "failed":
            self.failed[job.scene] = report.error or "no reason was told"
            return
        self.done += report.state == "done"
        self.as_before += report.state == "skipped"
        self.ships += report.ships
        self.notes.add(job.scene.name, report.notes)


@dataclass(frozen=True, slots=True)
class SceneArchiveOptions:
    """Options of one run over an archive."""

    retries: int = RETRIES
    """Further attempts at a scene after a transient failure."""
    overwrite: bool = False
    """Start again, and replace the results of earlier runs."""


class SceneArchive:
    """Run over the scenes of an archive."""

    def __init__(
        self, engine: Engine, status: SceneArchiveStatus, asked: Mapping[str, Any], options: SceneArchiveOptions
    ) -> None:
        """Take the parts of a run; nothing is started yet.

        Args:
            engine: an engine that is not started; `run` starts it only if a scene is left.
            status: status of the folder of results.
            asked: settings asked for, as JSON values. With the workers' identity they decide the results.
            options: retries and overwriting.
        """
        self._engine, self._status = engine, status
        self._asked, self._options = {"asked": asked}, options
        self._waiting: deque[Job] = deque()
        self._working = 0
        self._summary = Summary(0)
        self._progress: Progress

    def run(self, scenes: Sequence[Scene], progress: Progress) -> Summary:
        """Process all scenes that are not finished; each scene is named once.

        Of scenes with the same name, whose results would replace one another, one is processed: a finished one, or the
        first. The others fail.

        Raises:
            RefineDetError: no worker can be started, the status cannot be written, or the results in its folder come
                from other settings or code.
            KeyboardInterrupt: with one sentence that says how to go on.
        """
        began, self._summary, self._progress = time.perf_counter(), Summary(len(scenes)), progress
        if not self._options.overwrite:
            self._status.check(self._asked)
        alike = named_alike(sorted(scenes, key=lambda scene: self._status.finished(scene) is None))
        self._plan([scene for scene in scenes if scene not in alike])
        self._report_progress()
        try:
            if self._waiting:
                with self._engine:
                    self._work_off()
            for scene, error in alike.items():
                self._end(Job(scene), Report("failed", error=str(error)))
        except KeyboardInterrupt:
            again = "the same again without `overwrite`" if self._options.overwrite else "the same again"
            finished = self._summary.done + self._summary.as_before
            raise KeyboardInterrupt(
                f"interrupted; {finished} of {self._summary.scenes} scenes are finished: run {again} to go on"
            ) from None
        self._summary.seconds = time.perf_counter() - began
        return self._summary

    def _plan(self, scenes: Sequence[Scene]) -> None:
        overwrite = self._options.overwrite
        for scene in scenes:
            before = self._status.finished(scene)
            if before is None or overwrite:
                self._waiting.append(Job(scene, replaces=overwrite or self._status.replaces))
            elif self._status.files_exist(before):
                self._summary.as_before += 1
                self._summary.ships += before.ships
            else:  # the remaining files are from this archive
                self._waiting.append(Job(scene, replaces=True))

    def _work_off(self) -> None:
        begun = False
        while self._waiting or self._working:
            if self._engine.identity is not None and not begun:
                run = {**self._asked, "identity": self._engine.identity}
                self._status.begin(run, replaces=self._options.overwrite)
                begun = True
            while self._waiting and self._engine.has_idle_worker:
                self._engine.submit(self._waiting.popleft())
                self._working += 1
            answer = self._engine.wait()
            if answer is not None:
                self._working -= 1
                self._end(*answer)

    def _end(self, job: Job, report: Report) -> None:
        """Submit a scene again, or write its final report to the status."""
        if report.error and report.transient and job.attempt <= self._options.retries:
            _LOGGER.info("%s, attempt %d: %s", job.scene, job.attempt, report.error)
            self._waiting.append(job.again())
            return
        self._status.add(job, report)
        self._summary.take(job, report)
        self._report_progress()

    def _report_progress(self) -> None:
        summary = self._summary
        self._progress(summary.done + summary.as_before + len(summary.failed), summary.scenes)
