"""Where MLflow's runs are: a client for the store that the user has named, and how its errors read.

By default a SQLite file `mlflow.db` and a folder `mlartifacts` in the real project folder, also when DVC runs a stage
in a temporary copy; MLFLOW_TRACKING_URI names another place.
"""

from __future__ import annotations

import logging
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.provenance.origin import without_password
from pipeline.stage import local_state, project_root
from pipeline.tracking.spool import exclusive
from refinedet.errors import DiskError, FileError
from refinedet.files import atomic_path, full_disk, is_disk_full

if TYPE_CHECKING:
    from mlflow import MlflowClient

logger = logging.getLogger(__name__)

LOCAL = ""
"""Stands for the project's own SQLite file, wherever the project lies."""

_LOCK_SECONDS = 120.0
_SQLITE = "sqlite:///"
_REFUSALS = {
    *("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS", "INVALID_STATE"),
    *("BAD_REQUEST", "MALFORMED_REQUEST"),
}
"""What MLflow answers to a request that it will never take."""
_FAILURES = {"INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED"}
_SERVER_ERROR = 500
_STATUS = re.compile(r"failed with error code (\d+)")


def chosen_store() -> str:
    """The address that MLFLOW_TRACKING_URI names, or LOCAL."""
    return os.environ.get("MLFLOW_TRACKING_URI") or LOCAL


def shown(store: str) -> str:
    """The address for people: without a password."""
    return without_password(store) or str(project_root() / "mlflow.db")


def is_remote(store: str) -> bool:
    """Whether a server stands between, which may be away for a while."""
    return store.startswith(("http://", "https://"))


def uri_of(store: str) -> str:
    """URI of the store, as MLflow's own commands take it."""
    return store or _sqlite_uri(project_root() / "mlflow.db")


def local_file(store: str) -> Path | None:
    """The SQLite file that holds the store; None where it is something else."""
    uri = uri_of(store)
    return Path(uri.removeprefix(_SQLITE)) if uri.startswith(_SQLITE) else None


def connect(store: str) -> MlflowClient:
    """A client of the store; the project's own file is made where it is missing."""
    _hush()
    return _client(store, str(project_root()))


@cache
def _client(store: str, root: str) -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient(store or _local_database(root))


@contextmanager
def opened(store: str) -> Iterator[MlflowClient]:
    """A client of the store, whose failures become one sentence.

    Raises:
        FileError: the store cannot be opened, read or written; DiskError, where that is for want of room.
    """
    _hush()
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield connect(store)
    except DiskError:
        raise
    except (MlflowException, SQLAlchemyError, OSError, sqlite3.Error) as error:
        if not is_remote(store) and is_disk_full(error, project_root()):
            raise full_disk(f"the MLflow store at {shown(store)}") from error
        raise FileError(
            f"expected an MLflow store at {shown(store)}, found it unusable ({first_line(error)}); "
            "mend it, move it away, or set MLFLOW_TRACKING_URI to another one"
        ) from error


def artifact_root(store: str) -> str | None:
    """Where artifacts of the store go; None: its server decides."""
    return None if store and not store.startswith("sqlite:") else (project_root() / "mlartifacts").as_uri()


def is_away(error: BaseException | None) -> bool:
    """Whether the error says that no MLflow answered, or one that fails: no connection, a time-out, a status of 500."""
    from mlflow.exceptions import MlflowException, RestException

    if not isinstance(error, MlflowException):
        return False
    if isinstance(error, RestException):
        return error.error_code in _FAILURES
    status = _STATUS.search(str(error))
    return int(status[1]) >= _SERVER_ERROR if status else "API request to" in str(error)


def is_refusal(error: BaseException) -> bool:
    """Whether MLflow answered, and would answer the same again."""
    from mlflow.exceptions import MlflowException

    # a web page with a bad status comes from something that stands before a server, not from MLflow
    return isinstance(error, MlflowException) and error.error_code in _REFUSALS and not _STATUS.search(str(error))


def first_line(error: BaseException) -> str:
    """The error in one line, without a password."""
    return without_password((str(error).strip() or type(error).__name__).splitlines()[0])


def _local_database(root: str) -> str:
    """URI of mlflow.db, made if missing: beside its place and then moved there, under a lock.

    MLflow builds its tables in fifty steps over several seconds, and a file where that was interrupted never opens
    again.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    database = Path(root) / "mlflow.db"
    if not database.exists():
        with exclusive(local_state("locks") / "mlflow.db", wait_seconds=_LOCK_SECONDS):
            if not database.exists():
                logger.info("making %s", database)
                for leftover in database.parent.glob(".mlflow-*.db*"):  # of a process that was killed here
                    leftover.unlink()
                with atomic_path(database) as temporary:
                    store = SqlAlchemyStore(_sqlite_uri(temporary), artifact_root(LOCAL))  # type: ignore[no-untyped-call]
                    store.engine.dispose()
    return _sqlite_uri(database)


def _sqlite_uri(path: Path) -> str:
    return _SQLITE + path.as_posix()


def _hush() -> None:
    """Before MLflow's import: no telemetry, no chatter, no minutes of retries. What the user has set stays."""
    for name, value in {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # its errors come back as exceptions, and are reported once by us
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # the spool keeps what was not sent, and we try again
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "GIT_PYTHON_REFRESH": "quiet",
    }.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.WARNING)
