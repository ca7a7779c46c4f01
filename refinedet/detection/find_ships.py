"""find_ships(): detection on a scene with all result files, as in the command `refinedet detect`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from refinedet.cloud.scene import Scene, check_download_limit, scene_of
from refinedet.config.options.detect import DetectorSettings
from refinedet.config.options.option import options
from refinedet.config.options.settings import DetectSettings
from refinedet.detection.detector import Detector
from refinedet.detection.finder import Progress, ShipFinder
from refinedet.detection.outcome import DetectionRun
from refinedet.detection.side_by_side import find_side_by_side, processes_for
from refinedet.errors import FileError, InputError, RefineDetError
from refinedet.scene.output.files import plan_scenes, refuse_existing

_BEHIND = 1
"""Largest number of scenes whose files are still being written while the next is searched, to limit memory use."""


def find_ships(
    scene: str | Scene,
    out: str | Path | None = None,
    *,
    detector: Detector | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> DetectionRun:
    """Find the ships of one scene and write its result files, as the command `refinedet detect` does.

    After an interruption, the same call resumes from the last finished windows.

    Args:
        scene: GeoTIFF, Sentinel-1 GRD product (folder, zip, manifest.safe or STAC item), PNG or JPEG; or an address,
            https:// or s3://, of a raster or an item.
        out: folder for results; None: `<stem>_ships` in the current folder.
        detector: a loaded detector; None: this call loads one with `weights`, `runtime` and the other options of
            `Detector.load`.
        progress: called with the number of finished windows and the number of all windows.
        settings: options of the command by their names in Python. Often used: `score_min` (0.5), `overwrite` (False),
            `format` (("geojson", "csv")), `quicklook` and `map` (True), `outline` ("box" or "oriented"), `pol` (such as
            "vv"; None: both), `band`, `values`, `nodata`, `gsd_m` (metres or "native"), `time` (ISO 8601), `land_mask`
            ("flag", "drop" or "off"), `land` (file), `exclude` (file), `ais` (files), `weights` (file), `multiscale`
            ("light"), `skip_existing` (False). The help of the command explains all of them.

    Returns:
        The run: `ships` (their number), `result` (the ships; `result.to_geodataframe()` is a table), `files` (format to
        path), `notes` (guesses and unknown facts), `record` (content of the run record).

    Raises:
        FileError: the scene is missing or damaged, results exist and `overwrite` is false, or a file cannot be
            written.
        InputError: an option is unknown, out of range, or conflicts with another.
        MissingExtra: a package that the settings need is not installed.

    >>> run = refinedet.find_ships("scene.tif", land_mask="drop")  # doctest: +SKIP
    >>> run.ships, run.files["geojson"]  # doctest: +SKIP
    (12, PosixPath('scene_ships/scene.geojson'))
    """
    wanted = DetectSettings.of(out=out, **settings)
    if detector is not None:
        _refuse_both(settings)
    path = scene_of(scene)
    path = path.expanduser() if isinstance(path, Path) else path
    check_download_limit([path], wanted.scene.max_download_mb)
    files = plan_scenes([path], wanted.output, ais=wanted.ais.ais is not None)[path]
    refuse_existing(path, files, wanted.output)
    with nullcontext(detector) if detector is not None else Detector.of(wanted.detector) as loaded:
        return ShipFinder(loaded, wanted).find(path, files, progress)


def find_ships_in(
    scenes: Iterable[Scene],
    settings: DetectSettings,
    progress: Callable[[Scene], Progress],
    workers: int | None = None,
) -> Iterator[DetectionRun | tuple[Scene, RefineDetError]]:
    """Find the ships of several scenes; a scene that fails does not stop the others.

    Existing results are an error before detection starts. Yields a run, or a scene and its error. Scenes are processed
    in order: another thread writes the files of one scene while the next is searched, and all files are written before
    this ends. Several processes share many small scenes, which are then yielded in the order in which they finish.
    `workers` is the number of processes; None: the number from `processes_for`.

    Raises:
        RefineDetError: the detector cannot be loaded, two scenes would write the same files, an option applies to no
            scene, or a process dies.
    """
    plan = plan_scenes(scenes, settings.output, ais=settings.ais.ais is not None)
    check_download_limit(plan, settings.scene.max_download_mb)
    todo = {}
    for scene, files in plan.items():
        try:
            refuse_existing(scene, files, settings.output)
        except FileError as error:
            yield scene, error
        else:
            todo[scene] = files
    processes = min(len(todo), workers) if workers else processes_for(list(todo), settings)
    if processes > 1:
        yield from find_side_by_side(todo, settings, progress, processes)
    elif todo:
        yield from _one_by_one(todo, settings, progress)


def _one_by_one(
    plan: Mapping[Scene, Mapping[str, Path]], settings: DetectSettings, progress: Callable[[Scene], Progress]
) -> Iterator[DetectionRun | tuple[Scene, RefineDetError]]:
    """Find the ships of one scene after the other, as `find_ships_in`."""
    with Detector.of(settings.detector) as detector, ThreadPoolExecutor(1, thread_name_prefix="results") as writer:
        finder = ShipFinder(detector, settings)
        waiting: deque[tuple[Scene, Future[DetectionRun]]] = deque()
        for scene, files in plan.items():
            waiting.append((scene, _searched(finder, scene, files, progress(scene), writer)))
            while len(waiting) > _BEHIND:
                yield _outcome(*waiting.popleft())
        detector.close()  # while another thread writes the last files
        while waiting:
            yield _outcome(*waiting.popleft())


def _searched(
    finder: ShipFinder, scene: Scene, files: Mapping[str, Path], progress: Progress, writer: Executor
) -> Future[DetectionRun]:
    """Find the ships of a scene; the result is complete when `writer` has written the files."""
    try:
        return writer.submit(finder.search(scene, files, progress))
    except RefineDetError as error:
        failed: Future[DetectionRun] = Future()
        failed.set_exception(error)
        return failed


def _outcome(scene: Scene, run: Future[DetectionRun]) -> DetectionRun | tuple[Scene, RefineDetError]:
    try:
        return run.result()
    except RefineDetError as error:
        return scene, error


def _refuse_both(settings: Mapping[str, Any]) -> None:
    """Refuse options for loading if a loaded detector is given."""
    own = sorted(settings.keys() & {one.name for one, _ in options(DetectorSettings)})
    if own:
        raise InputError(f"expected `{own[0]}` in `Detector.load`, found it beside `detector`; name it there")
