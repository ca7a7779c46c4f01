"""Real trainings whose MLflow server dies, and two that write to one SQLite file at once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from cli.app import app
from pipeline.tracking.runs import run_of
from tests.pipeline.mlflow_server import MlflowServer, client_of, nothing_waits, wait_until
from tests.pipeline.stages.test_train import RECIPE, ROOT, write_chips

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

EPOCHS = 12


def prepare(folder: Path, seed: int) -> None:
    """A project with a few chips and a recipe of a dozen short epochs."""
    write_chips(folder / "outputs/tile", "train", 16)
    write_chips(folder / "outputs/tile", "val", 3)
    recipe = {**RECIPE, "train": {**RECIPE["train"], "epochs": EPOCHS, "seed": seed}}
    YAML().dump({"recipe": "made", "recipes": {"made": recipe}}, folder / "params.yaml")
    YAML().dump({"stages": {"train": {"cmd": "x", "deps": ["outputs/tile"]}}}, folder / "dvc.yaml")


def begin(folder: Path) -> subprocess.Popen[str]:
    """Start the stage as DVC does."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL": "1"}
    environment.pop("REFINEDET_TORCHRUN", None)
    command = [sys.executable, "-m", "pipeline.stages.train"]
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)


def check_whole(store: Path, run_id: str, folder: Path) -> None:
    """MLflow has every number of every epoch, once, as outputs/train has it; and the model."""
    client = client_of(store)
    run = client.get_run(run_id)
    rows: list[dict[str, Any]] = json.loads((folder / "outputs/train/history.json").read_text(encoding="utf-8"))
    assert [row["epoch"] for row in rows] == list(range(1, EPOCHS + 1))
    for name, key in (("train/loss", "loss"), ("val/AP50", "val_AP50"), ("train/lr", "lr")):
        history = client.get_metric_history(run_id, name)
        assert sorted((m.step, m.value) for m in history) == [(int(row["epoch"]), row[key]) for row in rows], name
        times = [m.timestamp for m in sorted(history, key=lambda m: m.step)]
        assert times == sorted(times)
        assert run.info.start_time <= times[0] <= times[-1] <= run.info.end_time
        assert len(set(times)) > EPOCHS // 2, "each epoch at its own time"
    loads = client.get_metric_history(run_id, "system/cpu_utilization_percentage")
    assert set(Counter(m.step for m in loads).values()) == {1}
    assert run.info.status == "FINISHED"
    assert [used.dataset.name for used in run.inputs.dataset_inputs] == ["made-train", "made-val"]
    (version,) = client.search_model_versions(f"run_id = '{run_id}'")
    assert version.name == "refinedet-made"


def test_a_training_outlives_its_server_and_tells_it_later(mlflow_server: MlflowServer, project: Path) -> None:
    prepare(project, seed=1)
    training = begin(project)
    client = client_of(mlflow_server.folder)

    def has_begun() -> bool:
        found = client.get_experiment_by_name("refinedet-made")
        runs = [] if found is None else client.search_runs([found.experiment_id])
        return any("train/loss" in run.data.metrics for run in runs)

    wait_until(has_begun, 120)
    mlflow_server.kill()
    said = training.communicate()[1]
    assert training.returncode == 0, said
    assert said.count("does not take everything") == 1
    assert "refinedet sync" in said
    mlflow_server.start()
    done = CliRunner().invoke(app, ["sync"])
    assert done.exit_code == 0, done.output
    assert nothing_waits()
    run_id = run_of(project / "outputs/train/model.safetensors")
    assert run_id is not None
    check_whole(mlflow_server.folder, run_id, project)


def test_two_trainings_write_to_the_sqlite_file_at_once(project: Path) -> None:
    folders = [project / ".dvc" / "tmp" / "exps" / name for name in ("a", "b")]
    for seed, folder in enumerate(folders):
        folder.mkdir(parents=True)
        prepare(folder, seed)
    (project / "mlflow.db").unlink()
    shutil.rmtree(project / "mlartifacts", ignore_errors=True)
    trainings = [begin(folder) for folder in folders]
    said = [training.communicate()[1] for training in trainings]
    assert [training.returncode for training in trainings] == [0, 0], said
    assert "incomplete" not in "".join(said)
    assert nothing_waits(), said
    runs = [run_of(folder / "outputs/train/model.safetensors") for folder in folders]
    assert len(set(runs)) == 2
    for run_id, folder in zip(runs, folders, strict=True):
        assert not (folder / "mlflow.db").exists(), "DVC removes this folder"
        check_whole(project, str(run_id), folder)
