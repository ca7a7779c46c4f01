"""The work on one scene of an archive, as an engine hands it out: loaded once, used for many scenes."""

from __future__ import annotations

import logging
import os
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.detect_options import DetectOptions
from cli.outcomes import Outcome
from cli.scene_paths import refuse_existing, scene_paths
from refinedet.batch.engine import Job, Report, passes
from refinedet.errors import RefineDetError

if TYPE_CHECKING:
    from cli.predictors import Team

_LOGGER = logging.getLogger("refinedet.archive")
_PAUSE_S, _PAUSE_MAX_S = 1.0, 30.0
"""Before another attempt: what failed for no fault of the scene's may need a moment."""


class ArchiveWork:
    """Finds the ships of scenes by one set of options. Made anywhere, started where it works."""

    def __init__(self, options: DetectOptions) -> None:
        """Paths in the options are absolute, and no scenes are named."""
        self._options = options
        self._team: Team | None = None

    def software(self) -> dict[str, Any]:
        """Code and packages that may show in a result."""
        from refinedet.scene.identity import software

        return software()

    def start(self) -> dict[str, Any]:
        """Load the detector, once; what decides its detections.

        Raises:
            RefineDetError: as `predictors.team`.
        """
        loaded = self._loaded()
        return {**loaded.made_by, **loaded.ran_by}

    def do(self, job: Job) -> Report:
        """Find the ships of one scene and write its files; errors are in the report."""
        began, worker = time.perf_counter(), f"{socket.gethostname()} {os.getpid()}"
        time.sleep(min(_PAUSE_S * (job.attempt - 1), _PAUSE_MAX_S))
        outcome = Outcome(job.scene)
        try:
            self._detect(outcome, job)
        except Exception as error:  # one scene of thousands must not stop the others
            _LOGGER.debug("%s failed", job.scene, exc_info=True)
            seconds = time.perf_counter() - began
            return Report(
                "failed", seconds=seconds, error=_told(error, job.scene), passing=passes(error), worker=worker
            )
        return Report(
            "skipped" if outcome.skipped else "done",
            ships=outcome.ships,
            seconds=outcome.seconds,
            files=tuple(map(Path, outcome.files)),
            notes=tuple(outcome.notes),
            worker=worker,
        )

    def _detect(self, outcome: Outcome, job: Job) -> None:
        from cli.scene_work import SceneWork

        options = replace(
            self._options,
            overwrite=job.replaces,
            skip_existing=True,  # what the status does not know may be there all the same
            restart=self._options.restart and job.attempt == 1,
        )
        paths = scene_paths(job.scene, options)
        refuse_existing(job.scene, paths, options)
        SceneWork(self._loaded(), options).detect(outcome, paths, _silent)

    def _loaded(self) -> Team:
        if self._team is None:
            from cli.predictors import team

            self._team = team(self._options)
        return self._team


def _told(error: Exception, scene: Path) -> str:
    if isinstance(error, RefineDetError):
        return " ".join(str(error).split())
    said = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(error, MemoryError) or "out of memory" in said.lower():
        return f"expected memory enough for {scene}, found too little ({said}); take fewer --workers or --batch-size 1"
    return (
        f"expected to find ships in {scene}, but a bug is in the way ({said}); run it alone with --debug to report it"
    )


def _silent(done: int, total: int) -> None:
    """The windows of a scene that one of many workers is at."""
