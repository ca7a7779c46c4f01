"""GeoPackage: its style as QGIS looks for it, and the record of the run as GDAL and QGIS show it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyogrio
import pytest

from refinedet.scene.output.formats.gpkg import write_gpkg
from refinedet.scene.result import SceneResult

MakeResult = Callable[..., SceneResult]
RECORD: dict[str, Any] = {
    "settings": {"score_min": 0.5, "land": "<a> & b"},
    "device": "cpu",
    "ais": None,
    "time": {"seconds": 1.5},
}
QGIS = "/usr/bin/python3"
LOOK = """
import os, sys
from qgis.core import QgsApplication, QgsVectorLayer
application = QgsApplication([], False)
application.initQgis()
layer = QgsVectorLayer(sys.argv[1], "ships", "ogr")
metadata = layer.metadata()
print([one.value() for one in layer.renderer().categories()], metadata.title(), metadata.history(), sep="\\n")
sys.stdout.flush()
os._exit(0)
"""


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    base = sqlite3.connect(path)
    try:
        return base.execute(query).fetchall()
    finally:
        base.close()


def test_a_style_is_there_as_qgis_looks_for_it(tmp_path: Path, make_result: MakeResult) -> None:
    path = tmp_path / "a.gpkg"
    write_gpkg(make_result(), path)
    ((schema, catalog, table, column, default, time, style),) = rows(
        path,
        "SELECT f_table_schema, f_table_catalog, f_table_name, f_geometry_column, useAsDefault, update_time, styleQML "
        "FROM layer_styles",
    )
    assert (schema, catalog, table, default) == ("", "", "a scene", 1)
    assert rows(path, "SELECT table_name, column_name FROM gpkg_geometry_columns") == [(table, column)]
    assert time == "1970-01-01T00:00:00.000Z"
    assert style.startswith("<!DOCTYPE qgis")
    kinds = dict(rows(path, "SELECT table_name, data_type FROM gpkg_contents"))
    assert kinds == {"a scene": "features", "layer_styles": "attributes"}
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert rows(path, "PRAGMA foreign_key_check") == []


def test_the_record_is_metadata_of_the_layer_without_its_times(tmp_path: Path, make_result: MakeResult) -> None:
    path = tmp_path / "a.gpkg"
    write_gpkg(make_result(), path, RECORD)
    told = pyogrio.read_info(path, layer=0)["layer_metadata"]
    assert json.loads(told["settings"]) == RECORD["settings"]
    assert told["device"] == "cpu"
    assert told["DESCRIPTION"] == "2 ships found in a scene.tif by refinedet"
    assert not {"time", "ais"} & told.keys()
    standards = "SELECT md_standard_uri, table_name FROM gpkg_metadata JOIN gpkg_metadata_reference ON id = md_file_id"
    assert rows(path, standards) == [("http://gdal.org", "a scene"), ("http://mrcc.com/qgis.dtd", "a scene")]
    other = tmp_path / "b.gpkg"
    write_gpkg(make_result(), other, RECORD | {"time": {"seconds": 9.0}})
    assert other.read_bytes() == path.read_bytes()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.gpkg", "b.gpkg"]


def test_without_a_record_there_is_no_metadata(tmp_path: Path, make_result: MakeResult) -> None:
    write_gpkg(make_result(0), tmp_path / "a.gpkg")
    tables = {name for (name,) in rows(tmp_path / "a.gpkg", "SELECT name FROM sqlite_master")}
    assert "layer_styles" in tables
    assert "gpkg_metadata" not in tables


@pytest.mark.parametrize("name", ["layer_styles.tif", "LAYER_STYLES.tif"])
def test_a_scene_named_like_the_table_of_styles_has_another_layer(
    tmp_path: Path, make_result: MakeResult, name: str
) -> None:
    write_gpkg(make_result(scene=name), tmp_path / "a.gpkg")
    assert pyogrio.list_layers(tmp_path / "a.gpkg")[0][0].startswith("ships_")


@pytest.mark.slow
def test_qgis_opens_it_styled_and_shows_the_record(tmp_path: Path, make_result: MakeResult) -> None:
    if shutil.which("qgis_process") is None or not Path(QGIS).exists():
        pytest.skip("QGIS is not installed")
    write_gpkg(make_result(), tmp_path / "a.gpkg", RECORD)
    ran = subprocess.run(
        [QGIS, "-c", LOOK, f"{tmp_path}/a.gpkg|layername=a scene"],
        env={"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    categories, title, history = ran.stdout.splitlines()
    assert categories == "['doubtful', 'still', 'coast', 'strong', 'middle', 'weak']"
    assert title == "Ships in a scene.tif"
    assert "settings" in history
