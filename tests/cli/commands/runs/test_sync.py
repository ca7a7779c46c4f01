"""refinedet sync, as a user types it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer.testing import Result

from pipeline.tracking.sync import Sent

Run = Callable[..., Result]


def test_sync_says_what_was_sent_to_whom(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = [Sent("http://a", 1, 7, busy=False), Sent("http://[::1]", 2, 9, busy=False), Sent("b", 1, 1, busy=True)]
    monkeypatch.setattr("pipeline.tracking.sync.send_waiting", lambda _: iter(sent))
    ran = run("sync")
    assert ran.exit_code == 0
    assert ran.stdout.splitlines() == [
        "7 entries of 1 run sent to http://a",
        "9 entries of 2 runs sent to http://[::1]",
    ]
    assert "another process is sending to b" in ran.stderr


def test_sync_says_where_nothing_waits(run: Run) -> None:
    assert run("sync").stdout == "nothing to send: MLflow has all entries\n"
