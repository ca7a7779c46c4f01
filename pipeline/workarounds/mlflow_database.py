"""New SQLite database of MLflow, created completely or not at all.

Problem: MLflow builds its tables in fifty steps over several seconds. After an interruption, or if two processes do it
at once, the file never opens again.
Upstream: https://github.com/mlflow/mlflow/issues/23721 (half-migrated for good; there with MySQL).
Versions: MLflow 3.17.
Remove: when MLflow makes its tables in one transaction.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from refinedet.files import PART, atomic_path


def make_database(path: Path, artifact_root: str) -> None:
    """Make a database beside its place and move it there. The caller holds a lock, so only one process does this.

    Args:
        path: path of the new file.
        artifact_root: address of the folder of artifacts.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    for leftover in path.parent.glob(f"{PART}*/{path.name}"):  # left by a process that was killed here
        shutil.rmtree(leftover.parent)
    with atomic_path(path) as temporary:
        store = SqlAlchemyStore(f"sqlite:///{temporary.as_posix()}", artifact_root)  # type: ignore[no-untyped-call]
        store.engine.dispose()
