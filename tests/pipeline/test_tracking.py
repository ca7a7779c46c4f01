"""tracking.py: a real MLflow store on SQLite, made once and copied for each test."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.params import Params, parse_params
from pipeline.tracking import MlflowTracker, record, remember_run, run_of
from refinedet.errors import FileError

if TYPE_CHECKING:
    from mlflow import MlflowClient

ROOT = Path(__file__).resolve().parents[2]
BEGIN = """
import pipeline.tracking as tracking
with tracking._store():
    pass
"""


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """mlflow.db as the first run makes it, in a process that was killed once on the way."""
    folder = tmp_path_factory.mktemp("store")
    command, environment = [sys.executable, "-c", BEGIN], {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("MLFLOW_TRACKING_URI", None)
    first = subprocess.Popen(command, cwd=folder, env=environment)
    deadline = time.monotonic() + 60
    while not any(f.stat().st_size > 50_000 for f in folder.glob(".mlflow*.db")) and time.monotonic() < deadline:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not (folder / "mlflow.db").exists(), "a half-made database must not stand at the place of a whole one"
    subprocess.run(command, cwd=folder, env=environment, check=True)
    assert [f.name for f in folder.iterdir() if f.name.startswith(".mlflow")] == []
    return folder / "mlflow.db"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_database: Path) -> Path:
    """A project folder with an empty store, outside any git repository, as working folder."""
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "DVC_EXP_NAME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def params_of(lr: float = 0.001) -> Params:
    return parse_params({"recipe": "ssdd", "recipes": {"ssdd": {"dataset": "ssdd", "train": {"lr": lr}}}})


def client_of(project: Path) -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{project / 'mlflow.db'}")


def artifacts_of(project: Path, run_id: str) -> list[str]:
    folder = project / "mlartifacts" / run_id / "artifacts"
    return sorted(f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file())


def test_run_holds_settings_hashes_numbers_and_files(project: Path) -> None:
    (project / "params.yaml").write_text("recipe: ssdd\n")
    (project / "outputs" / "tile").mkdir(parents=True)
    (project / "outputs" / "tile" / "train.json").write_text("{}")
    tracker = MlflowTracker.start(params_of())
    tracker.log_metrics({"loss": 2.0, "val_AP": 10.0}, step=1)
    tracker.log_metrics({"loss": 1.0, "val_AP": 20.0}, step=2)
    tracker.log_artifact(project / "params.yaml", "kept")
    tracker.close("FINISHED")
    client = client_of(project)
    run = client.get_run(tracker.run_id)
    assert client.get_experiment(run.info.experiment_id).name == "refinedet-ssdd"
    assert (run.info.status, run.info.run_name) == ("FINISHED", "efficientnet_lite0-512")
    assert (run.data.params["train.lr"], run.data.params["model.input_px"]) == ("0.001", "512")
    assert run.data.metrics["val_AP"] == 20.0
    assert [(m.step, m.value) for m in client.get_metric_history(tracker.run_id, "loss")] == [(1, 2.0), (2, 1.0)]
    assert run.data.tags["md5.tile"].endswith(".dir")
    assert {"git_revision", "hardware.cpu", "torch", "dataset"} <= set(run.data.tags)
    assert artifacts_of(project, tracker.run_id) == ["kept/params.yaml", "params.yaml"]


def test_resumed_run_goes_on_and_a_deleted_one_is_replaced(project: Path) -> None:
    first = MlflowTracker.start(params_of())
    first.log_metrics({"loss": 2.0}, step=1)
    first.close("KILLED")
    again = MlflowTracker.start(params_of(), run_id=first.run_id)
    assert again.run_id == first.run_id
    client = client_of(project)
    assert client.get_run(first.run_id).info.status == "RUNNING"
    again.close()
    assert client.get_run(first.run_id).info.status == "FINISHED"
    client.delete_run(first.run_id)
    assert MlflowTracker.start(params_of(), run_id=first.run_id).run_id != first.run_id
    assert MlflowTracker.start(params_of(), run_id="0" * 32).run_id != "0" * 32


def test_temporary_copy_of_dvc_writes_to_the_real_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = project / ".dvc" / "tmp" / "exps" / "abc"
    copy.mkdir(parents=True)
    monkeypatch.chdir(copy)
    monkeypatch.setenv("DVC_EXP_NAME", "puffy-bard")
    (copy / "model.safetensors").write_bytes(b"weights")
    tracker = MlflowTracker.start(params_of())
    tracker.log_artifact(copy / "model.safetensors")
    remember_run(copy / "model.safetensors", tracker.run_id)
    assert client_of(project).get_run(tracker.run_id).info.run_name == "puffy-bard"
    assert artifacts_of(project, tracker.run_id) == ["model.safetensors"]
    assert [f.name for f in copy.iterdir()] == ["model.safetensors"], "nothing is left in the copy, which DVC removes"
    monkeypatch.chdir(project)
    shutil.move(copy / "model.safetensors", project / "other.safetensors")
    assert run_of(project / "other.safetensors") == tracker.run_id, "found by content, wherever the file lies"


def test_record_adds_to_the_run_of_the_checkpoint(project: Path) -> None:
    checkpoint = project / "model.safetensors"
    checkpoint.write_bytes(b"weights")
    training = MlflowTracker.start(params_of())
    training.close()
    remember_run(checkpoint, training.run_id)
    client = client_of(project)
    ended = client.get_run(training.run_id).info.end_time
    record(checkpoint, params_of(), {"test/AP": 55.0}, [(checkpoint, "report")])
    run = client.get_run(training.run_id)
    assert (run.data.metrics["test/AP"], run.info.end_time) == (55.0, ended), "its end stays the end of the training"
    assert artifacts_of(project, training.run_id) == ["report/model.safetensors"]

    checkpoint.write_bytes(b"weights from elsewhere")
    record(checkpoint, params_of(), {"test/AP": 44.0}, [])
    fresh = run_of(checkpoint)
    assert fresh is not None
    assert fresh != training.run_id
    run = client.get_run(fresh)
    assert (run.data.metrics["test/AP"], run.info.status) == (44.0, "FINISHED")
    assert len(run.data.tags["checkpoint_sha256"]) == 64


def test_failure_midway_is_one_warning(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    tracker = MlflowTracker.start(params_of())
    client_of(project).delete_run(tracker.run_id)
    with caplog.at_level(logging.WARNING):
        tracker.log_metrics({"loss": 1.0}, step=1)
        tracker.log_metrics({"loss": 1.0}, step=2)
        tracker.log_artifact(project / "absent.txt")
        tracker.close()
    warnings = [r.getMessage() for r in caplog.records if r.name == "pipeline.tracking"]
    assert len(warnings) == 1
    assert "incomplete" in warnings[0]


@pytest.mark.parametrize(
    ("uri", "content"),
    [
        pytest.param(None, b"not a database, not even close" * 40, id="mlflow.db holds something else"),
        pytest.param("http://127.0.0.1:9/", b"", id="a server that does not answer"),
    ],
)
def test_unusable_store_is_told_before_training_and_never_stops_an_evaluation(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    uri: str | None,
    content: bytes,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    if uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    else:
        (project / "mlflow.db").write_bytes(content)
    with pytest.raises(FileError, match="MLflow store"):
        MlflowTracker.start(params_of())
    checkpoint = project / "model.safetensors"
    checkpoint.write_bytes(b"weights")
    with caplog.at_level(logging.WARNING):
        record(checkpoint, params_of(), {"test/AP": 1.0}, [])
    assert "not recorded in MLflow" in caplog.text


def test_mlflow_does_not_phone_home(empty_database: Path) -> None:
    """Outside tests and CI, where MLflow would report; asked of MLflow itself."""
    code = (
        "import pipeline.tracking as t\n"
        "with t._store(): pass\n"
        "import mlflow.telemetry.utils as u, mlflow.telemetry as m\n"
        "print(u.is_telemetry_disabled(), m.get_telemetry_client())"
    )
    told = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "CI", "MLFLOW", "DO_NOT", "GITHUB"))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=empty_database.parent,
        env={**told, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["True", "None"]
    assert done.stderr == "", "quiet"
