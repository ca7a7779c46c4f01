"""`refinedet detect`: many scenes, one predictor; a scene that fails does not stop the others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from cli.console import err, out, say
from cli.writing import settings_of, write_ships
from refinedet.config import MultiscaleConfig, TileConfig
from refinedet.errors import FileError, InputError, RefineDetError
from refinedet.weights import shipped_weights

if TYPE_CHECKING:
    from refinedet.predictor import Predictor


@dataclass(frozen=True, slots=True)
class DetectOptions:
    """What the command line asks for."""

    scenes: list[Path]
    weights: Path | None
    out: Path | None
    polarisation: str | None
    band: str | None
    max_pixels: int
    score_min: float
    tile_px: int | None
    overlap_px: int | None
    multiscale: str | None
    batch_size: int
    device: str
    formats: list[str]
    quicklook: bool
    web_map: bool
    overwrite: bool


@dataclass(slots=True)
class Outcome:
    """What became of one scene."""

    scene: Path
    ships: int = 0
    windows: int = 0
    windows_empty: int = 0
    seconds: float = 0.0
    files: list[str] = field(default_factory=list)
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "scene": str(self.scene),
            "ok": self.error is None,
            "error": self.error,
            "ships": self.ships,
            "windows": self.windows,
            "windows_empty": self.windows_empty,
            "seconds": round(self.seconds, 2),
            "files": self.files,
        }


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
    predictor, tile = _predictor(options.weights or shipped_weights(), options)
    with _progress() as progress:
        run = _Run(predictor, tile, options, progress)
        for outcome in todo:
            try:
                run.detect(outcome, paths[outcome.scene])
            except RefineDetError as error:
                if debug:
                    raise
                outcome.error = str(error)
    return outcomes


def print_summary(outcomes: list[Outcome]) -> None:
    """A table on stdout; what failed, one sentence each, on stderr."""
    done = [outcome for outcome in outcomes if outcome.error is None]
    if done:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("scene", overflow="fold")
        for name in ("ships", "windows", "seconds"):
            table.add_column(name, justify="right")
        table.add_column("results", overflow="fold")
        for one in done:
            folder = Path(one.files[0]).parent if one.files else "-"
            suffixes = " ".join(Path(name).name.removeprefix(one.scene.stem) for name in one.files)
            windows = f"{one.windows}" + (f" ({one.windows_empty} empty)" if one.windows_empty else "")
            table.add_row(one.scene.name, f"{one.ships}", windows, f"{one.seconds:.1f}", f"{folder}/  {suffixes}")
        out.print(table)
    for one in outcomes:
        if one.error is not None:
            say(one.error)
    if len(done) < len(outcomes) > 1:
        say(f"{len(outcomes) - len(done)} of {len(outcomes)} scenes failed")


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

    try:
        check_writable(paths, overwrite=options.overwrite)
    except FileError as error:
        if debug:
            raise
        return Outcome(scene, error=str(error))
    return Outcome(scene)


def _predictor(weights: Path, options: DetectOptions) -> tuple[Predictor, TileConfig]:
    """The predictor, and windows of the size it was trained on where the command line names none."""
    from refinedet.memory import keep_freed_memory
    from refinedet.model.checkpoint import read_header
    from refinedet.multiscale import MultiscalePredictor
    from refinedet.predictor import TorchPredictor

    keep_freed_memory()
    header = read_header(weights)
    trained = TileConfig.from_dict(header.provenance.get("tile", {}))
    asked = {"tile_px": options.tile_px, "overlap_px": options.overlap_px}
    tile = replace(trained, **{name: value for name, value in asked.items() if value is not None})
    lowest = min(header.postprocess.score_min, options.score_min)
    predictor = TorchPredictor.load(
        weights,
        device=options.device,
        batch_size=options.batch_size,
        postprocess=replace(header.postprocess, score_min=lowest),
    )
    if options.multiscale is None:
        return predictor, tile
    return MultiscalePredictor(predictor, MultiscaleConfig.preset(options.multiscale)), tile


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
    predictor: Predictor
    tile: TileConfig
    options: DetectOptions
    progress: Progress

    def detect(self, outcome: Outcome, paths: dict[str, Path]) -> None:
        """One scene: detect, write, and note what came of it."""
        from refinedet.predictor import resolve_device
        from refinedet.scene.detect import detect_scene
        from refinedet.scene.outputs import writing
        from refinedet.scene.record import run_record, scene_sha256, write_record
        from refinedet.scene.source import SceneChoice

        asked = self.options
        choice = SceneChoice(polarisation=asked.polarisation, band=asked.band, max_pixels=asked.max_pixels)
        began = time.perf_counter()
        task = self.progress.add_task(outcome.scene.name, total=None)
        try:
            result = detect_scene(
                outcome.scene,
                self.predictor,
                choice=choice,
                tile=self.tile,
                score_min=asked.score_min,
                batch_size=asked.batch_size,
                progress=lambda done, total: self.progress.update(task, completed=done, total=total),
            )
            write_ships(outcome.scene, result, paths, choice)
            record = run_record(
                result,
                scene_sha256=scene_sha256(outcome.scene, asked.polarisation),
                weights=asked.weights or shipped_weights(),
                settings=settings_of(asked, self.tile, self.predictor.radiometry),
                device=resolve_device(asked.device),
                seconds=time.perf_counter() - began,
            )
            with writing(paths["record"]):
                write_record(paths["record"], record)
        finally:
            self.progress.remove_task(task)
        outcome.ships, outcome.windows = len(result.detections), result.windows
        outcome.windows_empty = result.windows_empty
        outcome.files = [str(path) for path in paths.values()]
        outcome.seconds = time.perf_counter() - began
