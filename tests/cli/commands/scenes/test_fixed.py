"""refinedet fixed and refinedet density, as a user types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

from refinedet import raster

Run = Callable[..., Result]


@pytest.fixture
def found(run: Run, weights: Path, tmp_path: Path) -> Path:
    """Results of an archive of three scenes of one place, whose bright patch is where it was."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'refinedet[geoparquet]'")
    folder = tmp_path / "archive"
    folder.mkdir()
    for day in (1, 7, 13):
        pixels = np.random.default_rng(day).integers(90, 110, (64, 64)).astype(np.uint16)
        pixels[20:26, 30:45] = 1000
        name = folder / f"s_202301{day:02}T170605.tif"
        raster.write_scene(name, pixels, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5.3e6))
    words = ["--weights", weights, "--land-mask", "off", "--archive", "--out", folder / "out"]
    ran = run("detect", f"{folder}/*.tif", *words)
    assert ran.exit_code == 0, ran.stderr
    return folder / "out"


def test_fixed_and_density_write_their_files_and_say_so(run: Run, found: Path) -> None:
    ran = run("fixed", found)
    assert ran.exit_code == 0
    assert ran.stdout.startswith("fixed objects: 1, in 3 detections of 3 scenes")
    assert json.loads((found / "fixed.geojson").read_text())["type"] == "FeatureCollection"
    told = json.loads(run("fixed", found, "--overwrite", "--json").stdout)
    assert (told["scenes"], told["file"]) == (3, str(found / "fixed.geojson"))
    ran = run("density", found, "--cell-deg", "0.002", "--by", "month", "--json")
    assert json.loads(ran.stdout)["layers"] == ["2023-01"]
    assert run("density", found, "--cell-deg", "0.002").exit_code == 0
    assert {"density.tif", "density.png", "density_month.tif"} <= {path.name for path in found.iterdir()}


@pytest.mark.parametrize("command", ["fixed", "density"])
def test_what_is_no_archive_is_told_in_one_sentence(run: Run, tmp_path: Path, command: str) -> None:
    ran = run(command, tmp_path)
    assert ran.exit_code == 1
    assert "expected the results of an archive" in ran.stderr
    assert "to which detect wrote an archive" in ran.stderr


def test_a_result_is_not_replaced_unless_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text("precious")
    ran = run("fixed", tmp_path, "--out", tmp_path / "a.geojson")
    assert ran.exit_code == 1
    assert "--overwrite" in ran.stderr
    assert (tmp_path / "a.geojson").read_text() == "precious"
