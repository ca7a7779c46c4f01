"""refinedet verify, as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from typer.testing import Result

from pipeline.versions.verify import Row, Verified

Run = Callable[..., Result]


@pytest.fixture
def found() -> Verified:
    """A comparison in which one metric of three differs, and one is missing."""
    rows = [Row("test [all]/AP", 61.25, 61.255), Row("test/F1", 90.0, 80.0), Row("test/AP50", None, 91.0)]
    return Verified(rows, 0.01, {"detections.json": True}, {"processor": ("this", "that")})


def test_verify_shows_each_metric_and_fails_where_one_differs(
    run: Run, found: Verified, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.versions.verify.verify", lambda *_, **__: found)
    ran = run("verify", "abc")
    assert ran.exit_code == 1
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert ["test", "[all]/AP", "61.25", "61.255", "+0.005"] in lines
    assert ["test/F1", "90", "80", "-10", "differs"] in lines
    assert ["test/AP50", "missing", "91", "+inf", "differs"] in lines
    assert "detections.json: the same bytes" in ran.stdout
    assert "1 of 3 metrics are within 0.01 of what was logged" in ran.stdout
    assert ran.stderr == "refinedet: processor was this, is that\n"
    assert json.loads(run("verify", "abc", "--json").stdout)["tolerance"] == 0.01
    monkeypatch.setattr("pipeline.versions.verify.verify", lambda *_, **__: replace(found, rows=found.rows[:1]))
    assert run("verify", "abc").exit_code == 0
