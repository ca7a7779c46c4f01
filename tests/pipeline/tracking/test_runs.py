"""runs.py: a real MLflow store on SQLite, made once and copied for each test."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.provenance.origin import data_md5
from pipeline.tracking.runs import MlflowTracker, remember_run, run_of, track
from pipeline.tracking.spool import Spool
from refinedet.errors import DiskError, FileError
from tests.pipeline.mlflow_server import client_of, nothing_waits, params_of, wait_until

ROOT = Path(__file__).resolve().parents[3]


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
    assert (run.info.status, run.info.run_name) == ("FINISHED", "efficientnet-lite0 512 px, 30 epochs, seed 1")
    assert (run.data.params["lr"], run.data.params["input_px"]) == ("0.001", "512")
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
    wait_until(nothing_waits)
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
    tracker.close()
    assert client_of(project).get_run(tracker.run_id).data.tags["dvc_experiment"] == "puffy-bard"
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
    track(checkpoint, params_of(), {"test/AP": 55.0}, [(checkpoint, "report")])
    run = client.get_run(training.run_id)
    assert (run.data.metrics["test/AP"], run.info.end_time) == (55.0, ended), "its end stays the end of the training"
    assert artifacts_of(project, training.run_id) == ["report/model.safetensors"]

    checkpoint.write_bytes(b"weights from elsewhere")
    track(checkpoint, params_of(), {"test/AP": 44.0}, [])
    fresh = run_of(checkpoint)
    assert fresh is not None
    assert fresh != training.run_id
    run = client.get_run(fresh)
    assert (run.data.metrics["test/AP"], run.info.status) == (44.0, "FINISHED")
    assert len(run.data.tags["checkpoint_sha256"]) == 64


def test_what_is_refused_is_one_warning_and_holds_up_no_other_run(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tracker, other = MlflowTracker.start(params_of()), MlflowTracker.start(params_of())
    wait_until(nothing_waits)
    client_of(project).delete_run(tracker.run_id)
    with caplog.at_level(logging.WARNING):
        tracker.log_metrics({"loss": 1.0}, step=1)
        tracker.log_metrics({"loss": 1.0}, step=2)
        other.log_metrics({"loss": 3.0}, step=1)
        tracker.close()
        other.close()
    warnings = [r.getMessage() for r in caplog.records if r.name.startswith("pipeline")]
    assert len(warnings) == 1
    assert "incomplete" in warnings[0]
    assert client_of(project).get_run(other.run_id).data.metrics == {"loss": 3.0}
    assert nothing_waits()


def test_a_second_value_of_a_setting_costs_that_setting_alone(project: Path) -> None:
    tracker = MlflowTracker.start(params_of())
    tracker.log_params({"lr": 7})
    tracker.log_metrics({"loss": 1.0}, step=1)
    tracker.close()
    run = client_of(project).get_run(tracker.run_id)
    assert (run.data.params["lr"], run.data.metrics["loss"], run.info.status) == ("0.001", 1.0, "FINISHED")


def test_a_missing_file_or_a_full_disk_is_one_warning(
    project: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = MlflowTracker.start(params_of())
    with caplog.at_level(logging.WARNING):
        tracker.log_artifact(project / "absent.txt")

        def full(*_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        with monkeypatch.context() as patched:
            patched.setattr(Spool, "add", full)
            tracker.log_metrics({"loss": 1.0}, step=1)
        tracker.log_metrics({"loss": 1.0}, step=2)
        tracker.close()
    (warning,) = [r.getMessage() for r in caplog.records if r.name == "pipeline.tracking.runs"]
    assert "absent.txt" in warning
    with pytest.raises(DiskError, match=f"MLflow run {tracker.run_id} is told"):
        tracker.require_kept()
    assert [m.step for m in client_of(project).get_metric_history(tracker.run_id, "loss")] == [2]


def test_a_record_without_room_is_an_error_since_the_stage_can_run_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    checkpoint = project / "model.safetensors"
    checkpoint.write_bytes(b"weights")
    for broken in ("pipeline.tracking.spool.Spool.add", "pipeline.tracking.runs.create_run"):
        with monkeypatch.context() as patched, pytest.raises(DiskError, match="free some, then run the same again"):
            patched.setattr(broken, full)
            track(checkpoint, params_of(), {"test/AP": 1.0}, [])
    track(checkpoint, params_of(), {"test/AP": 2.0}, [])
    assert client_of(project).get_run(run_of(checkpoint) or "").data.metrics["test/AP"] == 2.0


def test_unwritable_spool_is_one_sentence(project: Path) -> None:
    (project / ".refinedet").write_text("in the way")
    with pytest.raises(FileError, match="holds what MLflow was not told yet"):
        MlflowTracker.start(params_of())


def test_unusable_store_is_told_before_training_and_never_stops_an_evaluation(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (project / "mlflow.db").write_bytes(b"not a database, not even close" * 40)
    with pytest.raises(FileError, match="MLflow store"):
        MlflowTracker.start(params_of())
    checkpoint = project / "model.safetensors"
    checkpoint.write_bytes(b"weights")
    with caplog.at_level(logging.WARNING):
        track(checkpoint, params_of(), {"test/AP": 1.0}, [])
    assert "not recorded in MLflow" in caplog.text


def test_curves_and_data_sets_are_part_of_the_run(project: Path) -> None:
    chips, checkpoint = project / "outputs" / "tile", project / "model.safetensors"
    chips.mkdir(parents=True)
    (chips / "test.json").write_text("{}")
    (chips / "summary.json").write_text('{"test": {"chips": 3, "ships": 5}}')
    checkpoint.write_bytes(b"weights")
    curve = [1.0, 0.9, 0.4]
    track(checkpoint, params_of(), {}, [], curves={"pr/50": curve}, tested_on=Path("outputs/tile"))
    run_id = run_of(checkpoint)
    assert run_id is not None
    client = client_of(project)
    history = sorted(client.get_metric_history(run_id, "pr/50"), key=lambda m: m.step)
    assert [(m.step, m.value) for m in history] == list(enumerate(curve))
    (used,) = client.get_run(run_id).inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("ssdd-test", data_md5(chips))
    assert json.loads(used.dataset.profile) == {"chips": 3, "ships": 5}
    assert [(tag.key, tag.value) for tag in used.tags] == [("mlflow.data.context", "testing")]


def test_mlflow_does_not_phone_home(empty_database: Path) -> None:
    """Outside tests and CI, where MLflow would report; asked of MLflow itself."""
    code = (
        "from pipeline.tracking.store import LOCAL, connected_client\n"
        "with connected_client(LOCAL): pass\n"
        "import mlflow.telemetry.utils as u, mlflow.telemetry as m\n"
        "print(u.is_telemetry_disabled(), m.get_telemetry_client())"
    )
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "CI", "MLFLOW", "DO_NOT", "GITHUB"))
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=empty_database.parent,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["True", "None"]
    assert done.stderr == "", "quiet"
