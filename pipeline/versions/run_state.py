"""Download of the state that a run in MLflow keeps of its code, settings and results."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pipeline.provenance import state
from pipeline.provenance.origin import without_password
from pipeline.stage import project_root
from pipeline.tracking.store import chosen_store, connected_client
from pipeline.versions.record import Record, Sha256, StageName, Sum, parse_record, parse_sums, parsed
from refinedet.errors import FileError, InputError
from refinedet.files import read_json

if TYPE_CHECKING:
    from mlflow import MlflowClient


_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,255}")


@dataclass(frozen=True, slots=True)
class RunState:
    """State of a run and one of its stages, downloaded into a folder."""

    run_id: str
    stage: str
    folder: Path
    """Folder with the files that pipeline/provenance/state.py names."""
    record: Record
    """Content of its state.json."""
    wrote: Mapping[str, Sum]
    """Output of the stage -> MD5 and size; empty if the stage never ended."""
    metrics: Mapping[str, float]
    """Last value of each metric of the run."""
    tags: Mapping[str, str]


@contextmanager
def fetched(run_id: str, stage: str | None = None) -> Iterator[RunState]:
    """Yield the last state of a run, or that of its stage `stage`; its files are removed at the end of the block.

    Raises:
        FileError: the store is unusable.
        InputError: there is no such run, or it kept no such state.
    """
    if not os.environ.get("MLFLOW_TRACKING_URI") and not (project_root() / "mlflow.db").is_file():
        raise FileError(
            f"expected an MLflow store at {project_root() / 'mlflow.db'}, found none; "
            "call this where the runs are, or set MLFLOW_TRACKING_URI to their store"
        )
    if not _RUN_ID.fullmatch(run_id):
        raise InputError(f"expected the id of a run in letters and digits, found {run_id!r}; the MLflow UI shows ids")
    with tempfile.TemporaryDirectory(prefix="refinedet-run-") as name:
        with connected_client(chosen_store()) as client:
            run = _run(client, run_id)
            told = dict(_records(client, run_id, Path(name)))
            if not told or (stage or next(iter(told))) not in told:
                raise InputError(
                    f"expected run {run_id} to hold the state of {'stage ' + stage if stage else 'a stage'}, found "
                    f"{sorted(told) or 'none'}; runs outside of a DVC project, or of older versions, have none"
                )
            chosen = stage or max(told, key=lambda each: told[each].captured)
            place = f"{state.FOLDER}/{chosen}"
            folder = Path(client.download_artifacts(run_id, place, name))
        sums = folder / state.SUMS
        wrote = parse_sums(read_json(sums), f"{place}/{state.SUMS} of run {run_id}") if sums.is_file() else {}
        tags = _tags(run.data.tags, run_id)
        yield RunState(run_id, chosen, folder, told[chosen], wrote, run.data.metrics, tags)


def fetch_artifact(run_id: str, path: str, target: Path) -> bool:
    """Copy an artifact of a run to `target`; False if the run has no artifact of that name.

    Raises:
        FileError: the store is unusable.
        InputError: there is no such run.
    """
    with connected_client(chosen_store()) as client, tempfile.TemporaryDirectory(prefix="refinedet-run-") as name:
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


def _records(client: MlflowClient, run_id: str, folder: Path) -> Iterator[tuple[str, Record]]:
    """Stages that kept their state, each with its record."""
    for entry in client.list_artifacts(run_id, state.FOLDER):
        stage, path = PurePosixPath(entry.path).name, f"{entry.path}/{state.STATE}"
        where = f"{path} of run {run_id}"
        parsed(stage, StageName, f"the folder {entry.path!r} of run {run_id}")
        if not entry.is_dir or path not in {each.path for each in client.list_artifacts(run_id, entry.path)}:
            continue
        record = parse_record(read_json(client.download_artifacts(run_id, path, str(folder))), where)
        if record.stage != stage:
            raise FileError(f"expected {where} to be of stage {stage}, found {record.stage}; do not trust it")
        yield stage, record


def _tags(tags: Mapping[str, str], run_id: str) -> Mapping[str, str]:
    if "checkpoint_sha256" in tags:
        parsed(tags["checkpoint_sha256"], Sha256, f"tag checkpoint_sha256 of run {run_id}")
    return tags
