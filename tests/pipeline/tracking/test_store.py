"""The address of a store, as it is chosen and shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.stage import local_state
from pipeline.tracking import store
from pipeline.tracking.spool import exclusive
from pipeline.tracking.store import LOCAL, chosen_store, connected_client, first_line, is_remote, shown
from refinedet.errors import FileError


def test_a_password_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:secret@mlflow.example.org/a")
    assert shown(chosen_store()) == "https://mlflow.example.org/a"
    assert first_line(OSError("no https://me:secret@mlflow.example.org\nmore")) == "no https://mlflow.example.org"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert (chosen_store(), shown(LOCAL)) == (LOCAL, str(tmp_path / "mlflow.db"))
    assert [is_remote(s) for s in ("https://x", "http://x", "sqlite:///x", LOCAL)] == [True, True, False, False]


def test_a_store_that_another_process_makes_for_too_long_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(store, "_LOCK_SECONDS", 0.0)
    with (
        exclusive(local_state("locks") / "mlflow.db", wait_seconds=0),
        pytest.raises(FileError, match=r"^expected to make the MLflow store at .*mlflow\.db, found another process"),
        connected_client(LOCAL),
    ):
        pass
