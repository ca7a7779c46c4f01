"""The way from the spool to a real `mlflow server` that is killed, hangs, or was never there."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import app
from pipeline.tracking import runs as tracking
from pipeline.tracking.runs import MlflowTracker, open_spool, remember_run, run_of, track
from tests.pipeline.mlflow_server import MlflowServer, client_of, nothing_waits, params_of, wait_until

ROOT = Path(__file__).resolve().parents[3]
STEP_SECONDS = 1.5
"""No call that a training step makes may take longer, whatever the server does."""

pytestmark = pytest.mark.timeout(240)


def quickly(call: Callable[..., None], *arguments: Any, **named: Any) -> None:
    """Make a call of a training step, which must not wait."""
    started = time.monotonic()
    call(*arguments, **named)
    assert time.monotonic() - started < STEP_SECONDS


def points(server: MlflowServer, run_id: str, name: str) -> list[tuple[int, float]]:
    """(step, value) of every stored value of a metric, by time: what was stored twice is here twice."""
    history = client_of(server.folder).get_metric_history(run_id, name)
    return [(m.step, m.value) for m in sorted(history, key=lambda m: (m.timestamp, m.step))]


@pytest.mark.slow
def test_a_server_killed_in_the_middle_of_a_run_gets_all_of_it_later(
    mlflow_server: MlflowServer, project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoint = project / "model.safetensors"
    checkpoint.write_bytes(b"weights")
    tracker = MlflowTracker.start(params_of())
    times = []
    for epoch in range(1, 9):
        if epoch == 3:
            wait_until(nothing_waits)
            mlflow_server.kill()
        if epoch == 6:
            mlflow_server.start()
            wait_until(nothing_waits)  # the next call after the restart takes along what has waited
            assert points(mlflow_server, tracker.run_id, "loss") == [(step, 1 / step) for step in range(1, 6)]
            mlflow_server.kill()
        before = time.time() * 1000
        quickly(tracker.log_metrics, {"loss": 1 / epoch, "nan": float("nan")}, step=epoch)
        times.append((before - 1, time.time() * 1000 + 1))
        quickly(tracker.set_tags, {"epoch": str(epoch)})
    quickly(tracker.log_artifact, checkpoint)
    checkpoint.write_bytes(b"weights of another training")
    with caplog.at_level(logging.WARNING):
        tracker.close()
    ended = time.time() * 1000
    assert "refinedet sync" in caplog.text
    remember_run(checkpoint, tracker.run_id)
    track(checkpoint, params_of(), {"test/AP": 50.0}, [])  # a whole stage while it is away

    mlflow_server.start()
    time.sleep(0.5)
    track(checkpoint, params_of(), {"test/AP": 51.0}, [])
    assert nothing_waits()
    assert list((project / ".refinedet" / "spool" / "files").iterdir()) == []
    client = client_of(mlflow_server.folder)
    run = client.get_run(tracker.run_id)
    assert points(mlflow_server, tracker.run_id, "loss") == [(step, 1 / step) for step in range(1, 9)]
    assert [step for step, _ in points(mlflow_server, tracker.run_id, "nan")] == list(range(1, 9))
    history = sorted(client.get_metric_history(tracker.run_id, "loss"), key=lambda m: m.step)
    assert all(low <= m.timestamp <= high for (low, high), m in zip(times, history, strict=True)), "times are kept"
    assert points(mlflow_server, tracker.run_id, "test/AP") == [(0, 50.0), (0, 51.0)]
    assert (run.data.tags["epoch"], run.info.status, run.data.params["lr"]) == ("8", "FINISHED", "0.001")
    assert run.info.end_time <= ended
    kept = list(mlflow_server.folder.glob(f"artifacts/*/{tracker.run_id}/artifacts/model.safetensors"))
    assert [path.read_bytes() for path in kept] == [b"weights"], "as it was when it was logged"


@pytest.mark.slow
def test_a_server_that_hangs_holds_up_no_step_and_nothing_is_stored_twice(
    mlflow_server: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "3")
    tracker = MlflowTracker.start(params_of())
    wait_until(nothing_waits)
    mlflow_server.signal(signal.SIGSTOP)
    for step in range(1, 40):
        quickly(tracker.log_metrics, {"loss": float(step)}, step=step)
        time.sleep(0.1)  # calls time out, and come again, in the meantime
    other: list[MlflowTracker] = [MlflowTracker.start(params_of())]  # it waits for one time-out, then goes on
    quickly(other[0].log_metrics, {"loss": 5.0}, step=1)
    mlflow_server.signal(signal.SIGCONT)  # it now answers those who have gone, too
    tracker.close()
    other[0].close()
    assert nothing_waits()
    assert points(mlflow_server, tracker.run_id, "loss") == [(step, float(step)) for step in range(1, 40)]
    client = client_of(mlflow_server.folder)
    experiment = client.get_experiment_by_name("refinedet-ssdd")
    assert experiment is not None
    runs = {run.info.run_id for run in client.search_runs([experiment.experiment_id])}
    born = open_spool().run_id(other[0].run_id)
    assert runs == {tracker.run_id, born}
    assert points(mlflow_server, born, "loss") == [(1, 5.0)]


@pytest.mark.slow
def test_a_server_that_was_never_there_gets_the_runs_by_refinedet_sync(
    mlflow_server: MlflowServer, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow_server.kill()
    monkeypatch.setattr(tracking, "PATIENCE_SECONDS", 5.0)
    checkpoint = project / "model.safetensors"
    checkpoint.write_bytes(b"weights")
    began = time.time() * 1000
    tracker = MlflowTracker.start(params_of())
    tracker.log_metrics({"loss": 1.0}, step=1)
    remember_run(checkpoint, tracker.run_id)
    tracker.close()
    track(checkpoint, params_of(), {"test/AP": 50.0}, [(checkpoint, "kept")])
    ended = time.time() * 1000

    missing = CliRunner().invoke(app, ["sync"])
    assert missing.exit_code == 1
    assert "still wait" in missing.output
    mlflow_server.start()
    done = CliRunner().invoke(app, ["sync"])
    assert (done.exit_code, "1 run" in done.output) == (0, True), done.output
    assert nothing_waits()
    run_id = run_of(checkpoint)
    assert run_id not in (None, tracker.run_id)
    run = client_of(mlflow_server.folder).get_run(str(run_id))
    assert (run.data.metrics, run.info.status) == ({"loss": 1.0, "test/AP": 50.0}, "FINISHED")
    assert began <= run.info.start_time <= run.info.end_time <= ended
    assert "nothing to send" in CliRunner().invoke(app, ["sync"]).output


def test_a_wrong_address_is_put_right_afterwards(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@127.0.0.1:9")
    tracker = MlflowTracker.start(params_of())
    tracker.log_metrics({"loss": 1.0}, step=1)
    tracker.close()
    wrong = CliRunner().invoke(app, ["sync"])
    assert wrong.exit_code == 1
    assert "secret" not in wrong.output
    right = CliRunner().invoke(app, ["sync", "--to", f"sqlite:///{project / 'mlflow.db'}"])
    assert right.exit_code == 0, right.output
    run_id = open_spool().run_id(tracker.run_id)
    assert client_of(project).get_run(run_id).data.metrics == {"loss": 1.0}


TWO = """
import sys
from pathlib import Path
from pipeline.tracking.runs import MlflowTracker
from tests.pipeline.mlflow_server import params_of
tracker = MlflowTracker.start(params_of())
for step in range(150):
    tracker.log_metrics({"loss": step, "val/AP": -step}, step=step)
    tracker.set_tags({"step": str(step)})
Path("weights").write_text(sys.argv[1])
tracker.log_artifact("weights")
tracker.close()
print(tracker.run_id)
"""


@pytest.mark.slow
def test_two_processes_write_to_one_sqlite_file_at_once(project: Path) -> None:
    (project / "mlflow.db").unlink()  # both find none, and one makes it
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = []
    for name in ("a", "b"):
        folder = project / ".dvc" / "tmp" / "exps" / name  # as `dvc queue start --jobs 2` does
        folder.mkdir(parents=True)
        command = [sys.executable, "-c", TWO, name]
        processes.append(
            subprocess.Popen(
                command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
    said = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    client = client_of(project)
    for (run_id, _), name in zip(said, ("a", "b"), strict=True):
        run = client.get_run(run_id.strip())
        assert (run.info.status, run.data.tags["step"]) == ("FINISHED", "149")
        for metric, sign in (("loss", 1), ("val/AP", -1)):
            history = client.get_metric_history(run_id.strip(), metric)
            assert sorted((m.step, m.value) for m in history) == [(step, float(sign * step)) for step in range(150)]
        kept = project / "mlartifacts" / run_id.strip() / "artifacts" / "weights"
        assert kept.read_text() == name
    assert nothing_waits()
