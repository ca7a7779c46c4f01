"""Land and known places in `refinedet detect`."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Run = Callable[..., Result]


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """A platform where the first ship is."""
    head = '{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"EPSG:32633"}},"features":['
    point = '{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[500300,5299660]}}]}'
    (tmp_path / "platforms.geojson").write_text(head + point)
    return tmp_path / "platforms.geojson"


def test_what_is_excluded_is_dropped_and_counted(run: Run, weights: Path, scene: Path, known: Path) -> None:
    ran = run("detect", scene, "--weights", weights, "--exclude", known, "--exclude-m", 50)
    assert ran.exit_code == 0, ran.output
    assert "dropped: 1" in ran.stdout
    ran = run("detect", scene, "--weights", weights, "--exclude", known, "--land-mask", "off", "--json", "--overwrite")
    (one,) = json.loads(ran.stdout)["scenes"]
    assert (one["ships"], one["dropped"]) == (1, {"excluded": 1})
    assert one["notes"][-1] == "the time of the scene and its ships is unknown; set it with --time"


def test_ships_on_land_of_the_users_own_are_dropped_or_flagged(
    run: Run, tmp_path: Path, weights: Path, scene: Path
) -> None:
    polygons = tmp_path / "land.geojson"
    polygons.write_text('{"type":"Polygon","coordinates":[[[14,47],[15.01,47],[15.01,48],[14,48],[14,47]]]}')
    options = ["--weights", weights, "--land", polygons, "--land-buffer-m", 100, "--json", "--overwrite"]
    ran = run("detect", scene, *options)
    assert (json.loads(ran.stdout)["ships"], json.loads(ran.stdout)["scenes"][0]["dropped"]) == (2, {})
    with (tmp_path / "scene_ships" / "scene.csv").open(newline="") as stream:
        assert sorted("land" in row["flags"].split(";") for row in csv.DictReader(stream)) == [False, True]
    ran = run("detect", scene, *options, "--land-mask", "drop")
    assert json.loads(ran.stdout)["scenes"][0]["dropped"] == {"land": 1}


def test_windows_on_dropped_land_are_no_windows_of_an_earlier_run(
    run: Run, tmp_path: Path, weights: Path, scene: Path
) -> None:
    ring = [[-180, -80], [180, -80], [180, 80], [-180, 80], [-180, -80]]
    (tmp_path / "water.geojson").write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    ran = run("detect", scene, "--weights", weights, "--land", "water.geojson", "--land-mask", "drop", "--json")
    (one,) = json.loads(ran.stdout)["scenes"]
    assert (one["windows_skipped"], one["windows_kept"]) == (one["windows"], 0)
    assert "the whole scene is land by water.geojson" in " ".join(one["notes"])
