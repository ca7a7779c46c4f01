"""Runs in MLflow: their settings, data, code and results.

A run is written to the spool (spool.py), and a thread delivers it from there (delivery.py). So a slow or absent store
(store.py) never delays or ends a training. Run ids stay out of hashed outputs:
`.refinedet/runs/<sha256 of the checkpoint>.json` holds them.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from pipeline.params import Params
from pipeline.provenance.origin import code_tags, data_md5, machine_tags
from pipeline.stage import OUTPUTS, local_state, project_root
from pipeline.tracking.delivery import RUN, DeliveryThread, create_run
from pipeline.tracking.run_names import dataset_rows, experiment_name, first_tags, run_name, short_params
from pipeline.tracking.spool import Spool
from pipeline.tracking.store import chosen_store, connected_client, first_line, is_remote, shown
from pipeline.workarounds.mlflow_errors import is_away
from refinedet.errors import DiskError, FileError
from refinedet.files import full_disk, is_disk_full, read_json, sha256_file, write_json

logger = logging.getLogger(__name__)

INPUTS = ("download", "convert", "tile")
"""Stages whose output folders are the inputs of a training; the MD5 of each is a tag of the run."""

RECORDS = ("params.yaml", "dvc.lock")
"""Files of the project kept with every run."""

PATIENCE_SECONDS = 60.0
"""Longest wait at the end of a stage for a store that accepts nothing."""

_ROWS_PER_ENTRY = 100


class MlflowTracker:
    """One MLflow run, as a `refinedet.training.state.Tracker`; `start` and `attach` make it."""

    def __init__(self, spool: Spool, store: str, run_id: str, *, ends: bool) -> None:
        """Write to run `run_id`, or to the one that this key will get; `close` ends the run if `ends` is true."""
        self.run_id = run_id
        self._spool, self._store, self._ends = spool, store, ends
        self._warned = self._full = False
        self._delivery = DeliveryThread(spool, store)

    @classmethod
    def start(cls, params: Params, *, run_id: str | None = None) -> Self:
        """Begin a run with these settings, or resume run `run_id` if it still exists.

        A server that does not answer gets the run later.

        Raises:
            FileError: the store cannot be opened or written; this is checked before the training.
        """
        spool, store = open_spool(), chosen_store()
        if run_id is not None and _is_there(spool, store, run_id):
            tracker = cls(spool, store, run_id, ends=True)
            tracker._log("status", {"status": "RUNNING"})
            return tracker
        tracker = cls(spool, store, _begin(spool, store, params), ends=True)
        tracker.log_params(short_params(params))
        tracker.set_tags(machine_tags())
        if params.versioned:
            tracker._log_versions()
        return tracker

    def _log_versions(self) -> None:
        """Log code and data of the project in the current folder."""
        self.set_tags({**code_tags(), **_input_tags()})
        for name in RECORDS:
            if Path(name).is_file():
                self.log_artifact(name)

    @classmethod
    def attach(cls, checkpoint: Path, params: Params) -> Self:
        """Write to the run that made `checkpoint`, or to a new run if that run is unknown here.

        Raises:
            FileError: the store or the checkpoint cannot be opened; DiskError: the disk is full.
        """
        spool, store, run_id = open_spool(), chosen_store(), run_of(checkpoint)
        if run_id is not None and _is_there(spool, store, run_id):
            return cls(spool, store, run_id, ends=False)
        tracker = cls.start(params)
        tracker.set_tags({"checkpoint_sha256": sha256_file(checkpoint)})
        tracker.require_kept()
        remember_run(checkpoint, tracker.run_id)
        return tracker

    def log_params(self, params: Mapping[str, object]) -> None:
        """Log the settings, once; MLflow refuses a second value for a name, and a warning reports that."""
        listed = [(name, str(value)) for name, value in params.items()]
        for first in range(0, len(listed), _ROWS_PER_ENTRY):
            self._log("params", {"params": dict(listed[first : first + _ROWS_PER_ENTRY])})

    def log_metrics(self, metrics: Mapping[str, float], step: int) -> None:
        """Log the metrics of one epoch, or of the finished model."""
        now_ms = _now_ms()
        self._log("metrics", {"metrics": [[name, float(value), now_ms, step] for name, value in metrics.items()]})

    def log_curve(self, name: str, values: Sequence[float]) -> None:
        """Log a curve as one metric; its points are the steps 0, 1, 2, ..."""
        now_ms = _now_ms()
        self._log("metrics", {"metrics": [[name, float(value), now_ms, step] for step, value in enumerate(values)]})

    def log_datasets(self, params: Params, chips: Path, splits: tuple[str, ...]) -> None:
        """Log the chips of these splits as inputs of the run."""
        self._log("datasets", {"datasets": dataset_rows(params, chips, splits)})

    def log_artifact(self, path: str | Path, folder: str | None = None) -> None:
        """Keep a copy of a file as it is now, in `folder` of the run's artifacts."""
        self._copy("file", Path(path), {"folder": folder})

    def log_model(self, folder: Path, name: str, tags: Mapping[str, str]) -> None:
        """Log the MLflow model in `folder` as that of the run, and register it as a version of `name`."""
        self._copy("model", folder, {"name": name, "tags": dict(tags)})

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags by which the run can be found."""
        self._log("tags", {"tags": dict(tags)})

    def close(self, status: str = "FINISHED") -> None:
        """End the run as FINISHED, FAILED or KILLED, unless its training has ended it already.

        This call waits until all entries are delivered, as long as entries are sent; the next stage delivers the rest.
        """
        if self._ends:
            self._log("end", {"status": status, "time_ms": _now_ms()})
        left = self._delivery.finish(self.run_id, PATIENCE_SECONDS)
        if left:
            logger.warning(
                "%d entries of MLflow run %s wait for %s; the next stage sends them, or `refinedet sync`",
                *(left, self.run_id, shown(self._store)),
            )

    def require_kept(self) -> None:
        """Check that no entry of this run was lost; entries that the server has not received yet are on disk.

        Raises:
            DiskError: the disk was full.
        """
        if self._full:
            raise full_disk(f"what MLflow run {self.run_id} is told, in {self._spool.files.parent}")

    def _log(self, kind: str, content: Mapping[str, Any]) -> None:
        with self._tolerated():
            self._spool.add(self._store, self.run_id, kind, content)
        self._delivery.wake()

    def _copy(self, kind: str, path: Path, content: Mapping[str, Any]) -> None:
        with self._tolerated():
            self._spool.add_copy(self._store, self.run_id, kind, path, content)
        self._delivery.wake()

    @contextmanager
    def _tolerated(self) -> Iterator[None]:
        """Turn errors of the spool into a warning: they lose an entry, no epoch. `require_kept` reports a full disk."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            if not self._warned:
                logger.warning("MLflow run %s is incomplete from here on: %s", self.run_id, first_line(error))
            self._warned = True
            self._full |= is_disk_full(error, self._spool.files)


def track(
    checkpoint: Path,
    params: Params,
    metrics: Mapping[str, float],
    artifacts: Sequence[tuple[Path, str | None]],
    *,
    curves: Mapping[str, Sequence[float]] | None = None,
    tested_on: Path | None = None,
) -> None:
    """Add numbers, files (path, folder), curves and test chips to the run that made `checkpoint`.

    If that fails, this function warns and returns.

    Raises:
        DiskError: the disk is full.
    """
    try:
        tracker = MlflowTracker.attach(checkpoint, params)
    except DiskError:
        raise
    except FileError as error:
        logger.warning("not recorded in MLflow: %s", error)
        return
    if metrics:
        tracker.log_metrics(metrics, step=0)
    for name, values in (curves or {}).items():
        tracker.log_curve(name, values)
    if tested_on is not None:
        tracker.log_datasets(params, tested_on, ("test",))
    for path, folder in artifacts:
        tracker.log_artifact(path, folder)
    tracker.close()
    tracker.require_kept()
    logger.info("recorded in MLflow run %s", tracker.run_id)


def remember_run(checkpoint: Path, run_id: str) -> None:
    """Record that run `run_id` made `checkpoint`."""
    write_json(_run_file(checkpoint), {"run_id": run_id})


def run_of(checkpoint: Path) -> str | None:
    """Id of the run that made `checkpoint`; None if this project folder does not know it.

    Until its server answers for the first time, a run has a key instead.
    """
    file = _run_file(checkpoint)
    return open_spool().run_id(str(read_json(file)["run_id"])) if file.is_file() else None


def open_spool() -> Spool:
    """Open the spool of this project.

    Raises:
        FileError: it cannot be written.
    """
    try:
        return Spool(local_state("spool"))
    except (OSError, sqlite3.Error) as error:
        raise _unusable_spool(error) from error


def _unusable_spool(error: Exception) -> FileError:
    if is_disk_full(error, project_root()):
        return full_disk(local_state("spool"))
    return FileError(
        f"expected a folder that can be written at {local_state('spool')}, found it unusable ({first_line(error)}); "
        "make room, or move it away: it holds what MLflow was not told yet"
    )


def _begin(spool: Spool, store: str, params: Params) -> str:
    """Begin a run; return its id, or a key if the server is not reachable and gets the run later."""
    content = {
        "experiment": experiment_name(params),
        "name": run_name(params),
        "time_ms": _now_ms(),
        "tags": first_tags(params),
    }
    key = uuid4().hex
    try:
        with connected_client(store):
            return create_run(store, key, content)
    except FileError as error:
        if not (is_remote(store) and is_away(error.__cause__)):
            raise
        logger.warning("%s; this run waits in %s until it answers", error, local_state("spool"))
    try:
        spool.add(store, key, RUN, content)
    except (OSError, sqlite3.Error) as error:
        raise _unusable_spool(error) from error
    return key


def _is_there(spool: Spool, store: str, run: str) -> bool:
    """True if the run exists, or may exist because its server is not reachable or has not received it yet."""
    first = spool.entries(store, run)[:1]
    if first and first[0].kind == RUN:
        return True
    from mlflow.exceptions import MlflowException

    try:
        with connected_client(store) as client:
            try:
                return bool(client.get_run(spool.run_id(run)).info.lifecycle_stage == "active")
            except MlflowException as error:
                if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                    return False
                raise
    except FileError as error:
        if is_remote(store) and is_away(error.__cause__):
            return True
        raise


def _run_file(checkpoint: Path) -> Path:
    return local_state("runs") / f"{sha256_file(checkpoint)}.json"


def _input_tags() -> dict[str, str]:
    return {f"md5.{name}": data_md5(OUTPUTS / name) for name in INPUTS if (OUTPUTS / name).exists()}


def _now_ms() -> int:
    return round(time.time() * 1000)
