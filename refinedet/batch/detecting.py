"""detect_archive(): ships of many scenes, with status, retries, resume and one data set, on this machine or on Ray."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from refinedet.batch.archive import Progress, SceneArchive, SceneArchiveOptions, Summary
from refinedet.batch.engine import Engine, LocalEngine
from refinedet.batch.paths import check_apart
from refinedet.batch.process_engine import ProcessEngine
from refinedet.batch.settings import RETRIES, ArchiveSettings
from refinedet.batch.status import NAME, open_status
from refinedet.batch.work import ArchiveWork
from refinedet.cloud.scene import Scene, check_download_limit
from refinedet.config.options.option import Effect, with_effect
from refinedet.config.options.settings import DetectSettings
from refinedet.detection.loading import weights_sha256
from refinedet.detection.reports import reports_identity
from refinedet.detection.side_by_side import processes_for
from refinedet.errors import InputError
from refinedet.weights import shipped_weights

_RAY_DEVICES = ("auto", "cpu", "cuda")


def detect_archive(
    scenes: Sequence[Scene], settings: DetectSettings, archive: ArchiveSettings, progress: Progress
) -> Summary:
    """Find the ships of all scenes that are not finished; the results go to `settings.output.out`.

    Args:
        scenes: each named once.
        settings: settings of the detection; formats and views of each scene are written only if asked for.
        archive: engine, workers and retries.
        progress: called with the number of finished scenes.

    Raises:
        RefineDetError: no worker can be started, or the results in the folder come from other weights or settings.
        KeyboardInterrupt: with one sentence that says how to go on.
    """
    from refinedet.batch.collection import write_collection  # its imports take a second
    from refinedet.scene.output.formats.packages import load_pyarrow

    folder = settings.output.out
    if folder is None:
        raise InputError("expected `out` for the results of an archive, found none; name the folder they go to")
    check_download_limit(scenes, settings.scene.max_download_mb)
    load_pyarrow()
    check_apart(scenes, folder)
    settings, folder = settings.absolute(), folder.absolute()
    engine = _engine(scenes, ArchiveWork(settings, folder), settings, archive)
    with open_status(folder / NAME) as status:
        retries = RETRIES if archive.retries is None else archive.retries
        work = SceneArchive(engine, status, _asked(settings), SceneArchiveOptions(retries, settings.output.overwrite))
        summary = work.run([scene.absolute() for scene in scenes], progress)
        if "stac" in settings.output.formats(()):
            write_collection(folder, status.files)
        return summary


def _asked(settings: DetectSettings) -> dict[str, Any]:
    """Settings, weights and software that decide the results and are known before a worker starts, as JSON values."""
    from refinedet.scene.identity import side_files, software

    named = side_files(settings.scene, settings.land)
    groups = (settings.scene, settings.land, settings.windows, settings.detector)
    ships = {name: value for group in groups for name, value in with_effect(group, Effect.SHIPS).items()}
    files = with_effect(settings.output, Effect.FILES)
    own = {name: value for name, value in (ships | files).items() if name not in {*named, "weights", "out"}}
    own["format"] = sorted(own["format"] or ())
    if (reports := reports_identity(settings.ais)) is not None:  # an older status has no entry either
        own["ais"] = reports
    return {
        **own,
        "stretch": asdict(settings.scene.stretch),
        "weights": weights_sha256(settings.detector.weights or shipped_weights()),
        "side_files": named,
        "software": software(),
    }


def _engine(scenes: Sequence[Scene], work: ArchiveWork, settings: DetectSettings, archive: ArchiveSettings) -> Engine:
    if archive.engine == "local":
        workers = archive.workers or processes_for(scenes, settings)
        return LocalEngine(work) if workers == 1 else ProcessEngine(work, workers)
    device = settings.detector.device
    if device not in _RAY_DEVICES:
        raise InputError(
            f"expected `device` {', '.join(_RAY_DEVICES)} with `engine` ray, which deals out GPUs itself, found "
            f"'{device}'; leave the setting out"
        )
    from refinedet.batch.ray_engine import RayEngine

    return RayEngine(work, workers=archive.workers, address=archive.address, gpu=device != "cpu")
