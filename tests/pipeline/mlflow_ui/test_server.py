"""server.py: ports, and the error of a server that does not start."""

from __future__ import annotations

import socket
import sys
import time

import pytest

from pipeline.mlflow_ui import server
from pipeline.mlflow_ui.server import HOST, PORTS, free_port, served
from refinedet.errors import FileError, InputError


def test_a_port_in_use_is_passed_over_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system gives the port, as other tests take those of the list meanwhile."""
    with socket.socket() as busy:
        busy.bind((HOST, 0))
        busy.listen()
        taken = busy.getsockname()[1]
        monkeypatch.setattr(server, "PORTS", [taken, 0])
        assert free_port() != taken
        with pytest.raises(InputError, match=f"expected a free port, found {taken} unusable"):
            free_port(taken)
    assert free_port(taken) == taken


def test_any_port_is_taken_where_all_of_the_list_are_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as busy:
        busy.bind((HOST, 0))
        busy.listen()
        monkeypatch.setattr(server, "PORTS", [busy.getsockname()[1]])
        assert free_port() not in {*PORTS, 0, busy.getsockname()[1]}


def test_a_server_that_does_not_start_is_one_sentence() -> None:
    expected = r"expected MLflow's server to start on port \d+, but it did not \(.*nosuch.*\)$"
    with pytest.raises(FileError, match=expected) as raised, served("nosuch://store"):
        pytest.fail("it cannot start")
    assert "\n" not in str(raised.value)


def test_another_program_on_the_port_is_not_taken_for_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both look for a port at the same time: the slower one takes the next."""
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        lost = other.getsockname()[1]
        tried: list[int] = []
        real = free_port

        def next_port(wanted: int | None = None) -> int:
            if wanted is not None:
                return real(wanted)
            tried.append(real() if tried else lost)
            return tried[-1]

        serve = (
            "import sys, http.server as h\n"
            "class A(h.BaseHTTPRequestHandler):\n"
            "    def do_GET(self): self.send_response(200); self.end_headers()\n"
            "h.HTTPServer(('127.0.0.1', int(sys.argv[1])), A).serve_forever()"
        )
        monkeypatch.setattr(server, "_command", lambda _, port: [sys.executable, "-c", serve, str(port)])
        monkeypatch.setattr(server, "free_port", next_port)
        with served("sqlite:///x.db") as (address, process):
            assert address == f"http://{HOST}:{tried[1]}"
            assert process.poll() is None
        assert len(tried) == 2
        end = time.monotonic() + 10
        while process.poll() is None:
            assert time.monotonic() < end
