"""The address of a store, as it is chosen and shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.tracking.store import LOCAL, chosen_store, first_line, is_remote, shown


def test_a_password_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:secret@mlflow.example.org/a")
    assert shown(chosen_store()) == "https://mlflow.example.org/a"
    assert first_line(OSError("no https://me:secret@mlflow.example.org\nmore")) == "no https://mlflow.example.org"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert (chosen_store(), shown(LOCAL)) == (LOCAL, str(tmp_path / "mlflow.db"))
    assert [is_remote(s) for s in ("https://x", "http://x", "sqlite:///x", LOCAL)] == [True, True, False, False]
