"""`refinedet match` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from cli.app import app

RUNNER = CliRunner()


def write(folder: Path) -> tuple[str, str]:
    """Write one detection and the reports of one ship, which is where it was detected."""
    place = {"type": "Point", "coordinates": [6.5, 54.5]}
    ship = {"score": 0.9, "length_m": 120.0, "time": "2024-05-01T17:00:00Z", "scene": "a.tif"}
    feature = {"type": "Feature", "geometry": place, "properties": ship}
    (folder / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    rows = [f"219000001,2024-05-01T{time},54.5,6.5,0.0,0.0" for time in ("16:59:00", "17:01:00")]
    (folder / "ais.csv").write_text("\n".join(["SHIP,BaseDateTime,LAT,LON,SOG,COG", *rows]) + "\n")
    return str(folder / "a.geojson"), str(folder / "ais.csv")


def test_a_match_is_printed_and_written(tmp_path: Path) -> None:
    ships, ais = write(tmp_path)
    done = RUNNER.invoke(app, ["match", ships, "--ais", ais, "--columns", "mmsi=SHIP"])
    assert done.exit_code == 0, done.output
    assert "matched" in done.stdout
    assert "--platform-heading" in done.stderr
    written = " ".join(json.loads((tmp_path / "a.match.json").read_text())["notes"])
    assert "name --platform-heading and --incidence" in written
    row = json.loads((tmp_path / "a.matched.geojson").read_text())["features"][0]["properties"]
    assert (row["ais"], row["mmsi"]) == ("matched", 219000001)
    again = RUNNER.invoke(app, ["match", ships, "--ais", ais, "--columns", "mmsi=SHIP"])
    assert (again.exit_code, "--overwrite" in again.stderr) == (1, True)


def test_the_summary_is_json_alone(tmp_path: Path) -> None:
    ships, ais = write(tmp_path)
    done = RUNNER.invoke(app, ["match", ships, "--ais", ais, "--columns", "mmsi=SHIP", "--json"])
    (told,) = json.loads(done.stdout)["matches"]
    assert told["detections"] == {"matched": 1, "dark": 0, "unknown": 0}
    assert {Path(one).name for one in told["files"]} >= {
        *("a.match.json", "a.matched.csv", "a.matched.html", "a.ais.geojson")
    }


def test_a_column_without_a_name_is_wrong_usage(tmp_path: Path) -> None:
    ships, ais = write(tmp_path)
    done = RUNNER.invoke(app, ["match", ships, "--ais", ais, "--columns", "mmsi"])
    assert done.exit_code == 2
    assert "FIELD=COLUMN" in done.stderr


def test_a_heading_without_incidence_is_one_sentence(tmp_path: Path) -> None:
    ships, ais = write(tmp_path)
    done = RUNNER.invoke(app, ["match", ships, "--ais", ais, "--columns", "mmsi=SHIP", "--platform-heading", "10"])
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert "--incidence" in done.stderr
