"""refinedet simulate, as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from refinedet import raster

Run = Callable[..., Result]


def test_simulate_writes_a_scene_and_its_truth_with_equal_bytes_for_equal_seeds(run: Run, tmp_path: Path) -> None:
    options = ["--width-px", 256, "--height-px", 200, "--ships", 3, "--seed", 5]
    for name in ("a.tif", "b.tif"):
        assert run("simulate", tmp_path / name, *options).exit_code == 0
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()
    truth = json.loads((tmp_path / "a.truth.geojson").read_text())
    assert len(truth["features"]) == 3
    with raster.open_scene(tmp_path / "a.tif") as reader:
        assert (reader.info.width, reader.info.height, reader.info.dtype) == (256, 200, "uint16")


def test_simulate_makes_the_kind_that_is_asked_for(run: Run, tmp_path: Path) -> None:
    options = ["--width-px", 128, "--height-px", 128, "--ships", 1, "--seed", 5]
    assert run("simulate", tmp_path / "plain.tif", *options).exit_code == 0
    assert run("simulate", tmp_path / "harder.tif", *options, "--kind", "sentinel1").exit_code == 0
    assert (tmp_path / "plain.tif").read_bytes() != (tmp_path / "harder.tif").read_bytes()
    truth = json.loads((tmp_path / "harder.truth.geojson").read_text())
    assert truth["simulated"]["spec"]["kind"] == "sentinel1"


def test_simulate_refuses_a_kind_that_is_none(run: Run, tmp_path: Path) -> None:
    ran = run("simulate", tmp_path / "a.tif", "--kind", "sentinel3")
    assert ran.exit_code != 0
    assert "sentinel1" in ran.stderr


def test_simulate_does_not_replace_a_file_unless_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_text("precious")
    options = [tmp_path / "a.tif", "--width-px", 128, "--height-px", 128, "--ships", 1]
    assert "--overwrite" in run("simulate", *options).stderr
    assert (tmp_path / "a.tif").read_text() == "precious"
    assert run("simulate", *options, "--overwrite").exit_code == 0


@pytest.mark.parametrize("name", ["scene.png", "folder/"], ids=["another format", "a folder"])
def test_simulate_writes_geotiff_only(run: Run, name: str) -> None:
    ran = run("simulate", name)
    assert ran.exit_code == 1
    assert "ends in .tif" in ran.stderr


def test_simulate_writes_reports_and_series(run: Run, tmp_path: Path) -> None:
    options = ["--width-px", 512, "--height-px", 512, "--ships", 4, "--seed", 5, "--ais", "--reporting", 0.5]
    ran = run("simulate", tmp_path / "s.tif", *options, "--series", 1, "--platforms", 1, "--turbines", 0)
    assert ran.exit_code == 0
    assert [Path(line).name for line in ran.stdout.split()] == [
        *("s_20240103T170000.tif", "s_20240103T170000.truth.geojson", "s_20240103T170000.ais_reports.csv"),
    ]
    ships = json.loads((tmp_path / "s_20240103T170000.truth.geojson").read_text())["features"]
    assert sum(ship["properties"]["dark"] for ship in ships) == 2


def test_simulate_refuses_an_option_that_does_not_apply(run: Run, tmp_path: Path) -> None:
    ran = run("simulate", tmp_path / "a.tif", "--reporting", 0.5)
    assert ran.exit_code == 1
    assert "--ais" in ran.stderr
