"""refinedet restore, as a user types it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import Result

from pipeline.versions.restore import Check, Restored

Run = Callable[..., Result]


def test_restore_says_what_came_back_and_fails_where_something_is_missing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = [Check("data [a].json", "12", "12"), Check("model.safetensors", "34", None), Check("b", "56", "78")]
    made = Restored(
        tmp_path / "there", "train", "0123456789abcdef", checks, ["the remote has no `out`"], repro_does_nothing=False
    )
    monkeypatch.setattr("pipeline.versions.restore.restore", lambda *_, **__: made)
    ran = run("restore", "abc", tmp_path / "there")
    assert ran.exit_code == 1
    assert ran.stdout.splitlines() == [
        "missing model.safetensors, MD5 34 in the run",
        "different b, MD5 56 in the run, here 78",
        f"{tmp_path / 'there'}: revision 0123456789ab as stage train left it",
        "1 of 3 files and folders have the run's MD5",
        "`dvc repro` there would run stages again: `dvc status` names them",
    ]
    assert ran.stderr == "refinedet: the remote has no `out`\n", "no setting of this command"
    whole = replace(made, checks=checks[:1], repro_does_nothing=True)
    monkeypatch.setattr("pipeline.versions.restore.restore", lambda *_, **__: whole)
    assert run("restore", "abc", tmp_path / "there").exit_code == 0
