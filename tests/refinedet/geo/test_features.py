"""Features of a user's file, whatever its format, reference system and columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyproj import CRS

from refinedet.errors import FileError, InputError
from refinedet.geo.features import Features, in_system, parse_system, read_features
from refinedet.geo.reference import WGS84


def table(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def only(path: Path, **settings: Any) -> Features:
    (found,) = read_features(path, **settings)
    return found


def with_gdal(path: Path, crs: str | None) -> Path:
    pyogrio = pytest.importorskip("pyogrio")
    wkb = np.array([shapely.to_wkb(shapely.Point(500_000, 6_000_000)), None], object)
    values = [np.array(["tanker", None], object), np.array([120.5, np.nan])]
    pyogrio.raw.write(str(path), wkb, values, ["kind", "length_m"], geometry_type="Point", crs=crs)
    return path


@pytest.mark.parametrize("name", ["a.gpkg", "a.shp"])
def test_columns_and_missing_geometries_of_a_layer_are_kept(tmp_path: Path, name: str) -> None:
    found = only(with_gdal(tmp_path / name, "EPSG:32633"))
    assert isinstance(found.system, CRS)
    assert found.system.to_epsg() == 32633
    assert [shape and shape.wkt for shape in found.shapes] == ["POINT (500000 6000000)", None]
    assert found.columns == {"kind": ["tanker", None], "length_m": [120.5, None]}


def test_a_system_given_is_for_files_that_say_none(tmp_path: Path) -> None:
    path = with_gdal(tmp_path / "a.shp", "EPSG:32633")
    utm = parse_system("EPSG:32634")
    with pytest.raises(InputError, match=r"by `crs` than that of .* zone 33N, found .* zone 34N; leave `crs` out"):
        in_system(read_features(path), utm, path, "crs")
    assert in_system(read_features(path), parse_system("EPSG:32633"), path, "crs")[0].system != utm
    path.with_suffix(".prj").unlink()
    assert only(path).system is None
    assert in_system(read_features(path), utm, path, "crs")[0].system == utm


def geojson(path: Path, coordinates: list[float]) -> Path:
    feature = {"properties": {"score": 0.5}, "geometry": {"type": "Point", "coordinates": coordinates}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature, {"geometry": None}]}))
    return path


def test_geojson_beyond_degrees_without_a_system_has_none(tmp_path: Path) -> None:
    assert only(geojson(tmp_path / "a.geojson", [9, 54])).system == WGS84
    found = only(geojson(tmp_path / "b.geojson", [500_000, 6_000_000]))
    assert found.system is None
    assert found.columns == {"score": [0.5, None]}


@pytest.mark.parametrize(
    ("text", "wkt", "system"),
    [
        pytest.param("lon,lat\n9,54\n", "POINT (9 54)", WGS84, id="lon and lat"),
        pytest.param("Latitude; Longitude\n54,5; 9\n", "POINT (9 54.5)", WGS84, id="semicolons, decimal commas"),
        pytest.param("\ufefflat\tlon\n54\t9\n\n", "POINT (9 54)", WGS84, id="tabs, a mark at the start, an empty line"),
        pytest.param("row,col\n3,4\n", "POINT (4 3)", "pixels", id="row and column"),
        pytest.param("x,y\n3,4\n", "POINT (3 4)", None, id="x and y say nothing"),
        pytest.param("name,WKT\na,POINT (1 2)\n", "POINT (1 2)", None, id="WKT"),
        pytest.param("geometry\nPOINT (1 2)\n", "POINT (1 2)", None, id="WKT alone"),
        pytest.param("geom,id\nSRID=4326;POINT (1 2),1\n", "POINT (1 2)", WGS84, id="WKT of PostGIS"),
        pytest.param("lon\tlat\n9,5\t54,5\n", "POINT (9.5 54.5)", WGS84, id="tabs, decimal commas"),
        pytest.param('lon,lat\n"9,5","54,5"\n', "POINT (9.5 54.5)", WGS84, id="quoted decimal commas"),
        pytest.param("sep=;\nlon;lat\n9,5;54,5\n", "POINT (9.5 54.5)", WGS84, id="a spreadsheet's note on delimiters"),
        pytest.param("detect_lat,detect_lon,detect_scene_row,detect_scene_column\n54,9,3,4", "POINT (9 54)", WGS84),
        pytest.param("lon,lat\n9,north\n", None, WGS84, id="no number"),
        pytest.param("lon,lat,x1,y1,x2,y2\n,,1,2,3,4\n", "BOX", "pixels", id="a scene without position"),
    ],
)
def test_columns_of_tables_are_known_by_their_names(tmp_path: Path, text: str, wkt: str | None, system: Any) -> None:
    found = only(table(tmp_path / "a.csv", text))
    (shape,) = found.shapes
    assert found.system == system
    if wkt == "BOX":
        assert shape.bounds == (1, 2, 3, 4)
    else:
        assert (shape and shape.wkt) == wkt


def test_a_table_may_be_in_utf16(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("lon,lat\n9,54\n", encoding="utf-16")
    assert only(path).shapes[0].wkt == "POINT (9 54)"


def test_boxes_of_xview3_are_taken_in_pixels_where_they_are_there_else_points(tmp_path: Path) -> None:
    header = "detect_lat,detect_lon,detect_scene_row,detect_scene_column,left,top,right,bottom\n"
    path = table(tmp_path / "a.csv", f"{header}54,9,30,40,35,33,45,27\n54,9,30,40,,,,\n")
    found = only(path, in_pixels=True)
    assert found.system == "pixels"
    assert [shape.bounds for shape in found.shapes] == [(35, 27, 45, 33), (40, 30, 40, 30)]


def test_other_files_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"columns such as lon and lat.* found a, b"):
        only(table(tmp_path / "a.csv", "a,b\n1,2\n"))
    others = {
        "one word": "something else",
        "<OGRVRTDataSource a=',,'/>": "XML, such as KML or GPX; convert it: ogr2ogr",
        "fgb\x03fgb": "FlatGeobuf; convert it: ogr2ogr -f GeoJSON places.geojson a.csv",
        "PAR1": "Parquet; convert it: ogr2ogr",
    }
    for text, found in others.items():
        with pytest.raises(FileError, match=rf"^expected GeoJSON, a GeoPackage.*found {found}"):
            only(table(tmp_path / "a.csv", text))
    with pytest.raises(FileError, match="found a folder; name a file in it"):
        only(tmp_path)
    with pytest.raises(FileError, match="cannot be read"):
        only(tmp_path / "none.csv")
    for text in ("{}", '{"scene": {}}', '{"features": null}', '{"type": "FeatureCollection", "features": [1]}'):
        with pytest.raises(InputError, match=r"^expected GeoJSON features .*found other JSON$"):
            only(table(tmp_path / "a.json", text))


def test_the_stac_item_of_a_scene_is_no_file_of_ships(tmp_path: Path) -> None:
    item = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [9, 54]}}
    (tmp_path / "a.stac.json").write_text(json.dumps(item | {"properties": {"refinedet:ships": 3}}))
    with pytest.raises(InputError, match="found the STAC item of a scene; name its GeoJSON"):
        only(tmp_path / "a.stac.json")


def test_a_system_is_a_code_or_pixels() -> None:
    assert parse_system("pixels") == "pixels"
    with pytest.raises(InputError, match=r"EPSG:4326, or pixels, found 'EPSG:nonsense'"):
        parse_system("EPSG:nonsense")
