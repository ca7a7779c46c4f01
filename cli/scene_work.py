"""One scene of `refinedet detect`: find its ships, write its files. The same for every engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.detect_options import DetectOptions
from cli.outcomes import Outcome
from cli.predictors import Team
from cli.scene_paths import finished, journal_path
from cli.writing import load_writers, settings_of, write_ships
from refinedet.errors import FileError, RefineDetError
from refinedet.files import read_json

if TYPE_CHECKING:
    from refinedet.scene.journal import Journal
    from refinedet.scene.result import SceneResult


@dataclass(frozen=True, slots=True)
class SceneWork:
    """What scenes are worked on with."""

    workers: Team
    options: DetectOptions

    def detect(self, outcome: Outcome, paths: dict[str, Path], show: Callable[[int, int], None]) -> None:
        """Detect, write, and note what came of it; `show` is told how many windows are done.

        Raises:
            RefineDetError: the scene or its results are not what they should be.
            KeyboardInterrupt: with one sentence that says how to go on.
        """
        from refinedet.scene.journal import Journal

        if finished(outcome.scene, paths, self.options):
            outcome.skip(self._same_record(outcome.scene, paths["record"]))
            outcome.files = [str(path) for path in paths.values()]
            return
        began = time.perf_counter()
        journal = Journal(journal_path(outcome.scene, paths), self.workers.made_by, restart=self.options.restart)
        try:
            result = self._found(outcome, paths, journal, show)
            write_ships(outcome.scene, result, paths, self.options.scene_choice())
            self._write_record(result, paths["record"], began)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_how_to_go_on(outcome, journal)) from None
        except OSError as error:
            if isinstance(error, RefineDetError):
                raise
            raise FileError(f"expected to read and write files, but that failed ({error}); is there room?") from error
        journal.discard()
        outcome.take(result)
        outcome.files = [str(path) for path in paths.values()]
        outcome.seconds = time.perf_counter() - began

    def _found(
        self, outcome: Outcome, paths: dict[str, Path], journal: Journal, show: Callable[[int, int], None]
    ) -> SceneResult:
        from refinedet.scene.detect import WINDOWS_TOGETHER, detect_scene

        def note(done: int, total: int) -> None:
            if not outcome.windows:  # the first call
                outcome.windows, outcome.windows_kept = total, done
            outcome.windows_done = done
            show(done, total)

        with ThreadPoolExecutor(1, thread_name_prefix="writers") as beside:
            beside.submit(load_writers, paths)  # and waited for: no process should end amid an import
            return detect_scene(
                outcome.scene,
                self.workers.predictors,
                choice=replace(
                    self.options.scene_choice(), prescreen=self.workers.prescreen, ship_m=self.workers.ship_m
                ),
                land=self.options.land_choice(),
                tile=self.workers.tile,
                score_min=self.options.score_min,
                batch_size=self.options.batch_size or WINDOWS_TOGETHER,
                progress=note,
                journal=journal,
            )

    def _settings(self) -> dict[str, Any]:
        radiometry = self.workers.predictors[0].radiometry
        return settings_of(self.options, self.workers.tile, radiometry) | self.workers.ran_by

    def _same_record(self, scene: Path, path: Path) -> dict[str, Any]:
        """The record of the run that left the results of a scene.

        Raises:
            FileError: it was another run, or cannot be read.
        """
        from refinedet.scene.identity import scene_sha256
        from refinedet.scene.output.record import differences

        record: dict[str, Any] = read_json(path)
        found = differences(
            record,
            scene_sha256=scene_sha256(scene, self.options.polarisation),
            weights=self.workers.weights,
            settings=self._settings(),
        )
        if found:
            raise FileError(
                f"expected the results beside {path} to be what this call would find, but {', '.join(found[:3])} "
                "differ; name another --out, or replace them with --overwrite"
            )
        return record

    def _write_record(self, result: SceneResult, path: Path, began: float) -> None:
        from refinedet.scene.output.record import run_record, write_record
        from refinedet.scene.output.writers import writing

        record = run_record(
            result,
            scene_sha256=result.sha256,
            weights=self.workers.weights,
            settings=self._settings(),
            device=", ".join(self.workers.devices),
            seconds=time.perf_counter() - began,
        )
        with writing(path):
            write_record(path, record)


def _how_to_go_on(outcome: Outcome, journal: Journal) -> str:
    """One sentence for who has stopped a run; empty where there is nothing to go on from."""
    if not journal.path.exists():
        return ""
    return (
        f"interrupted; {outcome.windows_done} of {outcome.windows} windows of {outcome.scene} are kept in "
        f"{journal.path}: run the same again to go on"
    )
