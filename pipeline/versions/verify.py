"""Verification of a run: evaluates its weights again with its own code, and compares each metric."""

from __future__ import annotations

import logging
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.provenance.origin import machine_tags
from pipeline.provenance.state import pipeline_stages
from pipeline.stage import local_state
from pipeline.stages.evaluate import DETECTIONS
from pipeline.versions.record import parsed
from pipeline.versions.restore import CHECKPOINT, MARKER, restore
from pipeline.versions.run_state import RunState, fetch_artifact, fetched
from pipeline.versions.worktree import remove_worktree
from refinedet.errors import FileError, InputError
from refinedet.files import read_json, sha256_file

logger = logging.getLogger(__name__)

TOLERANCE = 0.01
"""Default tolerance in the unit of the metric, mostly percent: another processor may change metrics by that much."""

_STAGE = "evaluate"
_METRICS = "evaluate/metrics.json"
_COMMAND = re.compile(r"python -m (pipeline(?:\.[a-z_][a-z0-9_]*)+)")
_OWN = ("MLFLOW_EXPERIMENT_NAME", "MLFLOW_RUN_ID", "DVC_EXP_NAME", "PYTHONPATH")
"""Environment variables that must not reach the evaluation, because they would redirect it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One metric."""

    name: str
    """`<part of the test split>/<measure>`."""
    logged: float | None
    """Logged value; None if the run never logged the metric."""
    now: float | None
    """New value; None if the evaluation no longer computes the metric."""

    @property
    def difference(self) -> float:
        """New value minus logged value; infinite if one of them is missing."""
        return math.inf if self.logged is None or self.now is None else self.now - self.logged


@dataclass(frozen=True, slots=True)
class Verified:
    """Result of a verification."""

    rows: Sequence[Row]
    tolerance: float
    detections: Mapping[str, bool]
    """File of detections -> true if its bytes equal those of the run."""
    machine: Mapping[str, tuple[str, str]]
    """Changes of the machine that numbers depend on: name -> (in the run, now)."""

    @property
    def mismatches(self) -> list[Row]:
        """Metrics that differ by more than the tolerance, or are missing on one side."""
        return [row for row in self.rows if not abs(row.difference) <= self.tolerance]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        rows = [asdict(row) for row in self.rows]
        return {**asdict(self), "rows": rows, "mismatches": [row.name for row in self.mismatches]}


def verify(run_id: str, *, tolerance: float = TOLERANCE, folder: Path | None = None) -> Verified:
    """Evaluate the checkpoint of a run again, with the run's own code and data, in a restored worktree.

    Args:
        run_id: a run in MLflow that was evaluated.
        tolerance: the largest difference that still counts as equal, in the unit of the metric.
        folder: folder for the restored run, which is kept; a folder that `restore` made for this run is used
            unchanged. None: a temporary folder.

    Raises:
        FileError: the run cannot be restored, or its evaluation fails.
        InputError: there is no such run, or it was never evaluated.
    """
    with fetched(run_id, _STAGE) as state, TemporaryDirectory(prefix="refinedet-verify-") as name:
        logged = _logged(state, Path(name) / "metrics.json")
        with _restored(state, folder) as project:
            _check_weights(state, project)
            _evaluate(project, Path(name))
            now = _flat(project / "outputs" / _METRICS)
            same = dict(_same_detections(run_id, project, Path(name)))
        rows = [Row(key, logged.get(key), now.get(key)) for key in sorted({*logged, *now})]
        here = machine_tags()
        changed = {
            key: (state.tags[key], here[key]) for key in sorted(here) if state.tags.get(key, here[key]) != here[key]
        }
        return Verified(rows, tolerance, same, changed)


def _logged(state: RunState, copy: Path) -> dict[str, float]:
    """Metrics of the evaluation as the run logged them; metrics logged under other names come from its files."""
    if not fetch_artifact(state.run_id, _METRICS, copy):
        raise InputError(f"expected run {state.run_id} to keep {_METRICS}, found none; it was never evaluated")
    return {key: state.metrics.get(key, value) for key, value in _flat(copy).items()}


def _flat(path: Path) -> dict[str, float]:
    metrics = parsed(read_json(path), dict[str, dict[str, float]], path.name)
    return {f"{part}/{key}": float(value) for part, values in metrics.items() for key, value in values.items()}


@contextmanager
def _restored(state: RunState, folder: Path | None) -> Iterator[Path]:
    """Project of the run, with all inputs of its evaluation."""
    if folder is not None and (folder / state.record.code.prefix / MARKER).is_file():
        marker = folder / state.record.code.prefix / MARKER
        found = parsed(read_json(marker), dict[str, str], str(marker)).get("run_id")
        if found != state.run_id:
            raise FileError(
                f"expected run {state.run_id} in {folder}, found run {found} restored there; name another folder"
            )
        yield marker.parent.parent
        return
    place = folder or local_state("verify") / state.run_id
    made = restore(state.run_id, place, stage=_STAGE, only=list(state.record.inputs_md5))
    try:
        wrong = [f"{check.path} ({check.state})" for check in made.checks if check.state != "same"]
        if wrong:
            raise FileError(
                f"expected all that run {state.run_id} was evaluated on, found {', '.join(wrong)}. "
                f"{'. '.join(made.notes)}"
            )
        yield made.project
    finally:
        if folder is None:
            remove_worktree(place)


def _check_weights(state: RunState, project: Path) -> None:
    expected, found = state.tags.get("checkpoint_sha256"), sha256_file(project / CHECKPOINT)
    if expected not in {None, found}:
        raise FileError(f"expected weights of SHA-256 {expected} at {project / CHECKPOINT}, found {found}")


def _evaluate(project: Path, scratch: Path) -> None:
    """Run the stage of the restored code; its MLflow record goes to a temporary store."""
    environment = {key: value for key, value in os.environ.items() if key not in _OWN}
    module = _module(project)
    environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{(scratch / 'mlflow.db').as_posix()}"
    logger.info("evaluating in %s", project)
    done = subprocess.run(  # noqa: S603 - this Python, and a module of ours
        [sys.executable, "-m", module],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip() or "nothing").splitlines()[-1]
        raise FileError(f"expected the evaluation to succeed in {project}, found status {done.returncode}: {last}")


def _module(project: Path) -> str:
    """Name of the module that the restored dvc.yaml runs for the stage; it differs between revisions.

    Raises:
        FileError: the command has another form, or the restored code has no such module.
    """
    stage = pipeline_stages(project / "dvc.yaml").get(_STAGE)
    command = "no such stage" if stage is None else stage.command
    named = _COMMAND.fullmatch(command)
    if named is None or not project.joinpath(*named[1].split(".")).with_suffix(".py").is_file():
        raise FileError(
            f"expected stage {_STAGE} of {project / 'dvc.yaml'} to run a module of the restored project, "
            f"found {command!r}"
        )
    return named[1]


def _same_detections(run_id: str, project: Path, scratch: Path) -> Iterator[tuple[str, bool]]:
    for name in DETECTIONS.values():
        now, then = project / "outputs" / _STAGE / name, scratch / name
        if now.is_file() and fetch_artifact(run_id, f"{_STAGE}/{name}", then):
            yield name, now.read_bytes() == then.read_bytes()
