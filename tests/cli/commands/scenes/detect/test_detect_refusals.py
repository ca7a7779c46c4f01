"""refinedet detect, where something is wrong: one sentence, and nothing lost."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from shutil import copy
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from refinedet import raster
from refinedet.predictors import predictor
from refinedet.scene.land import coastline
from tests.cli.conftest import sentences

Run = Callable[..., Result]


def test_existing_results_are_refused_before_the_network_is_even_loaded(
    run: Run, tmp_path: Path, weights: Path, scene: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("detect", scene, "--weights", weights).exit_code == 0
    before = (tmp_path / "scene_ships" / "scene.csv").stat().st_mtime_ns
    with monkeypatch.context() as patch:
        patch.setattr(predictor.TorchPredictor, "load", lambda *_, **__: pytest.fail("loaded"))
        refused = run("detect", scene, "--weights", weights)
    assert refused.exit_code == 1
    assert "--overwrite" in refused.stderr
    assert (tmp_path / "scene_ships" / "scene.csv").stat().st_mtime_ns == before
    (tmp_path / "scene_ships" / "scene.journal").touch()  # of a run that was killed before its first windows
    assert run("detect", scene, "--weights", weights).exit_code == 1
    assert run("detect", scene, "--weights", weights, "--overwrite").exit_code == 0
    assert (tmp_path / "scene_ships" / "scene.csv").stat().st_mtime_ns > before


@pytest.mark.usefixtures("real_coastline")
def test_a_damaged_coastline_is_said_once_and_is_an_error_only_if_asked_for(
    run: Run, tmp_path: Path, weights: Path, scene: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK and then nothing")
    monkeypatch.setattr(coastline, "COASTLINE", tmp_path / "broken.zip")
    other = Path(copy(scene, tmp_path / "other.tif"))
    ran = run("detect", scene, other, "--weights", weights)
    assert ran.exit_code == 0, ran.output
    assert ran.stderr.count("expected the coastline") == 1
    assert len(sentences(ran)) == 1
    ran = run("detect", scene, "--weights", weights, "--overwrite", "--land-mask", "flag")
    assert ran.exit_code == 1
    assert ran.stderr.startswith("refinedet: expected the coastline")


@pytest.mark.parametrize("option", ["--land", "--exclude"])
def test_a_file_of_polygons_that_is_broken_is_one_sentence(
    run: Run, tmp_path: Path, weights: Path, scene: Path, option: str
) -> None:
    (tmp_path / "broken.gpkg").write_bytes(b"SQLite format 3\0 and then nothing")
    ran = run("detect", scene, "--weights", weights, option, tmp_path / "broken.gpkg")
    assert ran.exit_code == 1
    (sentence,) = ran.stderr.strip().splitlines()
    assert sentence.startswith("refinedet: expected a GeoJSON, GeoPackage, Shapefile or table (CSV)")


def truncate(path: Path) -> None:
    raster.write_scene(path, np.random.default_rng(0).integers(1, 60_000, (900, 900), dtype=np.uint16))
    path.write_bytes(path.read_bytes()[:400_000])


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(truncate, id="truncated GeoTIFF"),
        pytest.param(lambda path: path.write_text("hello"), id="text file named .tif"),
        pytest.param(Path.mkdir, id="folder"),
        pytest.param(Path.exists, id="missing"),
    ],
)
def test_a_bad_scene_is_one_sentence_and_the_others_go_on(
    run: Run, tmp_path: Path, weights: Path, scene: Path, spoil: Any
) -> None:
    bad = tmp_path / "bad.tif"
    spoil(bad)
    ran = run("detect", bad, scene, "--weights", weights)
    assert ran.exit_code == 1
    first, last = sentences(ran)
    assert first.startswith("refinedet: expected")
    assert "bad.tif" in first
    assert last == "refinedet: 1 of 2 scenes failed"
    assert "Traceback" not in ran.output
    assert (tmp_path / "scene_ships" / "scene.geojson").is_file()
    assert not (tmp_path / "bad_ships").exists()


def test_two_scenes_of_one_name_are_refused(run: Run, tmp_path: Path, weights: Path, scene: Path) -> None:
    (tmp_path / "other").mkdir()
    scenes = scene, copy(scene, tmp_path / "other")
    ran = run("detect", *scenes, "--weights", weights)
    assert ran.exit_code == 1
    assert "different names" in ran.stderr
    assert not (tmp_path / "scene_ships").exists()


def test_a_picture_is_never_replaced_by_its_own_quicklook(run: Run, tmp_path: Path, weights: Path) -> None:
    picture = tmp_path / "chip.png"
    Image.fromarray(np.full((64, 64), 9, np.uint8)).save(picture)
    before = picture.read_bytes()
    ran = run("detect", picture, "--weights", weights, "--out", tmp_path, "--overwrite")
    assert ran.exit_code == 1
    assert "is a scene" in ran.stderr
    assert picture.read_bytes() == before


@pytest.mark.parametrize("name", ["quicklook.write_quicklook", "webmap.write_map", "record.write_run_record"])
def test_a_full_disk_is_one_sentence_whatever_is_being_written(
    run: Run, weights: Path, scene: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(f"refinedet.scene.output.{name}", full)
    ran = run("detect", scene, "--weights", weights)
    assert ran.exit_code == 1
    assert "expected room on the disk" in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        ("--stretch", "linear"),
        ("--scale", 2, "--gsd-m", 5),
        ("--scale", 1000),
        ("--stretch", "fixed:2:1"),
        ("--stretch", "decibel"),  # the weights were trained with percentiles
        ("--stretch", "none"),  # the scene has 16 bits
    ],
)
def test_a_wrong_stretch_or_scale_is_one_sentence(run: Run, weights: Path, scene: Path, wrong: tuple[Any, ...]) -> None:
    ran = run("detect", scene, "--weights", weights, *wrong)
    assert ran.exit_code == 1
    assert ran.stderr.count("expected") == 1
    assert "Traceback" not in ran.output


@pytest.mark.parametrize("words", [("--values", "DB"), ("--format", "GeoJSON"), ("--land-mask", "Off")])
def test_names_of_values_may_be_in_any_case(run: Run, weights: Path, words: tuple[str, str]) -> None:
    ran = run("detect", "none.tif", "--weights", weights, *words)
    assert ran.exit_code == 1  # the scene is missing, and the option is taken
    assert "none.tif" in ran.stderr


def test_another_name_of_a_value_is_told_without_the_words_of_a_library(run: Run, weights: Path) -> None:
    ran = run("detect", "none.tif", "--weights", weights, "--values", "nonsense")
    assert ran.exit_code == 2
    assert "'nonsense' is not one of" in ran.stderr
    assert "Value error" not in ran.stderr
