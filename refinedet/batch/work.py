"""Work on the scenes of an archive: the detector is loaded once, then each scene is processed."""

from __future__ import annotations

import logging
import os
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from refinedet.batch.engine import Job, Report, is_transient
from refinedet.batch.paths import archive_files, drop_undated
from refinedet.cloud.scene import Scene
from refinedet.config.options.settings import DetectSettings
from refinedet.detection.detector import Detector
from refinedet.detection.finder import ShipFinder
from refinedet.detection.outcome import DetectionRun
from refinedet.errors import RefineDetError

_LOGGER = logging.getLogger(__name__)
_PAUSE_S, _PAUSE_MAX_S = 1.0, 30.0
"""Pause in seconds before another attempt, so that errors can pass: for each attempt made, and at most."""


class ArchiveWork:
    """Work that finds the ships of scenes with one set of settings. It may be created here and started elsewhere."""

    def __init__(self, settings: DetectSettings, folder: Path) -> None:
        """Take settings with absolute paths, and the absolute folder for the results of the archive."""
        self._settings, self._folder = settings, folder
        self._detector: Detector | None = None

    def software(self) -> dict[str, Any]:
        """Code and packages that may affect a result."""
        from refinedet.scene.identity import software

        return software()

    def start(self) -> dict[str, Any]:
        """Load the detector, once, and return the identity that all scenes share.

        Raises:
            RefineDetError: as `Detector.load`.
        """
        return ShipFinder(self._loaded(), self._settings).identity.to_dict()

    def process(self, job: Job) -> Report:
        """Find the ships of one scene and write its files; errors are in the report."""
        began, worker = time.perf_counter(), f"{socket.gethostname()} {os.getpid()}"
        time.sleep(min(_PAUSE_S * (job.attempt - 1), _PAUSE_MAX_S))
        try:
            run = self._run(job)
        except Exception as error:  # one scene of thousands must not stop the others
            _LOGGER.debug("%s failed", job.scene, exc_info=True)
            seconds = time.perf_counter() - began
            return Report(
                "failed", seconds=seconds, error=_reason(error, job.scene), transient=is_transient(error), worker=worker
            )
        return Report(
            "skipped" if run.skipped else "done",
            ships=run.ships,
            seconds=run.seconds,
            files=tuple(run.files.values()),
            notes=run.notes,
            worker=worker,
        )

    def _run(self, job: Job) -> DetectionRun:
        output = replace(
            self._settings.output,
            overwrite=job.replaces,
            skip_existing=not job.replaces,  # a scene may be finished although the status does not know it
            restart=self._settings.output.restart and job.attempt == 1,
        )
        files = archive_files(job.scene, output, self._folder, ais=self._settings.ais.ais is not None)
        run = ShipFinder(self._loaded(), replace(self._settings, output=output)).find(job.scene, files)
        if job.replaces:
            drop_undated(job.scene, self._folder)
        return run

    def _loaded(self) -> Detector:
        if self._detector is None:
            self._detector = Detector.of(self._settings.detector)
        return self._detector


def _reason(error: Exception, scene: Scene) -> str:
    if isinstance(error, RefineDetError):
        return " ".join(str(error).split())
    said = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(error, MemoryError) or "out of memory" in said.lower():
        return f"expected memory enough for {scene}, found too little ({said}); take fewer `workers` or `batch_size` 1"
    return f"expected to find ships in {scene}, but a bug is in the way ({said}); run it alone and report the traceback"
