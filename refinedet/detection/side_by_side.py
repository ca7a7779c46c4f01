"""Search of many small scenes in parallel processes: most of the work on a small scene is Python in one thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path

from refinedet.cloud.scene import Scene
from refinedet.config.options.settings import DetectSettings
from refinedet.detection.detector import Detector
from refinedet.detection.finder import Progress, ShipFinder
from refinedet.detection.outcome import DetectionRun
from refinedet.errors import RefineDetError
from refinedet.system.concurrency import usable_cores
from refinedet.system.processes import worker_processes

Plan = Mapping[Scene, Mapping[str, Path]]
"""Paths of the result files of each scene, by format or view."""

_SMALL_BYTES = 2 << 20
"""Largest size in bytes of a small file: a picture of about 1,000 x 1,000 pixels."""
_EACH = 20
"""Least number of scenes per process, because its start takes as long as ten scenes."""
_MOST = 8
"""Largest number of processes. Each takes 0.3 GB."""

_finder: ShipFinder | None = None
"""Finder of this process, if it is a worker."""


def processes_for(scenes: Sequence[Scene], settings: DetectSettings) -> int:
    """Number of processes that should process scenes in parallel; 1: this process, one scene after the other.

    It is above 1 for many small scenes, unless torch runs the network, which may be on a GPU.
    """
    from refinedet.runtimes.choice import resolve_runtime

    if resolve_runtime(settings.detector.runtime, settings.detector.device, has_graph=True) == "torch":
        return 1
    if not all(isinstance(scene, Path) and _is_small(scene) for scene in scenes):
        return 1
    return max(1, min(usable_cores(), len(scenes) // _EACH, _MOST))


def find_side_by_side(
    plan: Plan, settings: DetectSettings, progress: Callable[[Scene], Progress], processes: int
) -> Iterator[DetectionRun | tuple[Scene, RefineDetError]]:
    """Find the ships of scenes in several processes, and yield a run, or a scene and its error, as each is finished.

    Args:
        plan: the scenes, with the paths of their files.
        settings: settings of the run.
        progress: called with each finished scene.
        processes: number of processes.

    Raises:
        RefineDetError: the detector cannot be loaded, or a process dies.
    """
    with worker_processes(processes) as pool:
        pool.submit(_load, settings).result()  # an error in loading is not an error of the first scene
        todo = iter(plan.items())
        running: dict[Future[DetectionRun], Scene] = {}
        while True:
            for scene, files in todo:
                running[pool.submit(_find, settings, scene, files)] = scene
                if len(running) >= 2 * processes:
                    break
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield _outcome(running.pop(future), future, progress)


def _outcome(
    scene: Scene, run: Future[DetectionRun], progress: Callable[[Scene], Progress]
) -> DetectionRun | tuple[Scene, RefineDetError]:
    try:
        found = run.result()
    except RefineDetError as error:
        return scene, error
    windows = found.record["counts"]["windows"]
    progress(scene)(windows, windows)
    return found


def _load(settings: DetectSettings) -> None:
    """Load the detector of this worker, once."""
    _loaded(settings)


def _find(settings: DetectSettings, scene: Scene, files: Mapping[str, Path]) -> DetectionRun:
    """Find the ships of one scene in this worker."""
    return _loaded(settings).find(scene, files)


def _loaded(settings: DetectSettings) -> ShipFinder:
    global _finder  # noqa: PLW0603 - a worker has one
    if _finder is None:
        from refinedet.workarounds.scipy_docstrings import import_ndimage

        import_ndimage()  # before anything that needs it
        _finder = ShipFinder(Detector.of(settings.detector), settings)
    return _finder


def _is_small(scene: Path) -> bool:
    try:
        return scene.is_file() and scene.stat().st_size <= _SMALL_BYTES
    except OSError:
        return False
