"""Store of MLflow's runs: a client for it, and its errors as one sentence.

By default it is a SQLite file `mlflow.db` and a folder `mlartifacts` in the real project folder, even if DVC runs a
stage in a temporary copy. MLFLOW_TRACKING_URI names another store.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.provenance.origin import without_password
from pipeline.stage import local_state, project_root
from pipeline.tracking.spool import Busy, exclusive
from pipeline.workarounds.mlflow_database import make_database
from pipeline.workarounds.mlflow_environment import quiet_mlflow
from refinedet.errors import FileError, RefineDetError
from refinedet.files import full_disk, is_disk_full

if TYPE_CHECKING:
    from mlflow import MlflowClient

logger = logging.getLogger(__name__)

LOCAL = ""
"""Name of the project's own SQLite file as a store, independent of the project's path."""

_LOCK_SECONDS = 120.0
_SQLITE = "sqlite:///"


def chosen_store() -> str:
    """Address in MLFLOW_TRACKING_URI, or LOCAL."""
    return os.environ.get("MLFLOW_TRACKING_URI") or LOCAL


def shown(store: str) -> str:
    """Address of the store for people, without a password."""
    return without_password(store) or str(project_root() / "mlflow.db")


def is_remote(store: str) -> bool:
    """True for a store behind a server, which may be unreachable for a while."""
    return store.startswith(("http://", "https://"))


def uri_of(store: str) -> str:
    """URI of the store for MLflow's own commands."""
    return store or _sqlite_uri(project_root() / "mlflow.db")


def local_file(store: str) -> Path | None:
    """SQLite file that holds the store; None for a store of another kind."""
    uri = uri_of(store)
    return Path(uri.removeprefix(_SQLITE)) if uri.startswith(_SQLITE) else None


def connect(store: str) -> MlflowClient:
    """Connect to the store; a missing file of the project is created."""
    quiet_mlflow()
    return _client(store, str(project_root()))


@cache
def _client(store: str, root: str) -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient(store or _local_database(root))


@contextmanager
def connected_client(store: str) -> Iterator[MlflowClient]:
    """Connect to the store; failures within the block become one sentence.

    Raises:
        FileError: the store cannot be opened, read or written; a DiskError if the disk is full.
    """
    quiet_mlflow()
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield connect(store)
    except RefineDetError:  # an error about the content, which is one sentence already
        raise
    except Busy as error:
        raise FileError(
            f"expected to make the MLflow store at {shown(store)}, found another process at it for more than "
            f"{_LOCK_SECONDS:g} s; wait for that one, or end it, and run the same again"
        ) from error
    except (MlflowException, SQLAlchemyError, OSError, sqlite3.Error) as error:
        if not is_remote(store) and is_disk_full(error, project_root()):
            raise full_disk(f"the MLflow store at {shown(store)}") from error
        raise FileError(
            f"expected an MLflow store at {shown(store)}, found it unusable ({first_line(error)}); "
            "mend it, move it away, or set MLFLOW_TRACKING_URI to another one"
        ) from error


def artifact_root(store: str) -> str | None:
    """Address of the store's artifacts; None if its server decides."""
    return None if store and not store.startswith("sqlite:") else _local_artifacts()


def first_line(error: BaseException) -> str:
    """First line of the error's text, without a password."""
    return without_password((str(error).strip() or type(error).__name__).splitlines()[0])


def _local_database(root: str) -> str:
    """URI of mlflow.db; if it is missing, one process creates it while others wait."""
    database = Path(root) / "mlflow.db"
    if not database.exists():
        with exclusive(local_state("locks") / "mlflow.db", wait_seconds=_LOCK_SECONDS):
            if not database.exists():
                logger.info("making %s", database)
                make_database(database, _local_artifacts())
    return _sqlite_uri(database)


def _sqlite_uri(path: Path) -> str:
    return _SQLITE + path.as_posix()


def _local_artifacts() -> str:
    return (project_root() / "mlartifacts").as_uri()
