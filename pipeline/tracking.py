"""Runs in MLflow: what was trained, on which bytes, by which code, and how well it did.

By default a SQLite file `mlflow.db` and a folder `mlartifacts` in the real project folder, also when DVC runs a stage
in a temporary copy; MLFLOW_TRACKING_URI names another place. A run that cannot be written is a warning, never the end
of a training. Run ids stay out of hashed outputs: `.refinedet/runs/<sha256 of the checkpoint>.json` holds them.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pipeline.params import Params
from pipeline.provenance import code_tags, data_md5, machine_tags
from pipeline.stage import OUTPUTS, local_state, project_root
from refinedet.errors import FileError
from refinedet.files import atomic_path, read_json, sha256_file, write_json

if TYPE_CHECKING:
    from mlflow import MlflowClient

logger = logging.getLogger(__name__)

INPUTS = ("download", "convert", "tile")
"""Stages whose output folders are the inputs of a training; the MD5 of each is a tag of the run."""

RECORDS = ("params.yaml", "dvc.lock")
"""Files of the project kept with every run."""

_PARAMS_PER_CALL = 100
_LOCK_SECONDS = 120.0


class MlflowTracker:
    """One MLflow run behind `refinedet.training.Tracker`. Made by `start` or `attach`."""

    def __init__(self, client: MlflowClient, run_id: str, *, ends: bool) -> None:
        """Write to run `run_id`; `ends` says whether `close` may end it."""
        self.run_id = run_id
        self._client, self._ends, self._warned = client, ends, False

    @classmethod
    def start(cls, params: Params, *, run_id: str | None = None) -> Self:
        """Begin a run of these settings, or go on with run `run_id` if it still exists.

        Raises:
            FileError: the store cannot be opened or written. Better now than after the training.
        """
        with _store() as (client, artifacts):
            if run_id is not None and _exists(client, run_id):
                client.update_run(run_id, status="RUNNING")
                return cls(client, run_id, ends=True)
            created = client.create_run(_experiment(client, params, artifacts), run_name=_run_name(params))
        tracker = cls(client, created.info.run_id, ends=True)
        tracker.log_params(params.flat())
        tracker.set_tags({"dataset": params.dataset, "recipe": params.recipe})
        tracker.set_tags(machine_tags())
        if params.versioned:
            tracker._tell_versions()
        return tracker

    def _tell_versions(self) -> None:
        """Code and data of the project in the current folder."""
        self.set_tags({**code_tags(), **_input_tags()})
        for name in RECORDS:
            if Path(name).is_file():
                self.log_artifact(name)

    @classmethod
    def attach(cls, checkpoint: Path, params: Params) -> Self:
        """Write to the run that made `checkpoint`; to a new one where it is not known here.

        Raises:
            FileError: the store or the checkpoint cannot be opened.
        """
        run_id = run_of(checkpoint)
        if run_id is not None:
            with _store() as (client, _):
                if _exists(client, run_id):
                    return cls(client, run_id, ends=False)
        tracker = cls.start(params)
        tracker.set_tags({"checkpoint_sha256": sha256_file(checkpoint)})
        remember_run(checkpoint, tracker.run_id)
        return tracker

    def log_params(self, params: Mapping[str, object]) -> None:
        """Settings, once; a second value for a name is refused by MLflow and reported as a warning."""
        from mlflow.entities import Param

        listed = [Param(name, str(value)) for name, value in params.items()]
        for first in range(0, len(listed), _PARAMS_PER_CALL):
            with self._tolerated():
                self._client.log_batch(self.run_id, params=listed[first : first + _PARAMS_PER_CALL])

    def log_metrics(self, metrics: Mapping[str, float], step: int) -> None:
        """Numbers of one epoch, or of the finished model."""
        from mlflow.entities import Metric

        now_ms = round(time.time() * 1000)
        with self._tolerated():
            self._client.log_batch(self.run_id, metrics=[Metric(k, float(v), now_ms, step) for k, v in metrics.items()])

    def log_artifact(self, path: str | Path, folder: str | None = None) -> None:
        """Keep a copy of a file, in `folder` of the run's artifacts."""
        with self._tolerated():
            self._client.log_artifact(self.run_id, str(path), folder)

    def log_text(self, text: str, name: str) -> None:
        """Keep a text as the artifact `name`."""
        with self._tolerated():
            self._client.log_text(self.run_id, text, name)

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Words to find the run by."""
        from mlflow.entities import RunTag

        with self._tolerated():
            self._client.log_batch(self.run_id, tags=[RunTag(name, value) for name, value in tags.items()])

    def close(self, status: str = "FINISHED") -> None:
        """End the run as FINISHED, FAILED or KILLED, unless it was ended by the training that it belongs to."""
        if self._ends:
            with self._tolerated():
                self._client.set_terminated(self.run_id, status)

    @contextmanager
    def _tolerated(self) -> Iterator[None]:
        from mlflow.exceptions import MlflowException

        try:
            yield
        except (MlflowException, OSError) as error:
            if not self._warned:
                logger.warning("MLflow run %s is incomplete from here on: %s", self.run_id, _first_line(error))
            self._warned = True


def record(
    checkpoint: Path, params: Params, metrics: Mapping[str, float], artifacts: Sequence[tuple[Path, str | None]]
) -> None:
    """Add numbers and files (path, folder) to the run that made `checkpoint`; where that fails, warn and return."""
    try:
        tracker = MlflowTracker.attach(checkpoint, params)
    except FileError as error:
        logger.warning("not recorded in MLflow: %s", error)
        return
    if metrics:
        tracker.log_metrics(metrics, step=0)
    for path, folder in artifacts:
        tracker.log_artifact(path, folder)
    tracker.close()
    logger.info("recorded in MLflow run %s", tracker.run_id)


def remember_run(checkpoint: Path, run_id: str) -> None:
    """Note that run `run_id` made `checkpoint`."""
    write_json(_run_file(checkpoint), {"run_id": run_id})


def run_of(checkpoint: Path) -> str | None:
    """Id of the run that made `checkpoint`; None where this project folder has not seen it."""
    file = _run_file(checkpoint)
    return str(read_json(file)["run_id"]) if file.is_file() else None


def _run_file(checkpoint: Path) -> Path:
    return local_state("runs") / f"{sha256_file(checkpoint)}.json"


def _run_name(params: Params) -> str:
    return os.environ.get("DVC_EXP_NAME") or f"{params.model.backbone}-{params.model.input_px}"


def _input_tags() -> dict[str, str]:
    return {f"md5.{name}": data_md5(OUTPUTS / name) for name in INPUTS if (OUTPUTS / name).exists()}


def open_store() -> AbstractContextManager[tuple[MlflowClient, str | None]]:
    """The store that runs are written to, for those who read it: a client; FileError where it is unusable."""
    return _store()


@contextmanager
def _store() -> Iterator[tuple[MlflowClient, str | None]]:
    """A client, and where its local artifacts go (None: the server decides); its failures become one sentence."""
    _hush()
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    root = project_root()
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    artifacts = None if uri and not uri.startswith("sqlite:") else (root / "mlartifacts").as_uri()
    try:
        yield MlflowClient(uri or _local_database(root, artifacts)), artifacts
    except (MlflowException, SQLAlchemyError, OSError, sqlite3.Error) as error:
        raise FileError(
            f"expected an MLflow store at {uri or root / 'mlflow.db'}, found it unusable ({_first_line(error)}); "
            "mend it, move it away, or set MLFLOW_TRACKING_URI to another one"
        ) from error


def _local_database(root: Path, artifacts: str | None) -> str:
    """URI of mlflow.db, made if missing: beside its place and then moved there, under a lock.

    MLflow builds its tables in fifty steps over several seconds, and a file where that was interrupted never opens
    again.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    database = root / "mlflow.db"
    if not database.exists():
        lock = local_state("locks") / "mlflow.db"
        lock.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(lock, timeout=_LOCK_SECONDS)) as connection:
            connection.execute("BEGIN EXCLUSIVE")  # ends with the connection, also when the process is killed
            if not database.exists():
                logger.info("making %s", database)
                for leftover in root.glob(".mlflow-*.db*"):  # of a process that was killed here
                    leftover.unlink()
                with atomic_path(database) as temporary:
                    store = SqlAlchemyStore(_sqlite_uri(temporary), artifacts)  # type: ignore[no-untyped-call]
                    store.engine.dispose()
    return _sqlite_uri(database)


def _sqlite_uri(path: Path) -> str:
    return f"sqlite:///{path.as_posix()}"


def _hush() -> None:
    """Before MLflow's import: no telemetry, no chatter, no minutes of retries. What the user has set stays."""
    for name, value in {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # its errors come back as exceptions, and are reported once by us
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "GIT_PYTHON_REFRESH": "quiet",
    }.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _experiment(client: MlflowClient, params: Params, artifacts: str | None) -> str:
    """Id of the experiment: one for each data set, so that its runs can be compared."""
    from mlflow.exceptions import MlflowException

    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or f"refinedet-{params.dataset}"
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return client.create_experiment(name, artifact_location=artifacts)
        except MlflowException:  # another process may have been faster
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _exists(client: MlflowClient, run_id: str) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        return bool(client.get_run(run_id).info.lifecycle_stage == "active")
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return False
        raise


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
