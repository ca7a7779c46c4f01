"""`refinedet detect`: ships of one scene, of several, or of an archive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cli import options
from cli.console import EXIT_ERROR, err, one_sentence_errors, print_json
from cli.outcomes import archive_summary, print_archive, print_runs, summary
from refinedet.batch.settings import ArchiveSettings
from refinedet.cloud.scene import CloudScene, Scene
from refinedet.config.options.ais import AisSettings
from refinedet.config.options.detect import DetectorSettings, SceneSettings, WindowSettings
from refinedet.config.options.land import LandSettings
from refinedet.config.options.output import OutputSettings
from refinedet.config.options.settings import DetectSettings

if TYPE_CHECKING:
    from refinedet.detection.outcome import DetectionRun
    from refinedet.errors import RefineDetError


def detect(  # noqa: PLR0913 - groups of options
    *,
    scenes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SCENE",
            help="GeoTIFF, PNG, JPEG, or Sentinel-1 GRD product (folder, zip, manifest.safe or STAC item). Also a "
            "quoted "
            "pattern, or the address (https://, s3://) of a raster or a STAC item.",
            show_default=False,
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Text file with one scene, pattern or address per line; paths are relative to the file.",
            show_default=False,
        ),
    ] = None,
    detector: DetectorSettings,
    scene: SceneSettings,
    land: LandSettings,
    windows: WindowSettings,
    output: OutputSettings,
    ais: AisSettings,
    archive: ArchiveSettings,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Find ships in one or more scenes.

    Writes five files per scene: <stem>.geojson, <stem>.csv, a picture <stem>.png, a map <stem>.html and the run record
    <stem>.run.json. If a scene has no ships, the files are valid and empty. With --ais, columns identify the ships by
    AIS. If a run is interrupted, the same command continues after the last finished windows.
    """
    if not scenes and manifest is None:
        raise typer.BadParameter("expected a SCENE or --manifest, found neither")
    with one_sentence_errors(debug=debug):
        from refinedet.batch.manifest import files_named, scenes_named

        named = scenes_named(scenes or [], manifest)
        if ais.ais is not None:
            ais = replace(ais, ais=tuple(files_named(ais.ais)))
        settings = DetectSettings(scene, land, windows, detector, output, ais)
        if archive.is_archive(listed=manifest is not None):
            fine = _detect_archive(named, settings, archive, json=json)
        else:
            fine = _detect_scenes(named, settings, archive.workers, json=json, debug=debug)
        if not fine:
            raise typer.Exit(EXIT_ERROR)


def _detect_scenes(
    scenes: list[Scene], settings: DetectSettings, workers: int | None, *, json: bool, debug: bool
) -> bool:
    """Detect scene by scene, print the results, and return True if no scene failed."""
    from refinedet.detection.find_ships import find_ships_in
    from refinedet.workarounds.scipy_docstrings import import_ndimage

    import_ndimage()  # before anything imports it
    outcomes: dict[Scene, DetectionRun | RefineDetError] = {}
    with progress_bar() as progress:
        tasks: dict[Scene, TaskID] = {}
        of_all = progress.add_task("all", total=len(scenes), of="scenes", visible=len(scenes) > 1)

        def watched(scene: Scene) -> Any:
            tasks[scene] = progress.add_task(scene.name, total=None, of="windows")
            if isinstance(scene, CloudScene):
                scene.watch(partial(_show_moved, progress, tasks[scene], scene.name))
            return partial(_show, progress, tasks[scene])

        for found in find_ships_in(scenes, settings, watched, workers):
            scene, outcome = found if isinstance(found, tuple) else (found.scene, found)
            if debug and isinstance(outcome, Exception):
                raise outcome
            outcomes[scene] = outcome
            if scene in tasks:
                progress.remove_task(tasks[scene])
            progress.update(of_all, completed=len(outcomes))
    ordered = {scene: outcomes[scene] for scene in scenes}
    if json:
        summaries = [summary(scene, outcome) for scene, outcome in ordered.items()]
        print_json({"scenes": summaries, "ships": sum(one["ships"] for one in summaries)})
    else:
        print_runs(ordered)
    return not any(isinstance(outcome, Exception) for outcome in outcomes.values())


def _detect_archive(scenes: list[Scene], settings: DetectSettings, archive: ArchiveSettings, *, json: bool) -> bool:
    """Detect in all scenes that are not finished, print the results, and return True if no scene failed."""
    from refinedet.batch.detecting import detect_archive

    with progress_bar() as progress:
        task = progress.add_task("archive", total=len(scenes), of="scenes")
        found = detect_archive(scenes, settings, archive, lambda done, _: progress.update(task, completed=done))
    folder = settings.output.out and settings.output.out.absolute()
    assert folder is not None  # noqa: S101 - or it would have been refused
    if json:
        print_json(archive_summary(found, folder))
    else:
        print_archive(found, folder)
    return not found.failed


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Progress bars with the time left, on stderr if it is a terminal. The field `of` of a task names its unit."""
    name = TextColumn("{task.description}", markup=False)
    columns = (name, BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[of]}", markup=False))
    with Progress(
        *columns, TimeRemainingColumn(), console=err, transient=True, disable=not err.is_terminal
    ) as progress:
        yield progress


def _show(progress: Progress, task: TaskID, done: int, total: int) -> None:
    progress.update(task, completed=done, total=total)


def _show_moved(progress: Progress, task: TaskID, name: str, moved_bytes: int) -> None:
    progress.update(task, description=f"{name}, {moved_bytes / 1e6:.0f} MB fetched")
