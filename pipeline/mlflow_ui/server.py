"""Server of MLflow's pages: a process on the loopback interface that ends with its parent process."""

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

import psutil

from refinedet.errors import FileError, InputError

HOST = "127.0.0.1"
PORTS = range(5000, 5020)
"""Ports to try first: a browser stores by the port which parts of MLflow's pages were closed."""

_START_SECONDS = 180.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.1
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "INFO",  # the client here is quiet, but a server that fails must report the reason
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # its job workers are for language models
}


@contextmanager
def served(uri: str, port: int | None = None) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Serve the store at `uri` within the block; yield the server's address and process once it answers.

    The port is `port`, or the first free one of `PORTS`, or any free one.

    Raises:
        FileError: the server does not start; the message ends with its last output.
        InputError: `port` is in use, or not for users.
    """
    with tempfile.TemporaryFile() as log:
        while True:
            chosen = free_port(port)
            process = _start(uri, chosen, log)
            try:
                if _await_answer(process, chosen, log):
                    yield f"http://{HOST}:{chosen}", process
                    return
            finally:
                _stop(process)


def free_port(wanted: int | None = None) -> int:
    """Find a port: `wanted`, or the first free one of `PORTS`, or any free one.

    Raises:
        InputError: `wanted` is in use, or not for users.
    """
    reason = ""
    for port in (*PORTS, 0) if wanted is None else (wanted,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                reason = str(error.strerror)
                continue
            return int(probe.getsockname()[1])
    raise InputError(f"expected a free port, found {wanted} unusable ({reason}); name another one, or none")


def _command(uri: str, port: int) -> list[str]:
    server = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"]
    return [*server, "--backend-store-uri", uri]


def _start(uri: str, port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"} | _QUIET
    return subprocess.Popen(  # noqa: S603 - our own words
        _command(uri, port),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,  # Ctrl-C only reaches this process, which then ends the server
    )


def _await_answer(process: subprocess.Popen[bytes], port: int, log: IO[bytes]) -> bool:
    """Wait until the server answers; False if another program has taken the port meanwhile."""
    end = time.monotonic() + _START_SECONDS
    while not (_listens(process, port) and _answers(port)):
        if process.poll() is not None and not _is_free(port):
            return False
        if process.poll() is not None or time.monotonic() > end:
            log.seek(0)
            reason = _reason(log.read().decode(errors="replace"))
            raise FileError(f"expected MLflow's server to start on port {port}, but it did not ({reason})")
        time.sleep(_POLL_SECONDS)
    return True


def _reason(log: str) -> str:
    """Last line of a server's log that mentions an error, else the last line; warnings may follow an error."""
    lines = [line.strip() for line in log.splitlines() if line.strip()] or ["no output"]
    return next((line for line in reversed(lines) if "error" in line.lower() or "exception" in line.lower()), lines[-1])


def _is_free(port: int) -> bool:
    try:
        return free_port(port) == port
    except InputError:
        return False


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    """True if this server, and no other program, listens on the port."""
    try:
        known = psutil.Process(process.pid)
        family = [known, *known.children(recursive=True)]
        open_ports = [c.laddr.port for p in family for c in p.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    except psutil.Error:
        return False
    return port in open_ports


def _answers(port: int) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{HOST}:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the server and its workers; kill them if they do not stop."""
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
