"""seeds.py: one experiment for each seed, with DVC's own way to change params.yaml, and their group."""

from __future__ import annotations

import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides

from pipeline.params import load_params
from pipeline.tracking import seeds
from pipeline.tracking.runs import MlflowTracker, remember_run
from refinedet.errors import InputError, RefineDetError
from tests.pipeline.mlflow_server import client_of

PARAMS = Path(__file__).resolve().parents[3] / "params.yaml"


@pytest.fixture
def dvc(project: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Stands for DVC: reads the settings as the training would, and leaves a checkpoint and a run; its seeds."""
    shutil.copy(PARAMS, project / "params.yaml")
    seen: list[int] = []

    real = subprocess.run

    def run(command: list[str], **given: Any) -> Any:
        if command[1:5] != ["-m", "dvc", "exp", "run"]:
            return real(command, **given)
        apply_overrides("params.yaml", [word for flag, word in pairwise(command) if flag == "-S"])
        params = load_params()
        assert (params.recipe, params.train.epochs) == ("ssdd", 3)
        seed = params.train.seed
        if seed == 13:
            raise subprocess.CalledProcessError(1, command)
        seen.append(seed)
        monkeypatch.setenv("MLFLOW_RUN_NAME", given["env"]["MLFLOW_RUN_NAME"])
        checkpoint = Path("outputs/train/model.safetensors")
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.write_bytes(bytes([seed]))
        tracker = MlflowTracker.start(params)
        tracker.log_metrics({"test/AP": 50.0 + seed}, step=0)
        tracker.close()
        remember_run(checkpoint, tracker.run_id)
        return None

    monkeypatch.setattr(seeds.subprocess, "run", run)
    return seen


def test_every_seed_is_an_experiment_under_one_parent(
    dvc: list[int], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["seeds", "--recipe", "ssdd", "--seeds", "1", "2", "3", "-S", "recipes.ssdd.train.epochs=3"]
    monkeypatch.setattr(sys, "argv", words)
    seeds.main()
    assert dvc == [1, 2, 3]
    assert Path("params.yaml").read_bytes() == PARAMS.read_bytes()
    runs = {run.info.run_name: run for run in client_of(project).search_runs(["1"])}
    assert sorted(runs) == ["ssdd seed 1", "ssdd seed 2", "ssdd seed 3", "ssdd seeds"]
    parent = runs.pop("ssdd seeds")
    assert (parent.data.metrics["test/AP"], parent.data.metrics["test/AP_std"]) == (52.0, 1.0)
    assert {run.data.tags["mlflow.parentRunId"] for run in runs.values()} == {parent.info.run_id}


def test_a_failed_seed_leaves_the_others_grouped_and_params_as_they_were(dvc: list[int], project: Path) -> None:
    with pytest.raises(RefineDetError, match="seed=13"):
        seeds.run_seeds([1, 13, 2], "ssdd", ["recipes.ssdd.train.epochs=3"])
    assert dvc == [1]
    assert Path("params.yaml").read_bytes() == PARAMS.read_bytes()
    names = sorted(str(run.info.run_name) for run in client_of(project).search_runs(["1"]))
    assert names == ["ssdd seed 1", "ssdd seeds"]


def test_a_store_that_is_away_is_a_warning(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    (project / "mlflow.db").write_bytes(b"no database" * 100)
    seeds.try_to_group("ssdd seeds", ["0" * 32])
    seeds.try_to_group("ssdd seeds", [None])
    assert caplog.text.count("not grouped under 'ssdd seeds'") == 2


def test_a_seed_named_twice_is_an_error() -> None:
    with pytest.raises(InputError, match="expected different seeds, found 1 2 1"):
        seeds.run_seeds([1, 2, 1], "ssdd", [])
