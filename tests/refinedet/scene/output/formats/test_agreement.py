"""All formats hold the same ships: rows, columns, kinds of values and outlines, as other libraries read them."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pyogrio
import pytest
import shapely

from refinedet.geo.position import locate
from refinedet.scene.input.acquisition import Acquisition, LineTimes
from refinedet.scene.output.result_paths import SUFFIXES, result_paths
from refinedet.scene.output.writers import write_results
from refinedet.scene.reported import AIS_COLUMNS, Reported
from refinedet.scene.result import SceneResult
from refinedet.scene.ships.attributes import places
from refinedet.scene.ships.measuring.shape import Shape
from refinedet.scene.views.columns import flat_rows, ship_columns, ship_rows, ship_shapes
from refinedet.utc import utc_text

MakeResult = Callable[..., SceneResult]
START = datetime(2021, 7, 1, 12, 1, 2, 345678, tzinfo=UTC)


@pytest.fixture
def full(make_result: MakeResult) -> SceneResult:
    """Three ships with every kind of value, AIS and times: one along an axis, one across the antimeridian."""
    result = make_result(3, west=179.968)
    boxes, lines = result.detections.boxes_xyxy, LineTimes(START, (0.0, 100.0), (0.0, 0.15))
    along = Shape((14.0, 7.0), (4.0, 2.0), (-0.3, 0.6), (0.05, 0.1), elongated=True, contrast_db=20.0)
    round_ones = [
        Shape((10.0 * i + 4, 7.0), (4.0, 0.0), (0.0, 2.0), (0.1, 0.2), elongated=False, contrast_db=float("nan"))
        for i in (2, 3)
    ]
    nothing = dict.fromkeys(AIS_COLUMNS)
    matched = {"ais": "matched", "mmsi": 219_000_001, "ais_name": "A & <B>", "ais_length_m": 120.5, "ais_heard": 4}
    states = (
        nothing | matched,
        nothing | {"ais": "dark", "ais_heard": 4},
        nothing | {"ais": "unknown", "ais_heard": 0},
    )
    return replace(
        result,
        places=places(boxes, locate(result.info), [along, *round_ones]),
        flags=(("edge", "shore"), (), ("wake",)),
        acquired=Acquisition("annotation", lines),
        ais=Reported(states),
    )


def written(result: SceneResult, folder: Path) -> dict[str, Path]:
    paths = result_paths(result.scene, folder, SUFFIXES, quicklook=False)
    write_results(result, paths)
    return paths


def plain(value: Any) -> Any:
    """Value of another library as ours has it: null for a number that is none, text for a time."""
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else f"{value.astype('datetime64[ms]')}Z"
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value


def by_gdal(path: Path) -> tuple[list[dict[str, Any]], list[shapely.Geometry]]:
    meta, _, geometry, fields = pyogrio.raw.read(path, layer=0)
    columns = {name: [plain(one) for one in values] for name, values in zip(meta["fields"], fields, strict=True)}
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return rows, list(shapely.from_wkb(geometry))


def same(one: shapely.Geometry, other: shapely.Geometry) -> bool:
    return bool(shapely.symmetric_difference(one, other).area < 1e-6 * other.area)


@pytest.mark.parametrize("outline", ["box", "oriented"])
def test_gdal_reads_the_same_rows_and_outlines_of_every_format(full: SceneResult, tmp_path: Path, outline: Any) -> None:
    result = full.outlined(outline)
    rows, shapes = flat_rows(result), ship_shapes(result)
    assert [row["outline"] for row in rows] == [outline, "box", "box"]
    paths = written(result, tmp_path)
    for name in ("gpkg", "fgb", "kml"):
        found, places_found = by_gdal(paths[name])
        assert len(found) == len(rows), name
        order = [next(k for k, one in enumerate(found) if one["score"] == row["score"]) for row in rows]
        for k, row, shape in zip(order, rows, shapes, strict=True):
            own = {column: found[k][column] for column in row}
            assert own == row, name
            parts = [part for part in shapely.get_parts(places_found[k]) if part.geom_type.endswith("Polygon")]
            assert same(shapely.union_all(parts), shape), name


@pytest.mark.parametrize("outline", ["box", "oriented"])
def test_tables_and_columns_hold_the_same_rows(full: SceneResult, tmp_path: Path, outline: Any) -> None:
    result = full.outlined(outline)
    rows, shapes, paths = ship_rows(result), ship_shapes(result), written(result, tmp_path)
    features = json.loads(paths["geojson"].read_text())["features"]
    assert [one["properties"] for one in features] == rows
    table = pyarrow.parquet.read_table(paths["geoparquet"])
    assert table.column_names == [*ship_columns(result), "bbox", "geometry"]
    for row, read in zip(rows, table.to_pylist(), strict=True):
        assert {name: utc_text(read[name]) if name == "time" else read[name] for name in row} == row
    with paths["csv"].open(newline="") as stream:
        listed = list(csv.DictReader(stream))
    for row, read in zip(flat_rows(result), listed, strict=True):
        known = {name: value for name, value in row.items() if name not in {"bbox_px", "outline"}}
        assert {name: read[name] for name in known} == {
            name: "" if value is None else str(value) for name, value in known.items()
        }
    frame = result.to_geodataframe()
    assert frame.crs == "EPSG:4326"
    assert list(frame.columns) == [*ship_columns(result), "geometry"]
    assert frame["mmsi"].tolist()[0] == rows[0]["mmsi"]
    assert frame["mmsi"].isna().tolist() == [False, True, True]
    assert [utc_text(one) for one in frame["time"]] == [row["time"] for row in rows]
    assert all(map(same, frame.geometry, shapes))


def test_a_frame_without_a_position_is_in_pixels(make_result: MakeResult) -> None:
    frame = make_result(located=False).to_geodataframe()
    assert frame.crs is None
    assert frame.geometry[0].bounds == (10, 5, 18, 9)
    assert len(make_result(0).to_geodataframe()) == 0
