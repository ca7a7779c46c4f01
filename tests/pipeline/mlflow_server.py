"""A real `mlflow server` that tests start, stop, kill and start again; and what tests of tracking share."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.params import Params, parse_params
from pipeline.tracking.runs import open_spool

if TYPE_CHECKING:
    from mlflow import MlflowClient


class MlflowServer:
    """A server on loopback whose database and artifacts lie in `folder`; it has the same address after each start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{self.folder / 'mlflow.db'}"]
        command += ["--artifacts-destination", str(self.folder / "artifacts")]
        told = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW")}
        told |= {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }
        with (self.folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env=told, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + 90
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log.txt").read_text()
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.1)

    def kill(self) -> None:
        """End it and its workers at once, without a farewell."""
        if self._process is not None:
            self.signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and its workers: SIGSTOP makes it take connections and never answer."""
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:  # noqa: S310 - http
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def nothing_waits() -> bool:
    """Whether MLflow has been told everything."""
    return open_spool().stores() == []


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Until `condition` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def params_of(lr: float = 0.001) -> Params:
    """Settings of a recipe."""
    return parse_params({"recipe": "ssdd", "recipes": {"ssdd": {"dataset": "ssdd", "train": {"lr": lr}}}})


def client_of(project: Path) -> MlflowClient:
    """A client of the database in a folder, past any server."""
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{project / 'mlflow.db'}")
