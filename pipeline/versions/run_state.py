"""What a run in MLflow keeps of its code, settings and results, fetched back."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.provenance import state
from pipeline.provenance.origin import without_password
from pipeline.stage import project_root
from pipeline.tracking.store import chosen_store, opened
from refinedet.errors import FileError, InputError
from refinedet.files import read_json

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True, slots=True)
class RunState:
    """A run, and one of its stages, fetched into a folder."""

    run_id: str
    stage: str
    folder: Path
    """Holds the files that pipeline/provenance/state.py names."""
    facts: Mapping[str, Any]
    """Content of its state.json."""
    wrote: Mapping[str, Mapping[str, Any]]
    """Output of the stage -> md5, size; empty where the stage never ended."""
    metrics: Mapping[str, float]
    """Last value of each metric of the run."""
    tags: Mapping[str, str]


@contextmanager
def fetched(run_id: str, stage: str | None = None) -> Iterator[RunState]:
    """The state that a run kept last, or that of its stage `stage`; its files vanish with the context.

    Raises:
        FileError: the store is unusable.
        InputError: there is no such run, or it kept no such state.
    """
    if not os.environ.get("MLFLOW_TRACKING_URI") and not (project_root() / "mlflow.db").is_file():
        raise FileError(
            f"expected an MLflow store at {project_root() / 'mlflow.db'}, found none; "
            "call this where the runs are, or set MLFLOW_TRACKING_URI to their store"
        )
    with tempfile.TemporaryDirectory(prefix="refinedet-run-") as name:
        with opened(chosen_store()) as client:
            run = _run(client, run_id)
            stages = [Path(entry.path).name for entry in client.list_artifacts(run_id, state.FOLDER) if entry.is_dir]
            read = {each: _facts(client, run_id, each, Path(name)) for each in stages}
            told = {each: facts for each, facts in read.items() if facts is not None}
            if not told or (stage or next(iter(told))) not in told:
                raise InputError(
                    f"expected run {run_id} to hold the state of {'stage ' + stage if stage else 'a stage'}, found "
                    f"{sorted(told) or 'none'}; runs outside of a DVC project, or of older versions, have none"
                )
            chosen = stage or max(told, key=lambda each: told[each]["captured"])
            place = f"{state.FOLDER}/{chosen}"
            folder = Path(client.download_artifacts(run_id, place, name))
        sums = folder / state.SUMS
        wrote = read_json(sums) if sums.is_file() else {}
        yield RunState(run_id, chosen, folder, told[chosen], wrote, run.data.metrics, run.data.tags)


def fetch_artifact(run_id: str, path: str, target: Path) -> bool:
    """Copy an artifact of a run to `target`; False where the run has none of that name.

    Raises:
        FileError: the store is unusable.
        InputError: there is no such run.
    """
    with opened(chosen_store()) as client, tempfile.TemporaryDirectory(prefix="refinedet-run-") as name:
        _run(client, run_id)
        parent = path.rpartition("/")[0]
        if path not in {entry.path for entry in client.list_artifacts(run_id, parent or None)}:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(client.download_artifacts(run_id, path, name), target)
        return True


def _run(client: MlflowClient, run_id: str) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        return client.get_run(run_id)
    except MlflowException as error:
        if error.error_code not in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            raise
        raise InputError(
            f"expected the id of a run, found none with the id {run_id!r} in "
            f"{without_password(client.tracking_uri)}; the MLflow UI shows "
            "ids, and MLFLOW_TRACKING_URI names another store"
        ) from error


def _facts(client: MlflowClient, run_id: str, stage: str, folder: Path) -> dict[str, Any] | None:
    path = f"{state.FOLDER}/{stage}/{state.STATE}"
    if path not in {entry.path for entry in client.list_artifacts(run_id, f"{state.FOLDER}/{stage}")}:
        return None
    facts: dict[str, Any] = read_json(client.download_artifacts(run_id, path, str(folder)))
    if facts.get("schema") != 1:
        raise FileError(f"expected {path} of run {run_id} in schema 1, found {facts.get('schema')!r}; update refinedet")
    return facts
