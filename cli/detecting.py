"""`refinedet detect`: many scenes, one predictor; a scene that fails does not stop the others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from cli.console import err, out, say
from refinedet.config import MultiscaleConfig, TileConfig
from refinedet.errors import FileError, InputError, RefineDetError
from refinedet.weights import shipped_weights

if TYPE_CHECKING:
    from refinedet.predictor import Predictor
    from refinedet.scene.journal import Journal


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
    overwrite: bool
    restart: bool


@dataclass(slots=True)
class Outcome:
    """What became of one scene."""

    scene: Path
    ships: int = 0
    windows: int = 0
    windows_done: int = 0
    windows_empty: int = 0
    windows_kept: int = 0
    """Taken over from an interrupted run."""
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
            "windows_kept": self.windows_kept,
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
    predictors, tile, made_by = _predictors(options.weights or shipped_weights(), options)
    with _progress() as progress:
        run = _Run(predictors, tile, made_by, options, progress)
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
            notes = ((one.windows_empty, "empty"), (one.windows_kept, "from before"))
            remarks = ", ".join(f"{count} {note}" for count, note in notes if count)
            windows = f"{one.windows}" + (f" ({remarks})" if remarks else "")
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
    planned = {scene: result_paths(scene, options.out, formats, options.quicklook) for scene in options.scenes}
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
    overwrite = options.overwrite or _journal_path(scene, paths).exists()
    try:
        check_writable(paths, overwrite=overwrite)
    except FileError as error:
        if debug:
            raise
        return Outcome(scene, error=str(error))
    return Outcome(scene)


def _journal_path(scene: Path, paths: dict[str, Path]) -> Path:
    """Where finished windows are kept until the results are written: beside them."""
    return next(iter(paths.values())).with_name(f"{scene.stem}.journal")


def _predictors(weights: Path, options: DetectOptions) -> tuple[list[Predictor], TileConfig, dict[str, Any]]:
    """A predictor for each device, windows as trained unless asked otherwise, and what decides the detections."""
    from refinedet.files import sha256_file
    from refinedet.memory import keep_freed_memory
    from refinedet.model.checkpoint import read_header
    from refinedet.multiscale import MultiscalePredictor
    from refinedet.predictor import TorchPredictor, resolve_devices

    keep_freed_memory()
    devices = resolve_devices(options.device)
    _exact_gpus(devices)
    header = read_header(weights)
    trained = TileConfig.from_dict(header.provenance.get("tile", {}))
    asked = {"tile_px": options.tile_px, "overlap_px": options.overlap_px}
    tile = replace(trained, **{name: value for name, value in asked.items() if value is not None})
    lowest = min(header.postprocess.score_min, options.score_min)
    made_by = {"weights": sha256_file(weights), "score_min": lowest, "multiscale": options.multiscale}
    predictors = [
        TorchPredictor.load(
            weights,
            device=device,
            batch_size=options.batch_size,
            postprocess=replace(header.postprocess, score_min=lowest),
        )
        for device in devices
    ]
    if options.multiscale is None:
        return [*predictors], tile, made_by
    passes = MultiscaleConfig.preset(options.multiscale)
    return [MultiscalePredictor(one, passes) for one in predictors], tile, made_by


def _exact_gpus(devices: list[str]) -> None:
    """Let GPUs convolve in float32, as processors do: by default they round to 10 bits, and boxes move."""
    if any(device.startswith("cuda") for device in devices):
        import torch

        torch.backends.cudnn.allow_tf32 = False


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
    predictors: list[Predictor]
    tile: TileConfig
    made_by: dict[str, Any]
    options: DetectOptions
    progress: Progress

    def detect(self, outcome: Outcome, paths: dict[str, Path]) -> None:
        """One scene: detect, write, and note what came of it."""
        from refinedet.scene.journal import Journal

        began = time.perf_counter()
        journal = Journal(_journal_path(outcome.scene, paths), self.made_by, restart=self.options.restart)
        task = self.progress.add_task(outcome.scene.name, total=None)
        try:
            self._detect(outcome, paths, journal, task)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_how_to_go_on(outcome, journal)) from None
        except OSError as error:
            if isinstance(error, RefineDetError):
                raise
            raise FileError(f"expected to read and write files, but that failed ({error}); is there room?") from error
        finally:
            self.progress.remove_task(task)
        journal.discard()
        outcome.files = [str(path) for path in paths.values()]
        outcome.seconds = time.perf_counter() - began

    def _detect(self, outcome: Outcome, paths: dict[str, Path], journal: Journal, task: TaskID) -> None:
        from refinedet.scene.detect import detect_scene
        from refinedet.scene.outputs import write_results
        from refinedet.scene.source import SceneChoice

        def show(done: int, total: int) -> None:
            if not outcome.windows:  # the first call
                outcome.windows, outcome.windows_kept = total, done
            outcome.windows_done = done
            self.progress.update(task, completed=done, total=total)

        asked = self.options
        choice = SceneChoice(polarisation=asked.polarisation, band=asked.band, max_pixels=asked.max_pixels)
        result = detect_scene(
            outcome.scene,
            self.predictors,
            choice=choice,
            tile=self.tile,
            score_min=asked.score_min,
            batch_size=asked.batch_size,
            progress=show,
            journal=journal,
        )
        write_results(result, paths)
        if "quicklook" in paths:
            from refinedet.scene.quicklook import write_quicklook

            write_quicklook(outcome.scene, result, paths["quicklook"], choice=choice)
        outcome.ships, outcome.windows_empty = len(result.detections), result.windows_empty


def _how_to_go_on(outcome: Outcome, journal: Journal) -> str:
    """One sentence for who has stopped a run; empty where there is nothing to go on from."""
    if not journal.path.exists():
        return ""
    return (
        f"interrupted; {outcome.windows_done} of {outcome.windows} windows of {outcome.scene} are kept in "
        f"{journal.path}: run the same again to go on"
    )
