"""New SQLite database of MLflow, whole or not at all.

Problem: MLflow builds its tables in fifty steps over several seconds. If that is interrupted, or done by two processes
    at once, the file never opens again.
Upstream: https://github.com/mlflow/mlflow/issues/23721 (half-migrated for good; there with MySQL).
Versions: MLflow 3.17.
Remove: when MLflow makes its tables in one transaction.
"""

from __future__ import annotations

from pathlib import Path

from refinedet.files import atomic_path


def make_database(path: Path, artifact_root: str) -> None:
    """Make a database beside its place and move it there. The caller has a lock, for one process at a time.

    Args:
        path: path of the new file.
        artifact_root: address of the folder of artifacts.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    for leftover in path.parent.glob(f".{path.stem}-*.db*"):  # of a process that was killed here
        leftover.unlink()
    with atomic_path(path) as temporary:
        store = SqlAlchemyStore(f"sqlite:///{temporary.as_posix()}", artifact_root)  # type: ignore[no-untyped-call]
        store.engine.dispose()
