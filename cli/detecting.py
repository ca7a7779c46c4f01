"""`refinedet detect`: many scenes, the same predictors; a scene that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cli.console import err, print_json
from cli.detect_options import DetectOptions
from cli.outcomes import Outcome, print_summary
from cli.predictors import team
from cli.scene_paths import planned, refuse_existing
from cli.scene_work import SceneWork
from refinedet.errors import FileError, RefineDetError


def run_detect(given: dict[str, Any], *, json: bool, debug: bool) -> bool:
    """Detect as the parameters of the command say, and print what came of it; whether all of it went well.

    Raises:
        RefineDetError: as `detect_scenes` and `archiving.detect_archive`.
    """
    options = DetectOptions.taken(given)
    if options.archive is not None:
        from cli.archiving import detect_archive

        return detect_archive(options, options.archive, json=json)
    outcomes = detect_scenes(options, debug=debug)
    if json:
        print_json({"scenes": [one.to_dict() for one in outcomes], "ships": sum(one.ships for one in outcomes)})
    else:
        print_summary(outcomes)
    return all(one.error is None for one in outcomes)


def detect_scenes(options: DetectOptions, *, debug: bool) -> list[Outcome]:
    """Detect in every scene; existing results are refused before any of the work.

    Raises:
        RefineDetError: the weights cannot be used, or two scenes would write the same files. With `debug`, also the
            first error of a scene.
    """
    paths = planned(options)
    outcomes = [Outcome(scene) for scene in options.scenes]
    for outcome in outcomes:
        try:
            refuse_existing(outcome.scene, paths[outcome.scene], options)
        except FileError as error:
            if debug:
                raise
            outcome.error = str(error)
    todo = [outcome for outcome in outcomes if outcome.error is None]
    if not todo:
        return outcomes
    work = SceneWork(team(options), options)
    with progress_bar("windows") as progress:
        for outcome in todo:
            task = progress.add_task(outcome.scene.name, total=None)
            show = partial(_show, progress, task)
            try:
                work.detect(outcome, paths[outcome.scene], show)
            except RefineDetError as error:
                if debug:
                    raise
                outcome.error = str(error)
            finally:
                progress.remove_task(task)
    return outcomes


@contextmanager
def progress_bar(of: str) -> Iterator[Progress]:
    """Bars with the time left on stderr; silent where that is no terminal."""
    name = TextColumn("{task.description}", markup=False)
    columns = (name, BarColumn(), MofNCompleteColumn(), TextColumn(of))
    with Progress(
        *columns, TimeRemainingColumn(), console=err, transient=True, disable=not err.is_terminal
    ) as progress:
        yield progress


def _show(progress: Progress, task: TaskID, done: int, total: int) -> None:
    progress.update(task, completed=done, total=total)
