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


def test_labels_over_scenes_are_looked_at_as_the_options_say(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("pipeline.stages.own_data.train_own", lambda *given: asked.append(given) or {"chips": 1})
    words = ("--scene", "a.tif", "--scene", "b.tif", "--point-m", 80, "--labels-crs", "EPSG:32633", "--gsd-m", "native")
    assert run("train", "l.gpkg", *words, "--out", tmp_path / "o").exit_code == 0
    labels = asked[0][3].labels
    assert [scene.name for scene in labels.scenes] == ["a.tif", "b.tif"]
    assert (labels.labels.point_m, labels.labels.labels_crs, labels.settings.gsd_m) == (80, "EPSG:32633", "native")


def test_labels_without_scenes_and_options_without_labels_are_one_sentence(run: Run, tmp_path: Path) -> None:
    for words, said in (
        (("l.gpkg",), "expected the scenes that the labels in l.gpkg are of, found none; name each with --scene"),
        (("my.json", "--labels-crs", "EPSG:4326"), "expected --labels-crs beside labels over scenes"),
        (("my.json", "--gsd-m", "10"), "name the scenes with --scene"),
    ):
        ran = run("train", *words, "--out", tmp_path / "o")
        assert ran.exit_code == 1
        assert said in " ".join(ran.stderr.split())
