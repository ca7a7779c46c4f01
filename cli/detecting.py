"""`refinedet detect`: many scenes, the same predictors; a scene that fails does not stop the others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cli.console import err
from cli.detect_options import DetectOptions
from cli.outcomes import Outcome
from cli.predictors import Team, team
from cli.writing import settings_of, write_ships
from refinedet.errors import FileError, InputError, RefineDetError
from refinedet.files import read_json

if TYPE_CHECKING:
    from refinedet.scene.journal import Journal
    from refinedet.scene.result import SceneResult


def detect_scenes(options: DetectOptions, *, debug: bool) -> list[Outcome]:
    """Detect in every scene; existing results are refused before any of the work.

    Raises:
        RefineDetError: the weights cannot be used, or two scenes would write the same files. With `debug`, also the
            first error of a scene.
    """
    paths = _planned(options)
    outcomes = [_refused(scene, paths[scene], options, debug=debug) for scene in options.scenes]
    todo = [outcome for outcome in outcomes if outcome.error is None]
    if not todo:
        return outcomes
    workers = team(options)
    with _progress() as progress:
        run = _Run(workers, options, progress)
        for outcome in todo:
            try:
                run.detect(outcome, paths[outcome.scene])
            except RefineDetError as error:
                if debug:
                    raise
                outcome.error = str(error)
    return outcomes


def _planned(options: DetectOptions) -> dict[Path, dict[str, Path]]:
    from refinedet.scene.outputs import Format, result_paths

    formats = cast("list[Format]", options.formats)
    views = {"quicklook": options.quicklook, "web_map": options.web_map, "record": True}
    planned = {scene: result_paths(scene, options.out, formats, **views) for scene in options.scenes}
    sources = {scene.resolve() for scene in options.scenes}
    taken: dict[Path, Path] = {}
    for scene, paths in planned.items():
        for path in paths.values():
            if path.resolve() in sources:
                raise InputError(f"expected results apart from the scenes, but {path} is a scene; name another --out")
            if path in taken:
                raise InputError(
                    f"expected scenes with different names, found {taken[path]} and {scene}, "
                    f"whose results would both be {path}; run them with different --out"
                )
            taken[path] = scene
    return planned


def _refused(scene: Path, paths: dict[str, Path], options: DetectOptions, *, debug: bool) -> Outcome:
    from refinedet.scene.outputs import check_writable

    # a journal: these results are half of those of an interrupted run, which was free to write them
    overwrite = options.overwrite or _journal_path(scene, paths).exists() or _finished(scene, paths, options)
    try:
        check_writable(paths, overwrite=overwrite)
    except FileError as error:
        if debug:
            raise
        return Outcome(scene, error=str(error))
    return Outcome(scene)


def _finished(scene: Path, paths: dict[str, Path], options: DetectOptions) -> bool:
    """Whether an earlier run has left all results of a scene, which need not be made again."""
    whole = all(path.is_file() for path in paths.values()) and not _journal_path(scene, paths).exists()
    return options.skip_existing and not options.overwrite and whole


def _journal_path(scene: Path, paths: dict[str, Path]) -> Path:
    """Where finished windows are kept until the results are written: beside them."""
    return next(iter(paths.values())).with_name(f"{scene.stem}.journal")


@contextmanager
def _progress() -> Iterator[Progress]:
    """Bars with the time left on stderr; silent where that is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("windows"))
    with Progress(
        *columns, TimeRemainingColumn(), console=err, transient=True, disable=not err.is_terminal
    ) as progress:
        yield progress


@dataclass(frozen=True, slots=True)
class _Run:
    workers: Team
    options: DetectOptions
    progress: Progress

    def detect(self, outcome: Outcome, paths: dict[str, Path]) -> None:
        """One scene: detect, write, and note what came of it."""
        from refinedet.scene.journal import Journal

        if _finished(outcome.scene, paths, self.options):
            outcome.skip(self._same_record(outcome.scene, paths["record"]))
            outcome.files = [str(path) for path in paths.values()]
            return
        began = time.perf_counter()
        journal = Journal(_journal_path(outcome.scene, paths), self.workers.made_by, restart=self.options.restart)
        task = self.progress.add_task(outcome.scene.name, total=None)
        try:
            result = self._found(outcome, journal, task)
            write_ships(outcome.scene, result, paths, self.options.scene_choice())
            self._write_record(result, paths["record"], began)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_how_to_go_on(outcome, journal)) from None
        except OSError as error:
            if isinstance(error, RefineDetError):
                raise
            raise FileError(f"expected to read and write files, but that failed ({error}); is there room?") from error
        finally:
            self.progress.remove_task(task)
        journal.discard()
        outcome.take(result)
        outcome.files = [str(path) for path in paths.values()]
        outcome.seconds = time.perf_counter() - began

    def _found(self, outcome: Outcome, journal: Journal, task: TaskID) -> SceneResult:
        from refinedet.scene.detect import WINDOWS_TOGETHER, detect_scene

        def show(done: int, total: int) -> None:
            if not outcome.windows:  # the first call
                outcome.windows, outcome.windows_kept = total, done
            outcome.windows_done = done
            self.progress.update(task, completed=done, total=total)

        return detect_scene(
            outcome.scene,
            self.workers.predictors,
            choice=replace(self.options.scene_choice(), prescreen=self.workers.prescreen),
            land=self.options.land_choice(),
            tile=self.workers.tile,
            score_min=self.options.score_min,
            batch_size=self.options.batch_size or WINDOWS_TOGETHER,
            progress=show,
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
        from refinedet.scene.record import differences

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
        from refinedet.scene.outputs import writing
        from refinedet.scene.record import run_record, write_record

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
