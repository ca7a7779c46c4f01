"""refinedet train, as a user types it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]


def test_train_says_how_good_it_is_and_where_things_are(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def fake(*arguments: Any) -> dict[str, float]:
        asked.append(arguments)
        return {"AP": 61.25, "F1": 90.0, "chips": 7}

    monkeypatch.setattr("pipeline.stages.own_data.train_own", fake)
    ran = run("train", tmp_path / "a" / "my.json", "--epochs", 3, "--out", tmp_path / "o")
    assert ran.exit_code == 0
    assert "AP 61.2   F1 90.0" in ran.stdout
    assert "model.safetensors" in ran.stdout
    assert "report.html" in ran.stdout
    annotations, images, out, choices = asked[0]
    assert (annotations.name, images, out) == ("my.json", tmp_path / "a", tmp_path / "o")
    assert (choices.init, choices.epochs) == ("shipped", 3)


def test_train_never_replaces_a_checkpoint_unasked(run: Run, tmp_path: Path) -> None:
    earlier = tmp_path / "o" / "report" / "report.html"
    earlier.parent.mkdir(parents=True)
    earlier.write_bytes(b"weeks of work")
    ran = run("train", tmp_path / "my.json", "--out", tmp_path / "o")
    assert ran.exit_code == 1
    assert "--overwrite" in ran.stderr
    assert earlier.read_bytes() == b"weeks of work"
