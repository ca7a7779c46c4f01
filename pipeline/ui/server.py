"""The server of MLflow's pages: a process on loopback that ends with the one that started it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from refinedet.errors import FileError, InputError

HOST = "127.0.0.1"

_START_SECONDS = 90.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.1
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # its workers are for language models
}


def free_port(wanted: int | None = None) -> int:
    """`wanted`, or any port that nobody listens on.

    Raises:
        InputError: `wanted` is in use, or not for users.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted or 0))
        except OSError as error:
            raise InputError(
                f"expected a free port, found {wanted} unusable ({error.strerror}); name another one, or none"
            ) from error
        return int(probe.getsockname()[1])


@contextmanager
def served(uri: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Serve the store at `uri` on `port` as long as this lasts; the process answers before it is handed out.

    Raises:
        FileError: the server does not start; the message ends with what it said last.
    """
    command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", uri]
    environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"} | _QUIET
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - our own words
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches us alone, and we end it
        )
        try:
            _await_answer(process, port, log)
            yield process
        finally:
            _stop(process)


def _await_answer(process: subprocess.Popen[bytes], port: int, log: IO[bytes]) -> None:
    end = time.monotonic() + _START_SECONDS
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > end:
            log.seek(0)
            said = log.read().decode(errors="replace").strip().splitlines() or ["nothing"]
            raise FileError(f"expected MLflow's server to start on port {port}, but it did not ({said[-1].strip()})")
        time.sleep(_POLL_SECONDS)


def _answers(port: int) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{HOST}:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 - OK
    except (urllib.error.URLError, OSError):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server and its workers: politely, then by force."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
