"""`refinedet serve` from its start to Ctrl-C, and what it refuses before it starts."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import app

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--root", "nowhere"], "expected a folder for --root, found none at nowhere"),
        (["--time", "2020-01-01T00:00:00Z"], "expected no --time for a server"),
        (["--host", "192.0.2.1"], "expected to listen on 192.0.2.1"),
        (["--allow-host", "http://a.b/"], "--allow-host"),
    ],
)
def test_a_start_that_fails_is_one_sentence(words: list[str], told: str) -> None:
    before = signal.getsignal(signal.SIGTERM)
    done = CliRunner().invoke(app, ["serve", "--port", "0", *words])
    assert done.exit_code == 1
    assert told in done.output
    assert done.output.count("\n") == 1
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = CliRunner().invoke(app, ["serve", "--port", str(taken.getsockname()[1])])
    assert done.exit_code == 1
    assert "choose another --host or --port" in done.output


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent as a signal")
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_ctrl_c_ends_it_in_order(number: signal.Signals, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.app", "serve", "--port", "0", "--host", "0.0.0.0", "--json"],  # noqa: S104
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert process.stdout is not None
    lines = "".join(process.stdout.readline() for _ in range(3))
    address = json.loads(lines)["address"].replace("0.0.0.0", "127.0.0.1")  # noqa: S104
    with urllib.request.urlopen(f"{address}/health", timeout=60) as answer:  # noqa: S310 - our own server
        assert json.load(answer)["status"] == "ok"
    assert len(list(tmp_path.glob("refinedet-serve-*"))) == 1
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert "asks nobody who they are" in told
    assert "--host 127.0.0.1" in told
    assert told.endswith("the server has ended\n")
    assert not list(tmp_path.glob("refinedet-serve-*"))
