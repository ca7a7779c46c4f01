"""refinedet train, as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
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
    assert (annotations.name, images, out) == ("my.json", None, tmp_path / "o")
    assert (choices.init, choices.epochs, choices.boxes) == ("shipped", 3, None)


def test_train_takes_a_folder_of_images_and_the_meaning_of_boxes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("pipeline.stages.own_data.train_own", lambda *given: asked.append(given) or {"chips": 1})
    assert run("train", "labels", "--images", tmp_path, "--boxes", "xyxy").exit_code == 0
    assert asked[0][1] == tmp_path
    assert asked[0][3].boxes == "xyxy"
    assert run("train", "labels", "--boxes", "corners").exit_code == 2


def test_labels_that_are_corners_are_refused_with_the_flag_that_helps(run: Run, tmp_path: Path) -> None:
    images = [{"id": i, "file_name": f"{i}.png", "width": 40, "height": 40} for i in range(4)]
    rows = [{"id": i, "image_id": i, "category_id": 1, "bbox": [20, 20, 30, 30]} for i in range(4)]
    for image in images:
        Image.new("L", (40, 40), int(str(image["id"])) * 9).save(tmp_path / str(image["file_name"]))
    document = {"images": images, "annotations": rows, "categories": [{"id": 1, "name": "ship"}]}
    (tmp_path / "a.json").write_text(json.dumps(document), encoding="utf-8")
    ran = run("train", tmp_path / "a.json", "--out", tmp_path / "o")
    assert ran.exit_code == 1
    assert "4 of 4 that reach beyond" in ran.stderr
    assert "set --boxes to xyxy" in ran.stderr
    assert "Traceback" not in ran.stderr


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
