"""One list of what is said of a ship; a new measure reaches every file through it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import fields, make_dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pyogrio
import pytest

from refinedet.scene.output import result_paths, webmap
from refinedet.scene.output import writers as outputs
from refinedet.scene.result import SceneResult
from refinedet.scene.ships.attributes import Places
from refinedet.scene.views import columns

MakeResult = Callable[..., SceneResult]


def test_measures_are_the_numbers_of_places() -> None:
    assert columns.MEASURES[:4] == ("length_m", "length_m_low", "length_m_high", "width_m")
    assert {f"{name}" for name in columns.MEASURES} == {f.name for f in fields(Places)} - {
        "corners_lonlat",
        "centres_lonlat",
        "oriented_lonlat",
        "oriented_px",
    }


def test_columns_are_those_of_a_row_in_its_order(make_result: MakeResult) -> None:
    result = make_result()
    assert list(columns.ship_columns(result)) == list(columns.ship_row(result, 0))


def test_a_row_is_ready_for_json_and_unknown_values_are_null(make_result: MakeResult) -> None:
    row = columns.ship_row(make_result(located=False), 0)
    assert json.loads(json.dumps(row, allow_nan=False)) == row
    assert row["lon"] is row["length_m"] is None
    assert row["flags"] == ["edge", "joined"]


def test_a_measure_that_is_added_to_places_appears_in_every_file(
    tmp_path: Path, make_result: MakeResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    wider = make_dataclass("Wider", [("depth_m", object)], bases=(Places,), frozen=True)
    result = make_result(2)
    known = {f.name: getattr(result.places, f.name) for f in fields(Places)}
    result = replace(result, places=wider(**known, depth_m=np.array([12.34, np.nan])))
    measures = (*columns.MEASURES, "depth_m")
    for module in (columns, webmap):
        monkeypatch.setattr(module, "MEASURES", measures)
    paths = result_paths.result_paths("s.tif", tmp_path, result_paths.SUFFIXES, quicklook=False)
    outputs.write_results(result, paths)
    features = json.loads(paths["geojson"].read_text())["features"]
    assert [feature["properties"]["depth_m"] for feature in features] == [12.3, None]
    with paths["csv"].open(newline="") as stream:
        assert [row["depth_m"] for row in csv.DictReader(stream)] == ["12.3", ""]
    meta, _, _, values = pyogrio.raw.read(paths["gpkg"], layer=0)
    np.testing.assert_array_equal(values[list(meta["fields"]).index("depth_m")], [12.3, np.nan])
    assert pyarrow.parquet.read_table(paths["geoparquet"])["depth_m"].to_pylist() == [12.3, None]
    assert "depth" in {column.name for column in webmap._columns(result)}
