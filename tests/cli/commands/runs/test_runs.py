"""`refinedet runs`: the server starts, shows the page and ends; a remote server is not started."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
import webbrowser
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from mlflow import MlflowClient
from typer.testing import Result

from pipeline.mlflow_ui import page as pages
from pipeline.mlflow_ui.page import RunsPage

Run = Callable[..., Result]
CHECKOUT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.slow
def test_the_server_runs_until_it_is_interrupted(tmp_path: Path, number: signal.Signals) -> None:
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = client.create_experiment("refinedet-ssdd")
    client.create_run(experiment, run_name="one")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW")}
    command = [sys.executable, "-m", "cli.app", "runs", "ssdd", "--no-browser", "--json"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=kept | {"PYTHONPATH": str(CHECKOUT), "no_proxy": "127.0.0.1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a test run in the background ignores Ctrl-C, and its children would inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,  # noqa: PLW1509 - one thread
    )
    assert process.stdout is not None
    said = ""
    while not said.rstrip().endswith("}"):
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        said += line
    address = urlsplit(json.loads(said)["table"])
    assert address.fragment.startswith(f"/experiments/{experiment}/runs?")
    api = f"http://{address.netloc}/ajax-api/2.0/mlflow/experiments/get?experiment_id={experiment}"
    with urllib.request.urlopen(api, timeout=30) as answer:
        assert json.loads(answer.read())["experiment"]["name"] == "refinedet-ssdd"
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert told.splitlines() == [
        "refinedet: MLflow's server starts for the runs of refinedet-ssdd",
        "refinedet: 1 run of refinedet-ssdd; Ctrl-C ends the server",
        "refinedet: the server has ended",
    ]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", address.port or 0)) != 0, "nobody listens any more"


def test_a_remote_server_is_shown_not_started(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setattr(pages, "prepare_page", lambda name: RunsPage(f"https://u:p@example.org/{name}/", "e", "7", 2))
    monkeypatch.setenv("DISPLAY", ":0")
    found = run("runs", "ssdd")
    assert found.exit_code == 0, found.stderr
    table, charts = (line.split()[1] for line in found.stdout.splitlines())
    assert table.startswith("https://example.org/ssdd/#/experiments/7/runs?")
    assert (table.rpartition("=")[2], charts.rpartition("=")[2]) == ("TABLE", "CHART")
    assert opened == [table]
    run("runs", "ssdd", "--no-browser")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert json.loads(run("runs", "ssdd", "--json").stdout) == {"table": table, "charts": charts}
    assert opened == [table], "no browser without a display"


def test_no_store_is_one_sentence(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    found = run("runs")
    assert found.exit_code == 1
    assert found.stderr.startswith("refinedet: expected runs in")
    assert len(found.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "mlflow.db").exists()
