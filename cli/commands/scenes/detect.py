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
from rich.table import Table

from cli import options
from cli.console import EXIT_ERROR, err, one_sentence_errors, out, print_json, say
from cli.option_names import in_flags
from refinedet.batch.settings import ArchiveSettings
from refinedet.cloud.scene import CloudScene, Scene
from refinedet.config.options.ais import AisSettings
from refinedet.config.options.detect import DetectorSettings, SceneSettings, WindowSettings
from refinedet.config.options.land import LandSettings
from refinedet.config.options.output import OutputSettings
from refinedet.config.options.settings import DetectSettings

if TYPE_CHECKING:
    from refinedet.batch.archive import Summary
    from refinedet.detection.outcome import DetectionRun
    from refinedet.errors import RefineDetError
    from refinedet.radiometry import StretchLimits

_SHOWN = 20
"""Most failures of an archive that are printed one by one."""


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
        summaries = [_summary(scene, outcome) for scene, outcome in ordered.items()]
        print_json({"scenes": summaries, "ships": sum(one["ships"] for one in summaries)})
    else:
        _print_runs(ordered)
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
        print_json(_archive_summary(found, folder))
    else:
        _print_archive(found, folder)
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


def _summary(scene: Scene, outcome: DetectionRun | RefineDetError) -> dict[str, Any]:
    """Outcome of one scene, ready for JSON."""
    if isinstance(outcome, Exception):
        empty = {"skipped": False, "ships": 0, "flagged": 0, "dropped": {}, "notes": [], "files": [], "seconds": 0.0}
        counts = {"windows": 0, "windows_skipped": 0, "windows_kept": 0}
        pixels = {"stretch_limits": None, "scale": [1.0, 1.0]}
        return {"scene": str(scene), "ok": False, "error": in_flags(str(outcome))} | empty | counts | pixels
    counts = outcome.record["counts"]
    return {
        "scene": str(scene),
        "ok": True,
        "error": None,
        "skipped": outcome.skipped,
        "ships": outcome.ships,
        "flagged": counts.get("ships_flagged"),  # unknown in the results of an earlier version
        "dropped": counts["dropped_by_reason"],
        "notes": [in_flags(note) for note in outcome.notes],
        "windows": counts["windows"],
        "windows_skipped": counts["windows_skipped"],
        "windows_kept": outcome.windows_kept,
        "stretch_limits": outcome.record["stretch_limits"],
        "scale": outcome.record["scene"]["scale"],
        "seconds": round(outcome.seconds, 2),
        "files": [str(path) for path in outcome.files.values()],
    }


def _print_runs(outcomes: dict[Scene, DetectionRun | RefineDetError]) -> None:
    """A table on stdout; what failed, one sentence each, on stderr."""
    from refinedet.detection.notes import SceneNotes

    runs = [one for one in outcomes.values() if not isinstance(one, Exception)]
    if runs:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("scene", overflow="fold")
        for name in ("ships", "windows", "stretch", "seconds"):
            table.add_column(name, justify="right")
        table.add_column("results", overflow="fold")
        for one in runs:
            table.add_row(*_row(one))
        out.print(table)
    notes = SceneNotes()
    for one in runs:
        notes.add(one.record["scene"]["name"], one.notes)
    for note in notes.sentences():
        say(note)
    failed = [one for one in outcomes.values() if isinstance(one, Exception)]
    for error in failed:
        say(str(error))
    if failed and len(outcomes) > 1:
        say(f"{len(failed)} of {len(outcomes)} scenes failed")


def _row(one: DetectionRun) -> tuple[str, ...]:
    counts = one.record["counts"]
    states = (one.record.get("ais") or {}).get("detections", {})
    dropped = ", ".join(f"{count} {reason}" for reason, count in counts["dropped_by_reason"].items())
    about = [f"{count} {state}" for state, count in states.items() if count]
    about += [f"{flagged} flagged"] if (flagged := counts.get("ships_flagged")) else []
    about += [f"dropped: {dropped}"] if dropped else []
    remarks = ((counts["windows_skipped"], "skipped"), (one.windows_kept, "from before"))
    folder = next(iter(one.files.values())).parent if one.files else "-"
    name = one.record["scene"]["name"]
    suffixes = " ".join(path.name.removeprefix(Path(name).stem) for path in one.files.values())
    return (
        name,
        _with(one.ships, about),
        _with(counts["windows"], [f"{count} {remark}" for count, remark in remarks if count]),
        _stretch(one),
        "as before" if one.skipped else f"{one.seconds:.1f}",
        f"{folder}/  {suffixes}",
    )


def _with(count: int, remarks: list[str]) -> str:
    """A count, and its remarks on lines of their own, so that the column stays narrow."""
    return "\n".join([f"{count}", *remarks])


def _stretch(one: DetectionRun) -> str:
    """Stretch limits as text for people, and their domain."""
    if one.result is None:
        return "-"
    if one.result.polarisations:
        return ", ".join(f"{seen.name} {_limits(seen.stretch_limits)}" for seen in one.result.polarisations)
    return _limits(one.result.stretch_limits)


def _limits(limits: StretchLimits | None) -> str:
    if limits is None:
        return "none"
    ends = f"{limits.low:.3g} to {limits.high:.3g}"
    return ends if limits.domain == "amplitude" else f"{ends} ({limits.domain})"


def _archive_summary(found: Summary, folder: Path) -> dict[str, Any]:
    """Outcome of an archive, ready for JSON; the status file has the outcome of each scene."""
    from refinedet.batch.paths import DATASET
    from refinedet.batch.status import NAME

    return {
        "scenes": found.scenes,
        "done": found.done,
        "as_before": found.as_before,
        "failed": [{"scene": str(scene), "error": in_flags(error)} for scene, error in found.failed.items()],
        "ships": found.ships,
        "notes": [in_flags(note) for note in found.notes.sentences()],
        "seconds": round(found.seconds, 2),
        "status": str(folder / NAME),
        "dataset": str(folder / DATASET),
    }


def _print_archive(found: Summary, folder: Path) -> None:
    """A table on stdout; what failed, one sentence each, on stderr."""
    from refinedet.batch.paths import DATASET
    from refinedet.batch.status import NAME

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("scenes", "done", "as before", "failed", "ships", "seconds"):
        table.add_column(name, justify="right")
    table.add_column("results", overflow="fold")
    counts = (found.scenes, found.done, found.as_before, len(found.failed), found.ships)
    table.add_row(*map(str, counts), f"{found.seconds:.1f}", f"{folder}/  {DATASET}/ {NAME}")
    out.print(table)
    for note in found.notes.sentences():
        say(note)
    for error in list(found.failed.values())[:_SHOWN]:
        say(error)
    if found.failed:
        say(f"{len(found.failed)} of {found.scenes} scenes failed; {folder / NAME} names each")
