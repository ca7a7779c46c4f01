"""Files that the user brings: formats, reference systems, and files that are not what they say."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from refinedet.errors import FileError, InputError, MissingExtra
from refinedet.geo.reference import WGS84, Box
from refinedet.geo.vectors import Layer, read_layers

SHAPES = [shapely.box(10, 50, 11, 51), shapely.box(30, 50, 31, 51)]
WORLD: list[Box] = [(-180, -90, 180, 90)]


def read(path: Path, boxes: list[Box] = WORLD) -> list[Layer]:
    return read_layers(path, lambda _: boxes)


def geojson(path: Path, shapes: list[Any], crs: str | None = None) -> Path:
    features = [{"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(s)} for s in shapes]
    named = {} if crs is None else {"crs": {"type": "name", "properties": {"name": crs}}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features} | named))
    return path


def with_gdal(path: Path, shapes: list[Any], crs: str | None = "EPSG:4326", **settings: Any) -> Path:
    pyogrio = pytest.importorskip("pyogrio")
    wkb = np.array([shapely.to_wkb(s) for s in shapes], object)
    kind = shapes[0].geom_type
    pyogrio.raw.write(str(path), wkb, [np.arange(len(shapes))], ["id"], geometry_type=kind, crs=crs, **settings)
    return path


@pytest.mark.parametrize(
    ("write", "name"),
    [(geojson, "a.geojson"), (with_gdal, "a.geojson"), (with_gdal, "a.gpkg"), (with_gdal, "a.shp")],
)
def test_every_format_gives_the_same_shapes(tmp_path: Path, write: Any, name: str) -> None:
    ((shapes, crs),) = read(write(tmp_path / name, SHAPES))
    assert crs.equals(WGS84, ignore_axis_order=True)
    assert sorted(shapely.bounds(shapes).tolist()) == sorted(shapely.bounds(SHAPES).tolist())


@pytest.mark.parametrize("name", ["a.gpkg", "a.shp"])
def test_only_what_is_near_is_read_also_where_longitudes_run_to_360(tmp_path: Path, name: str) -> None:
    path = with_gdal(tmp_path / name, [*SHAPES, shapely.box(190, 50, 191, 51)])
    ((shapes, _),) = read(path, [(-171, 49, -168, 52)])
    assert shapely.bounds(shapes).tolist() == [[190, 50, 191, 51]]


def test_a_shape_in_two_boxes_is_read_once(tmp_path: Path) -> None:
    ((shapes, _),) = read(with_gdal(tmp_path / "a.gpkg", SHAPES), [(9, 49, 10.5, 52), (10.5, 49, 12, 52)])
    assert len(shapes) == 1


def test_all_layers_of_a_geopackage_are_read_each_in_its_reference_system(tmp_path: Path) -> None:
    path = with_gdal(tmp_path / "a.gpkg", SHAPES[:1], layer="one")
    with_gdal(path, [shapely.Point(5e5, 6e6)], "EPSG:32633", layer="two", append=True)
    layers = read_layers(path, lambda crs: WORLD if crs.is_geographic else [(0, 0, 1e7, 1e7)])
    assert {crs.to_epsg(): shapes[0].geom_type for shapes, crs in layers} == {4326: "Polygon", 32633: "Point"}


def test_geojson_may_name_a_reference_system_be_one_geometry_and_have_features_without(tmp_path: Path) -> None:
    named = geojson(tmp_path / "named.geojson", SHAPES, "urn:ogc:def:crs:EPSG::25833")
    assert read(named)[0].crs.to_epsg() == 25833
    single = tmp_path / "single.json"
    single.write_text("\ufeff" + json.dumps({"type": "Point", "coordinates": [1, 2, 3]}))
    assert read_text(single) == ["POINT (1 2)"]
    (tmp_path / "none.geojson").write_text('{"type":"FeatureCollection","features":[{"geometry":null}]}')
    assert read_text(tmp_path / "none.geojson") == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "id,lon,lat\n1,1,2\n2,,\n3,3,4\n"),
        ("a.csv", "Name;Longitude;Latitude\na;1,0;2,0\nb;3,0;4,0\n"),
        ("a.csv", "id,WKT\n1,POINT (1 2)\n2,POINT (3 4)\n"),
        ("a.geojsonl", '{"type":"Point","coordinates":[1,2]}\n\n{"geometry":{"type":"Point","coordinates":[3,4]}}\n'),
    ],
)
def test_tables_and_features_in_lines_are_read(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert read_text(tmp_path / name) == ["POINT (1 2)", "POINT (3 4)"]


def read_text(path: Path) -> list[str]:
    return [shape.wkt for shape in read(path)[0].shapes]


VRT = (
    '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>secret.geojson</SrcDataSource></OGRVRTLayer>'
    "</OGRVRTDataSource>"
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.geojson", b"", id="empty"),
        pytest.param("a.geojson", b'{"type":"FeatureCollection","features":[', id="cut short"),
        pytest.param("a.geojson", b'{"a":' * 100_000, id="nested without end"),
        pytest.param("a.csv", b"name,label\n1,2\n", id="a table without places"),
        pytest.param("a.csv", b"lon,lat\n7E,54N\n", id="a table without numbers"),
        pytest.param("a.csv", b"row,col\n1,2\n", id="a table of pixels"),
        pytest.param("a.csv", b"x,y\n380000,6050000\n", id="a table of metres"),
        pytest.param("a.kml", b"<?xml version='1.0'?><kml/>", id="KML"),
        pytest.param("a.geojson", VRT.encode(), id="a VRT that names another file"),
        pytest.param("a.geojson", b'{"' + VRT.encode(), id="a VRT that begins like JSON"),
        pytest.param("a.shp", b"\0\0\x27\x0a" + VRT.encode(), id="a VRT that begins like a Shapefile"),
        pytest.param("a.gpkg", b"SQLite format 3\0".ljust(68, b"\0") + b"GPKG" + VRT.encode(), id="and a GeoPackage"),
        pytest.param("a.zip", b"PK\3\4", id="an archive"),
    ],
)
def test_a_file_of_another_kind_or_damaged_is_one_sentence(
    tmp_path: Path, name: str, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    geojson(tmp_path / "secret.geojson", SHAPES)
    (tmp_path / name).write_bytes(content)
    with pytest.raises((FileError, InputError), match=r"^expected .*, found .*"):
        read(tmp_path / name)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("path", ["missing.geojson", "/vsicurl/http://127.0.0.1/a.gpkg", "http://127.0.0.1/a.geojson"])
def test_only_local_files_are_read(path: str) -> None:
    with pytest.raises(FileError, match=r"^expected a GeoJSON"):
        read(Path(path))


def test_a_database_that_is_no_geopackage_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.gpkg") as database:
        database.execute("create table a (b)")
    database.close()
    with pytest.raises(FileError, match="found something else"):
        read(tmp_path / "a.gpkg")


def test_a_truncated_geopackage_and_shapefile_are_one_sentence(tmp_path: Path) -> None:
    for path in (with_gdal(tmp_path / "a.gpkg", SHAPES), with_gdal(tmp_path / "a.shp", SHAPES)):
        path.write_bytes(path.read_bytes()[:150])
        with pytest.raises(FileError, match="found a damaged one"):
            read(path)


@pytest.mark.parametrize(
    "content",
    [
        '{"type":"Point"}',
        '{"type":"Point","coordinates":["a","b"]}',
        '{"features":3}',
        '{"features":[3]}',
        '{"type":"Polygon","coordinates":[[[0,0],[1,1]]]}',
        '{"type":"Point","coordinates":[1e999,0]}',
        '{"type":"Point","coordinates":[1,0],"crs":{"properties":{"name":"EPSG:nonsense"}}}',
        '{"type":"Point","coordinates":[1,0],"crs":{}}',
    ],
)
def test_geojson_that_makes_no_sense_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.geojson").write_text(content)
    with pytest.raises(InputError, match=r"^expected .* in .*a\.geojson, found"):
        read(tmp_path / "a.geojson")


def test_a_shapefile_without_a_reference_system_is_refused(tmp_path: Path) -> None:
    path = with_gdal(tmp_path / "a.shp", SHAPES)
    path.with_suffix(".prj").unlink()
    with pytest.raises(InputError, match="which reference system"):
        read(path)


def test_without_pyogrio_geojson_still_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = with_gdal(tmp_path / "a.gpkg", SHAPES)
    path = geojson(tmp_path / "a.geojson", SHAPES)
    monkeypatch.setitem(sys.modules, "pyogrio", None)
    assert len(read(path)[0].shapes) == 2
    with pytest.raises(MissingExtra, match=r"refinedet\[gpkg\]"):
        read(other)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"type": "Topology", "objects": {}, "arcs": []}, "found TopoJSON; save it as GeoJSON"),
        ({"geometryType": "esriGeometryPoint", "features": []}, "found Esri's JSON; convert it: ogr2ogr"),
        ({"images": [], "annotations": []}, "found COCO; write the boxes of one image to a table"),
    ],
)
def test_other_json_is_told_by_name_with_a_remedy(tmp_path: Path, content: dict[str, Any], told: str) -> None:
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=told):
        read(tmp_path / "a.json")


def test_a_raster_is_told_to_be_turned_into_polygons(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"II*\0" + bytes(100))
    with pytest.raises(FileError, match=r"found a raster; turn its areas into polygons, such as with gdal_polygonize"):
        read(tmp_path / "a.tif")
