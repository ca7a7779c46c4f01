"""`refinedet detect` over an archive: status, retries, resume and one data set, in this process or on Ray."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.table import Table

from cli.archive_work import ArchiveWork
from cli.console import out, print_json, say
from cli.detect_options import DetectOptions
from cli.detecting import progress_bar
from cli.scene_paths import DATASET, check_archive
from cli.writing import asked_of
from refinedet.batch.archive import Archive, ArchiveOptions, Summary
from refinedet.batch.engine import Engine, LocalEngine
from refinedet.batch.status import NAME, opened
from refinedet.errors import InputError

_RAY_DEVICES = ("auto", "cpu", "cuda")
_SHOWN = 20
"""Failures that are told one by one."""


def detect_archive(options: DetectOptions, out_folder: Path, *, json: bool) -> bool:
    """Detect in all scenes that are not finished, and print what came of it; whether none failed.

    Raises:
        RefineDetError: no worker can be started, or the results in the folder are of other weights or settings.
        KeyboardInterrupt: with one sentence that says how to go on.
    """
    from refinedet.files import sha256_file
    from refinedet.scene.output.format_packages import load_pyarrow
    from refinedet.weights import shipped_weights

    load_pyarrow()
    check_archive(options, out_folder)
    weights = options.weights or shipped_weights()
    asked = asked_of(options) | {"weights": sha256_file(weights)}
    settings = ArchiveOptions(options.retries, options.overwrite)
    engine = _engine(options)
    with opened(out_folder / NAME) as status, progress_bar("scenes") as progress:
        task = progress.add_task("archive", total=len(options.scenes))
        archive = Archive(engine, status, asked, settings)
        found = archive.run(options.scenes, lambda done, _: progress.update(task, completed=done))
    if json:
        print_json(_plain(found, out_folder))
    else:
        _print(found, out_folder)
    return not found.failed


def _engine(options: DetectOptions) -> Engine:
    work = ArchiveWork(replace(options, scenes=[]))
    if options.engine == "local":
        return LocalEngine(work)
    if options.device not in _RAY_DEVICES:
        raise InputError(
            f"expected --device {', '.join(_RAY_DEVICES)} with --engine ray, which deals out GPUs itself, found "
            f"'{options.device}'; leave the option out"
        )
    from refinedet.batch.ray_engine import RayEngine

    return RayEngine(work, workers=options.workers, address=options.address, gpu=options.device != "cpu")


def _plain(found: Summary, folder: Path) -> dict[str, Any]:
    """Ready for JSON; what became of each scene is in the status file."""
    return {
        "scenes": found.scenes,
        "done": found.done,
        "as_before": found.as_before,
        "failed": [{"scene": str(scene), "error": error} for scene, error in found.failed.items()],
        "ships": found.ships,
        "notes": list(found.notes),
        "seconds": round(found.seconds, 2),
        "status": str(folder / NAME),
        "dataset": str(folder / DATASET),
    }


def _print(found: Summary, folder: Path) -> None:
    """A table on stdout; what failed, one sentence each, on stderr."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("scenes", "done", "as before", "failed", "ships", "seconds"):
        table.add_column(name, justify="right")
    table.add_column("results", overflow="fold")
    counts = (found.scenes, found.done, found.as_before, len(found.failed), found.ships)
    table.add_row(*map(str, counts), f"{found.seconds:.1f}", f"{folder}/  {DATASET}/ {NAME}")
    out.print(table)
    for note in found.notes:
        say(note)
    for error in list(found.failed.values())[:_SHOWN]:
        say(error)
    if found.failed:
        say(f"{len(found.failed)} of {found.scenes} scenes failed; {folder / NAME} names each")
