"""Result files: valid with and without ships, with and without position, equal bytes for equal results."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pyogrio
import pytest
import shapely
from pycocotools.coco import COCO

from refinedet.evaluation.score import Score, score_files
from refinedet.scene.input.acquisition import Acquisition, LineTimes
from refinedet.scene.output.formats.geoparquet import write_partition
from refinedet.scene.output.formats.text import csv_columns
from refinedet.scene.output.result_paths import SUFFIXES, result_paths
from refinedet.scene.output.writers import write_results
from refinedet.scene.result import SceneResult
from refinedet.utc import utc_text

MakeResult = Callable[..., SceneResult]


def written(result: SceneResult, folder: Path) -> dict[str, Path]:
    paths = result_paths(result.scene, folder, SUFFIXES, quicklook=False)
    write_results(result, paths)
    return paths


def test_geojson_is_rfc_7946_and_keeps_what_is_known(tmp_path: Path, make_result: MakeResult) -> None:
    content = json.loads(written(make_result(), tmp_path)["geojson"].read_text())
    assert content["type"] == "FeatureCollection"
    assert "crs" not in content
    first = content["features"][0]
    assert first["id"] == 1
    assert first["properties"] == {
        "score": 0.9,
        "class": "ship",
        "lon": pytest.approx(10.014),
        "lat": pytest.approx(49.993),
        "bbox_px": [10, 5, 18, 9],
        "length_m": pytest.approx(574, abs=1),
        "length_m_low": pytest.approx(459, abs=1),
        "length_m_high": pytest.approx(718, abs=1),
        "width_m": pytest.approx(445, abs=1),
        "heading_deg": None,
        "contrast_db": None,
        "coast_m": 1234.6,
        "outline": "box",
        "flags": ["edge", "joined"],
        "time": None,
        "scene": "a scene.tif",
    }
    polygon = shapely.geometry.shape(first["geometry"])
    assert polygon.bounds == pytest.approx((10.010, 49.991, 10.018, 49.995))
    assert polygon.exterior.is_ccw
    assert content["features"][1]["properties"]["class"] == "iceberg"


def test_geojson_without_position_says_so_and_keeps_the_pixels(tmp_path: Path, make_result: MakeResult) -> None:
    content = json.loads(written(make_result(located=False), tmp_path)["geojson"].read_text())
    assert "no position" in content["note"]
    assert [feature["geometry"] for feature in content["features"]] == [None, None]
    assert content["features"][0]["properties"]["bbox_px"] == [10, 5, 18, 9]
    assert content["features"][0]["properties"]["length_m"] is None


def test_csv_has_one_row_per_ship_and_blanks_for_what_is_unknown(tmp_path: Path, make_result: MakeResult) -> None:
    with written(make_result(), tmp_path / "a")["csv"].open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == csv_columns(make_result())
    assert [float(rows[0][key]) for key in ("x1", "y1", "x2", "y2", "score")] == [10, 5, 18, 9, 0.9]
    assert float(rows[0]["lon"]) == pytest.approx(10.014)
    assert float(rows[0]["lat"]) == pytest.approx(49.993)
    assert rows[0]["flags"] == "edge;joined"
    with written(make_result(located=False), tmp_path / "b")["csv"].open(newline="") as stream:
        row = next(csv.DictReader(stream))
    assert [row[key] for key in ("lon", "lat", "length_m", "width_m")] == [""] * 4


@pytest.mark.parametrize("ships", [0, 2])
def test_gpkg_opens_with_the_same_ships(tmp_path: Path, make_result: MakeResult, ships: int) -> None:
    path = written(make_result(ships), tmp_path)["gpkg"]
    meta, _, geometry, fields = pyogrio.raw.read(path, layer=0)
    assert meta["crs"] == "EPSG:4326"
    assert meta["geometry_type"] == "Polygon"
    assert pyogrio.list_layers(path)[0][0] == "a scene"
    columns = dict(zip(meta["fields"], fields, strict=True))
    assert columns["class"].tolist() == ["ship", "iceberg"][:ships]
    assert columns["flags"].tolist() == ["edge;joined", ""][:ships]
    shapes = shapely.from_wkb(geometry)
    assert [shape.bounds for shape in shapes[:1]] == [pytest.approx((10.010, 49.991, 10.018, 49.995))] * min(1, ships)


def test_time_and_scene_are_in_every_format(tmp_path: Path, make_result: MakeResult) -> None:
    start = datetime(2021, 7, 1, 12, 1, 2, 345678, tzinfo=UTC)
    lines = LineTimes(start, (0.0, 100.0), (0.0, 0.15))
    result = replace(make_result(), acquired=Acquisition("annotation", lines))
    expected = ["2021-07-01T12:01:02.355Z"] * 2  # the middle of both boxes is at y = 7
    paths = written(result, tmp_path)
    geojson = [one["properties"] for one in json.loads(paths["geojson"].read_text())["features"]]
    with paths["csv"].open(newline="") as stream:
        table = list(csv.DictReader(stream))
    coco = json.loads(paths["coco"].read_text())
    for rows in (geojson, table, coco):
        assert [row["time"] for row in rows] == expected
        assert [row["scene"] for row in rows] == ["a scene.tif"] * 2
    meta, _, _, fields = pyogrio.raw.read(paths["gpkg"], layer=0, datetime_as_string=True)
    columns = dict(zip(meta["fields"], fields, strict=True))
    assert columns["time"].tolist() == expected
    assert columns["scene"].tolist() == ["a scene.tif"] * 2
    with sqlite3.connect(paths["gpkg"]) as base:
        assert [row[0] for row in base.execute('SELECT time FROM "a scene"')] == expected
    rows = pyarrow.parquet.read_table(paths["geoparquet"]).to_pylist()
    assert [utc_text(row["time"]) for row in rows] == expected
    write_partition(result, tmp_path / "part.parquet")
    part = pyarrow.parquet.read_table(tmp_path / "part.parquet")
    assert part.column_names[0] == "scene"
    assert [(row["scene"], utc_text(row["time"])) for row in part.to_pylist()] == [("a scene.tif", expected[0])] * 2


def test_an_unknown_time_is_null_in_every_format(tmp_path: Path, make_result: MakeResult) -> None:
    paths = written(make_result(), tmp_path)
    with paths["csv"].open(newline="") as stream:
        assert [row["time"] for row in csv.DictReader(stream)] == ["", ""]
    assert [row["time"] for row in json.loads(paths["coco"].read_text())] == [None, None]
    with sqlite3.connect(paths["gpkg"]) as base:
        assert base.execute('SELECT time FROM "a scene"').fetchall() == [(None,), (None,)]
    table = pyarrow.parquet.read_table(paths["geoparquet"])
    assert table["time"].null_count == 2
    assert str(table.schema.field("time").type) == "timestamp[ms, tz=UTC]"


def test_gpkg_without_position_holds_pixels_and_no_reference_system(tmp_path: Path, make_result: MakeResult) -> None:
    meta, _, geometry, _ = pyogrio.raw.read(written(make_result(located=False), tmp_path)["gpkg"], layer=0)
    assert meta["crs"] is None or "undefined" in meta["crs"].lower()
    assert shapely.from_wkb(geometry[0]).bounds == (10, 5, 18, 9)


def test_gpkg_across_the_antimeridian_holds_both_halves(tmp_path: Path, make_result: MakeResult) -> None:
    path = written(make_result(west=179.985), tmp_path)["gpkg"]
    meta, _, geometry, _ = pyogrio.raw.read(path, layer=0)
    assert meta["geometry_type"] == "MultiPolygon"
    assert [len(shape.geoms) for shape in shapely.from_wkb(geometry)] == [2, 1]


@pytest.mark.parametrize("ships", [0, 3])
def test_coco_results_load_into_pycocotools(
    tmp_path: Path, make_result: MakeResult, ships: int, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = json.loads(written(make_result(ships), tmp_path)["coco"].read_text())
    assert len(rows) == ships
    if ships:
        assert rows[0]["bbox"] == [10, 5, 8, 4]
        assert rows[1]["category_id"] == 2
        truth = COCO()
        truth.dataset = {"images": [{"id": 1}], "annotations": [], "categories": [{"id": 1}, {"id": 2}]}
        truth.createIndex()
        assert len(truth.loadRes(rows).anns) == ships
        capsys.readouterr()


@pytest.mark.parametrize("located", [True, False])
@pytest.mark.parametrize("ships", [0, 2])
def test_equal_results_give_equal_bytes_and_geojson_scores_itself_perfect(
    tmp_path: Path, make_result: MakeResult, ships: int, located: bool
) -> None:
    first = written(make_result(ships, located=located), tmp_path / "a")
    second = written(make_result(ships, located=located), tmp_path / "b")
    for name in SUFFIXES:
        assert first[name].read_bytes() == second[name].read_bytes(), name
    assert score_files(first["geojson"], second["geojson"]) == Score(ships, 0, 0)
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == sorted(p.name for p in first.values())


def outlines(path: Path) -> tuple[str | None, list[shapely.Geometry]]:
    """Reference system and shapes of a file, as GDAL reads them."""
    meta, _, geometry, _ = pyogrio.raw.read(path, layer=0)
    return meta["crs"], list(shapely.from_wkb(geometry))


@pytest.mark.parametrize("west", [10.0, 179.985, -180.0])
def test_gdal_reads_valid_shapes_on_wgs_84_wherever_the_scene_lies(
    tmp_path: Path, make_result: MakeResult, west: float
) -> None:
    result = make_result(3, west=west)
    paths = written(result, tmp_path)
    (crs, geojson), (other_crs, gpkg) = outlines(paths["geojson"]), outlines(paths["gpkg"])
    assert crs == other_crs == "EPSG:4326"
    assert shapely.is_valid([*geojson, *gpkg]).all()
    for i, (one, other) in enumerate(zip(geojson, gpkg, strict=True)):
        assert one.normalize().equals_exact(shapely.geometry.shape(other).normalize(), 1e-6) or one.equals(other)
        assert one.area == pytest.approx(0.008 * 0.004, rel=1e-4)  # none is drawn around the earth
        lon, lat = result.places.centres_lonlat[i]
        assert one.buffer(1e-6).covers(shapely.Point(lon, lat))


def test_ships_off_the_earth_have_no_shape_and_stay_in_the_file(tmp_path: Path, make_result: MakeResult) -> None:
    result = make_result(2)
    result.places.corners_lonlat[1] = np.nan
    paths = written(result, tmp_path)
    for name in ("geojson", "gpkg"):
        _, shapes = outlines(paths[name])
        assert [shape is None for shape in shapes] == [False, True], name


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param('O\'Neill "quoted" [x]; DROP TABLE.tif', id="SQL"),
        pytest.param("<script>alert(1)<&amp;>.tif", id="HTML"),
        pytest.param("Ærø-船-🚢.tif", id="Unicode"),
        pytest.param("100% #1 {a} $b$.tif", id="signs"),
        pytest.param("two\nlines.tif", id="newline"),
        pytest.param("gpkg_contents.tif", id="GeoPackage's own table"),
        pytest.param("sqlite_master.tif", id="SQLite's own table"),
        pytest.param("-o.tif", id="option"),
        pytest.param(".hidden.tif", id="hidden"),
        pytest.param("a.b.c.tif", id="dots"),
    ],
)
def test_scenes_of_any_name_are_written_and_read_back(tmp_path: Path, make_result: MakeResult, scene: str) -> None:
    result = make_result(2, scene=scene)
    paths = written(result, tmp_path)
    assert json.loads(paths["geojson"].read_text(encoding="utf-8"))["scene"] == scene
    assert json.loads(paths["coco"].read_text(encoding="utf-8"))[0]["file_name"] == scene
    plain = paths["gpkg"].rename(tmp_path / "plain.gpkg")  # pyogrio takes some signs in a path for its own
    layers = pyogrio.list_layers(plain)
    assert [name for name, _ in layers[1:]] == ["layer_styles"]
    assert layers[0][0].endswith(re.sub(r"[^\w .-]", "_", Path(scene).stem))
    assert len(outlines(plain)[1]) == 2
    plain.rename(paths["gpkg"])
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in paths.values())


@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="GDAL's own programs are not installed")
@pytest.mark.parametrize("name", ["geojson", "gpkg"])
def test_another_gdal_opens_the_files_too(tmp_path: Path, make_result: MakeResult, name: str) -> None:
    path = written(make_result(3), tmp_path)[name]
    ran = subprocess.run(["ogrinfo", "-ro", "-al", "-so", path], capture_output=True, text=True, check=True)
    assert "Feature Count: 3" in ran.stdout
    assert "Geometry: Polygon" in ran.stdout
    assert "WGS 84" in ran.stdout
    assert "Warning" not in ran.stderr
