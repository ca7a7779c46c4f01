"""`refinedet detect --ais`: columns in every format, the ships of AIS, archives, and options that do not apply."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pyogrio
import pytest
from pyproj import Transformer
from typer.testing import Result

from refinedet import raster
from refinedet.scene.reported import AIS_COLUMNS
from tests.cli.conftest import Box, sentences

Run = Callable[..., Result]
TO_DEGREES = Transformer.from_crs("EPSG:32633", "EPSG:4326", always_xy=True)
SHIPS = tuple((20 + 40 * i, 30 + 25 * i, 40 + 40 * i, 38 + 25 * i) for i in range(6))
TIME = "2024-05-01T17:00:00Z"
FIRST = 219_000_001


@pytest.fixture
def ships() -> tuple[Box, ...]:
    """Boxes of the ships of `scene`: enough to be heard around one another."""
    return SHIPS


def place(x: float, y: float) -> tuple[float, float]:
    """Longitude and latitude of a pixel of the scenes here."""
    lon, lat = TO_DEGREES.transform(5e5 + 10 * x, 5.3e6 - 10 * y)
    return lon, lat


def write_ais(path: Path, boxes: Sequence[Box], day: str = "2024-05-01") -> Path:
    """Write reports of a ship at rest in the middle of each box, a minute before and after the hour."""
    rows = ["MMSI,BaseDateTime,LAT,LON,SOG,COG,VesselName,Length"]
    for number, (x1, y1, x2, y2) in enumerate(boxes):
        lon, lat = place((x1 + x2) / 2, (y1 + y2) / 2)
        rest = f"{lat},{lon},0.0,0.0,SHIP {number},200"
        rows += [f"{FIRST + number},{day}T{time},{rest}" for time in ("16:59:00", "17:01:00")]
    path.write_text("\n".join(rows) + "\n")
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    """Rows of a table."""
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def told(run: Run, scene: Path, weights: Path, *words: object) -> Result:
    """Detect with AIS at TIME."""
    return run("detect", scene, "--weights", weights, "--time", TIME, "--out", "out", *words)


def test_every_format_has_the_columns_of_ais(run: Run, scene: Path, weights: Path, tmp_path: Path) -> None:
    unseen = (250, 10, 270, 18)  # of sea
    write_ais(tmp_path / "a.csv", SHIPS[:4])
    write_ais(tmp_path / "b.csv", [*SHIPS[:4], unseen])
    formats = [word for name in ("geojson", "csv", "gpkg", "coco", "geoparquet") for word in ("--format", name)]
    done = told(run, scene, weights, "--ais", tmp_path / "[ab].csv", "--no-quicklook", *formats)
    assert done.exit_code == 0, done.output
    rows = [one["properties"] for one in json.loads(Path("out/scene.geojson").read_text())["features"]]
    assert sorted(row["ais"] for row in rows) == ["dark"] * 2 + ["matched"] * 4
    for row in rows:
        assert row.keys() >= AIS_COLUMNS.keys()
        known = {name: type(row[name]) for name in AIS_COLUMNS if row[name] is not None}
        assert known.items() <= AIS_COLUMNS.items()
    table = rows_of(Path("out/scene.csv"))
    coco = json.loads(Path("out/scene.coco.json").read_text())
    parquet = pyarrow.parquet.read_table("out/scene.parquet").to_pylist()
    meta, _, _, values = pyogrio.raw.read("out/scene.gpkg", layer=0)
    gpkg = dict(zip(meta["fields"], values, strict=True))
    for name in AIS_COLUMNS:
        expected = [row[name] for row in rows]
        assert [row[name] for row in coco] == [row[name] for row in parquet] == expected, name
        assert [row[name] for row in table] == ["" if one is None else str(one) for one in expected], name
        kept = [None if isinstance(one, float) and math.isnan(one) else one for one in gpkg[name].tolist()]
        assert kept == expected, name
    of_ais = {row["mmsi"]: row for row in rows_of(Path("out/scene.ais.csv"))}
    assert len(of_ais) == 5
    assert (of_ais[str(FIRST + 4)]["status"], of_ais[str(FIRST + 4)]["reason"]) == ("unseen", "not found")
    record = json.loads(Path("out/scene.run.json").read_text())
    assert record["ais"]["detections"] == {"matched": 4, "dark": 2, "unknown": 0}
    assert record["ais"]["ais"]["files"] == ["a.csv", "b.csv"]
    assert record["settings"]["ais_gap_min"] is None
    assert "--platform-heading" in done.stderr
    assert "4 matched" in done.stdout
    assert "2 dark" in done.stdout


def test_without_ais_nothing_changes(run: Run, scene: Path, weights: Path) -> None:
    assert told(run, scene, weights, "--no-quicklook").exit_code == 0
    row = json.loads(Path("out/scene.geojson").read_text())["features"][0]["properties"]
    assert not AIS_COLUMNS.keys() & row.keys()
    assert sorted(path.name for path in Path("out").iterdir()) == [
        *("scene.csv", "scene.geojson", "scene.html", "scene.run.json")
    ]
    assert json.loads(Path("out/scene.run.json").read_text())["ais"] is None


def test_match_says_the_same_of_the_files_that_detect_left(
    run: Run, scene: Path, weights: Path, tmp_path: Path
) -> None:
    ais = write_ais(tmp_path / "ais.csv", SHIPS[:4])
    view = ["--platform-heading", 348, "--incidence", 37]
    assert told(run, scene, weights, "--ais", ais, *view, "--no-quicklook").exit_code == 0
    assert run("match", "out/scene.geojson", "--ais", ais, *view, "--out", "matched").exit_code == 0
    found, again = (
        [one["properties"] for one in json.loads(Path(name).read_text())["features"]]
        for name in ("out/scene.geojson", "matched/scene.matched.geojson")
    )
    for name in AIS_COLUMNS:
        if name != "ais_distance_m":  # places in files are rounded
            assert [row[name] for row in found] == [row[name] for row in again], name
    assert Path("out/scene.ais.csv").read_text() == Path("matched/scene.ais.csv").read_text()


@pytest.mark.parametrize(
    ("words", "say"),
    [
        (["--ais-gap-min", "10"], "setting --ais-gap-min: expected none without --ais"),
        (["--ais-columns", "mmsi=A"], "setting --ais-columns: expected none without --ais"),
        (["--look", "left"], "setting --look: expected none without --ais"),
        (["--ais", "ais.csv", "--incidence", "30"], "--platform-heading"),
        (["--ais", "ais.csv", "--look", "left"], "setting --look: expected none without --platform-heading"),
        (["--ais", "ais.csv", "--ais-date-order", "day-first"], "where --ais-date-order is set, found none"),
        (["--ais", "ais.csv", "--ais-columns", "mmsi"], "expected FIELD=COLUMN"),
        (["--ais", "ais.csv", "--ais-columns", "mmsi=NONE"], "'NONE' for mmsi of --ais-columns"),
        (["--ais", "nowhere.csv"], "nowhere.csv"),
        (["--ais", "no*.csv"], "no*.csv"),
    ],
)
def test_what_does_not_apply_is_one_sentence_before_the_work(
    run: Run, scene: Path, weights: Path, bright_blobs: Any, words: list[str], say: str
) -> None:
    write_ais(Path("ais.csv"), SHIPS)
    done = told(run, scene, weights, *words)
    assert done.exit_code == 1, done.output
    assert say in done.stderr
    assert len(sentences(done)) == 1
    assert not bright_blobs.chips
    assert not Path("out").exists()


def test_a_scene_without_a_time_is_told_and_claims_nothing(run: Run, scene: Path, weights: Path) -> None:
    ais = write_ais(Path("ais.csv"), SHIPS)
    done = run("detect", scene, "--weights", weights, "--out", "out", "--ais", ais, "--no-quicklook")
    assert done.exit_code == 0, done.output
    assert "the scene has no time; set it with --time" in done.stderr
    rows = [one["properties"] for one in json.loads(Path("out/scene.geojson").read_text())["features"]]
    assert {(row["ais"], row["ais_reason"]) for row in rows} == {("unknown", "no time")}
    assert json.loads(Path("out/scene.run.json").read_text())["ais"]["unknown_because"] == {"no time": 6}


def test_results_with_other_ais_are_not_taken_for_those_asked_for(run: Run, scene: Path, weights: Path) -> None:
    ais = write_ais(Path("ais.csv"), SHIPS)
    ask = ["--ais", ais, "--skip-existing", "--no-quicklook", "--no-map"]
    assert told(run, scene, weights, *ask).exit_code == 0
    again = told(run, scene, weights, *ask, "--json")
    assert json.loads(again.stdout)["scenes"][0]["skipped"]
    for change in (["--ais-gap-min", "10"], ["--platform-heading", "10", "--incidence", "30"]):
        other = told(run, scene, weights, *ask, *change)
        assert (other.exit_code, "ais.settings" in other.stderr) == (1, True)
    write_ais(Path("ais.csv"), SHIPS[:3])
    other = told(run, scene, weights, *ask)
    assert (other.exit_code, "ais.sha256" in other.stderr) == (1, True)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two scenes of two days, of which the second lies 200 km to the north; with AIS of both in one file."""
    folder = tmp_path / "archive"
    folder.mkdir()
    pixels = np.random.default_rng(1).integers(90, 110, (220, 300)).astype(np.uint16)
    for x1, y1, x2, y2 in SHIPS:
        pixels[y1:y2, x1:x2] = 1000
    for day, north in ((1, 5.3e6), (2, 5.5e6)):
        name = f"s1a-iw-grd-vv-2023010{day}t170000-2023010{day}t170030-046551-059438-001.tiff"
        raster.write_scene(folder / name, pixels, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, north))
    write_ais(tmp_path / "ais.csv", SHIPS[:4], day="2023-01-01")
    return folder


def test_an_archive_takes_of_the_reports_those_of_each_scene(run: Run, archive: Path, weights: Path) -> None:
    ask = ["detect", f"{archive}/*.tiff", "--weights", weights, "--archive", "--out", "out", "--ais", "a*.csv"]
    done = run(*ask, "--json")
    assert done.exit_code == 0, done.output
    table = pyarrow.parquet.read_table("out/dataset").to_pylist()
    states = {day: [row["ais"] for row in table if f"2023010{day}t" in row["scene"]] for day in (1, 2)}
    assert sorted(states[1]) == ["dark"] * 2 + ["matched"] * 4
    assert states[2] == ["unknown"] * 6
    notes = json.loads(done.stdout)["notes"]
    assert [note for note in notes if "how the radar looked" in note and "the scene," in note]
    (unused,) = [note for note in notes if "no message of AIS is used" in note]
    assert unused.endswith(" (s1a-iw-grd-vv-20230102t170000-20230102t170030-046551-059438-001.tiff)")
    again = run(*ask, "--json")
    assert json.loads(again.stdout)["as_before"] == 2
    other = run(*ask, "--ais-gap-min", 5)
    assert (other.exit_code, "ais" in other.stderr) == (1, True)
