"""ShipFinder: a detector with the settings of a run, which processes one scene after the other and writes results."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refinedet.cloud.scene import CloudScene, Scene
from refinedet.config.options.option import options
from refinedet.config.options.settings import DetectSettings
from refinedet.detection.detector import Detector
from refinedet.detection.outcome import DetectionRun
from refinedet.detection.reports import check_reports, reports_changed, with_reports
from refinedet.detection.search import Search
from refinedet.errors import FileError, InputError, RefineDetError
from refinedet.files import cannot_write, read_json
from refinedet.scene.output.files import (
    finished,
    journal_path,
    load_writers,
    plan_files,
    refuse_existing,
    with_format_notes,
    write_files,
)
from refinedet.tiling import WINDOWS_TOGETHER
from refinedet.wording import first_of

if TYPE_CHECKING:
    from refinedet.scene.identity import RunIdentity
    from refinedet.scene.result import SceneResult
    from refinedet.scene.search.journal import Journal

Progress = Callable[[int, int], None]
"""Function of (finished windows, all windows) of a scene."""

_NOT_RECORDED = ("weights", "out", "overwrite", "skip_existing", "restart", "device", "torch_mode")
"""Options that have an entry of their own in the run record, or do not affect the results."""


class ShipFinder:
    """Finder of ships with one detector and the settings of a run; processes one scene after the other."""

    def __init__(self, detector: Detector, settings: DetectSettings) -> None:
        self._detector, self._settings = detector, settings
        detector.check_stretch(settings.scene.stretch)
        check_reports(settings.ais)
        self._search: Search = detector.search(settings.windows)

    @property
    def identity(self) -> RunIdentity:
        """Identity that all scenes share: everything that decides the results except the scene."""
        return self._identity(None)

    def find(
        self, scene: Scene, files: Mapping[str, Path] | None = None, progress: Progress | None = None
    ) -> DetectionRun:
        """Find the ships of one scene and write its files.

        Arguments and errors are those of `search` and of the function that it returns.
        """
        return self.search(scene, files, progress)()

    def search(
        self, scene: Scene, files: Mapping[str, Path] | None = None, progress: Progress | None = None
    ) -> Callable[[], DetectionRun]:
        """Find the ships of one scene. Returns a function that writes its files; another thread may call it.

        Args:
            scene: the scene.
            files: path of each result, by format or view; None: from the settings.
            progress: called with the number of finished windows and the number of all windows.

        Raises:
            RefineDetError: the scene cannot be read, a setting does not fit, or results exist and must not be
                replaced. The returned function raises it if a result cannot be written.
            KeyboardInterrupt: with one sentence that says how to resume.
        """
        self._detector.check_open()
        with _kept_on_failure(scene):
            return self._search_scene(scene, files, progress)

    def _search_scene(
        self, scene: Scene, files: Mapping[str, Path] | None, progress: Progress | None
    ) -> Callable[[], DetectionRun]:
        from refinedet.scene.search.journal import Journal

        if files is None:
            files = plan_files(scene, self._settings.output, ais=self._settings.ais.ais is not None)
        files = dict(files)
        refuse_existing(scene, files, self._settings.output)  # another run may have written them since the start
        began = time.perf_counter()
        if finished(scene, files, self._settings.output):
            earlier = DetectionRun(scene, self._earlier_run_record(scene, files["record"]), files)
            _close(scene)
            return lambda: earlier
        journal = Journal(journal_path(scene, files), self._detector.identity, restart=self._settings.output.restart)
        state = _SceneProgress(scene, journal, progress)
        with state.errors_in_words(files):
            state.kept = journal.left()
            result = self._detect(scene, files, journal, state)
            result = with_reports(result, self._settings.ais, self._settings.land)
        return partial(self._write, result, files, state, time.perf_counter() - began)

    def _write(self, result: SceneResult, files: dict[str, Path], state: _SceneProgress, spent: float) -> DetectionRun:
        """Write the files of a scene whose search took `spent` seconds, and remove its journal."""
        began = time.perf_counter() - spent
        with _kept_on_failure(state.scene), state.errors_in_words(files):
            record = self._write_files(state.scene, result, files, began)
        state.journal.discard()
        _close(state.scene)
        seconds = time.perf_counter() - began
        return DetectionRun(state.scene, record, files, replace(result, readers=()), state.kept, seconds)

    def _detect(
        self, scene: Scene, files: Mapping[str, Path], journal: Journal, progress: _SceneProgress
    ) -> SceneResult:
        from refinedet.scene.detect import detect_scene

        search, settings = self._search, self._settings
        with ThreadPoolExecutor(1, thread_name_prefix="writers") as beside:

            def searching(done: int, total: int) -> None:
                if progress.total == 0:  # the network starts, and leaves Python free
                    beside.submit(load_rest, files)  # is waited for later: no process should end during an import
                progress(done, total)

            found = detect_scene(
                scene,
                search.predictors,
                scene=settings.scene,
                land=settings.land,
                tile=search.tile,
                score_min=search.score_min,
                prescreen=search.prescreen,
                ship_m=search.ship_m,
                known_gsd=search.known_gsd,
                batch_size=search.batch_size or WINDOWS_TOGETHER,
                progress=searching,
                journal=journal,
            )
        found = replace(found, notes=(*found.notes, *self._detector.notes))
        return with_format_notes(found.outlined(settings.output.outline), files)

    def _identity(self, scene_sha256: str | None) -> RunIdentity:
        from refinedet.scene.identity import run_identity

        search = self._search
        return run_identity(
            scene_sha256,
            detector=self._detector.identity,
            scene=self._settings.scene,
            land=self._settings.land,
            tile=search.tile,
            score_min=search.score_min,
            prescreen=search.prescreen,
            ship_m=search.ship_m,
            known_gsd=search.known_gsd,
            radiometry=search.predictors[0].radiometry,
        )

    def _earlier_run_record(self, scene: Scene, path: Path) -> dict[str, Any]:
        """Read the run record beside the results of a scene.

        Raises:
            FileError: the record belongs to another run.
            InputError: the file is no run record.
        """
        from refinedet.scene.identity import RunIdentity, scene_sha256

        record: dict[str, Any] = read_json(path)
        before = RunIdentity.from_record(record, path)
        if not {"counts", "notes", "scene"} <= record.keys():
            raise InputError(f"expected a whole record of a run at {path}, found parts; replace it with `overwrite`")
        changed = self._identity(scene_sha256(scene, self._settings.scene.pol)).changed_since(before)
        shown, asked = record.get("settings", {}).get("outline"), self._settings.output.outline
        changed += [] if shown == asked else [f"outline was {shown}, and is {asked}"]
        changed += reports_changed(record, self._settings.ais)
        if changed:
            raise FileError(
                f"expected the results beside {path} to be what this call would find, found others "
                f"({first_of(changed, mark='; ')}); name another `out`, or replace them with `overwrite`"
            )
        return record

    def _write_files(
        self, scene: Scene, result: SceneResult, files: Mapping[str, Path], began: float
    ) -> dict[str, Any]:
        """Write all files of a scene, the record last, and return the record."""
        from refinedet.scene.output.record import run_record, write_run_record
        from refinedet.scene.output.writers import writing

        record = run_record(
            result,
            weights=self._detector.weights,
            weights_sha256=self._detector.weights_sha256,
            settings=self._record_settings(),
            device=_devices(self._detector),
            seconds=0.0,  # the other files are not written yet
        )
        write_files(scene, result, files, self._settings.scene, record)
        record["time"]["seconds"] = round(time.perf_counter() - began, 2)
        if isinstance(scene, CloudScene):  # the picture may have read the scene again
            record["scene"]["moved"] = scene.moved()
        with writing(files["record"]):
            write_run_record(files["record"], record)
        return record

    def _record_settings(self) -> dict[str, Any]:
        """Options in use: the given options, and for the others, values from the weights or defaults."""
        asked = {
            one.name: getattr(group, one.name)
            for group in (getattr(self._settings, part.name) for part in fields(self._settings))
            for one, _ in options(group)
            if one.name not in _NOT_RECORDED
        }
        search = self._search
        resolved = {
            "stretch": self._settings.scene.stretch.to_dict(),
            "runtime": self._detector.runtime,
            "precision": self._detector.precision,
            "prescreen": search.prescreen,
            "ship_m": search.ship_m,
            "radiometry": search.predictors[0].radiometry.to_dict(),
        }
        return asked | search.tile.to_dict() | resolved


def _devices(detector: Detector) -> str:
    """Devices for the record, with the mode of torch unless it is eager, such as `cuda (graph)`."""
    names = ", ".join(detector.devices)
    return names if detector.torch_mode in (None, "eager") else f"{names} ({detector.torch_mode})"


def load_rest(files: Mapping[str, Path]) -> None:
    """Import the modules that describe ships and write files."""
    load_writers(files)
    import scipy.spatial  # noqa: F401 - to be there


def _close(scene: Scene) -> None:
    """Delete the cached blocks of a scene at an address, because its files are written."""
    if isinstance(scene, CloudScene):
        scene.close(keep=False)


@contextmanager
def _kept_on_failure(scene: Scene) -> Iterator[None]:
    """Close a scene at an address after an error; its cached blocks stay for a run that resumes."""
    try:
        yield
    except BaseException:
        if isinstance(scene, CloudScene):
            scene.close(keep=True)
        raise


@dataclass(slots=True)
class _SceneProgress:
    """Progress of one scene, which is stored and passed on."""

    scene: Scene
    journal: Journal
    progress: Progress | None
    total: int = 0
    kept: int = 0
    """Number of windows that an earlier run had finished."""

    def __call__(self, done: int, total: int) -> None:
        if not self.total:  # the first call
            self.total = total
        if self.progress is not None:
            self.progress(done, total)

    @contextmanager
    def errors_in_words(self, files: Mapping[str, Path]) -> Iterator[None]:
        """Turn a system error into one sentence, and let an interruption say how to resume."""
        try:
            yield
        except KeyboardInterrupt:
            raise KeyboardInterrupt(self._how_to_resume()) from None
        except OSError as error:
            if isinstance(error, RefineDetError):
                raise
            raise cannot_write(files["record"].parent, error, files["record"]) from error

    def _how_to_resume(self) -> str:
        """Sentence for a user who stopped a run; empty if there is nothing to resume from."""
        kept = self.journal.count()  # not from progress, which counts a window a moment after it is kept
        if not kept:
            return ""
        of_all = f" of {self.total}" if self.total else ""
        where = self.journal.path
        return f"interrupted; {kept}{of_all} windows of {self.scene} are kept in {where}: run the same again to go on"
