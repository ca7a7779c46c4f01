"""GeoParquet as its standard has it, read back by two other readers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import shapely
from pyproj import CRS

from refinedet.scene.output.formats.geoparquet import order_by_place, write_geoparquet, write_partition
from refinedet.scene.result import SceneResult
from refinedet.scene.views.columns import ship_rows, ship_shapes

MakeResult = Callable[..., SceneResult]


def written(result: SceneResult, folder: Path) -> Path:
    write_geoparquet(result, folder / "ships.parquet")
    return folder / "ships.parquet"


def geo(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(pyarrow.parquet.read_schema(path).metadata[b"geo"])
    return content


def test_metadata_follows_version_1_1_of_the_standard(tmp_path: Path, make_result: MakeResult) -> None:
    path = written(make_result(), tmp_path)
    meta = geo(path)
    assert meta["version"] == "1.1.0"
    column = meta["columns"][meta["primary_column"]]
    assert column["encoding"] == "WKB"
    assert column["geometry_types"] == ["Polygon"]
    assert CRS.from_json_dict(column["crs"]) == CRS("OGC:CRS84")
    assert pyarrow.types.is_binary(pyarrow.parquet.read_schema(path).field("geometry").type)


@pytest.mark.parametrize("ships", [0, 3])
def test_columns_and_shapes_come_back_as_they_were(tmp_path: Path, make_result: MakeResult, ships: int) -> None:
    result = make_result(ships)
    rows = pyarrow.parquet.read_table(written(result, tmp_path)).to_pylist()
    shapes = [shapely.from_wkb(row.pop("geometry")) for row in rows]
    bounds = [tuple(row.pop("bbox").values()) for row in rows]
    assert bounds == [shape.bounds for shape in shapes]
    assert rows == ship_rows(result)
    assert shapes == ship_shapes(result)
    assert shapely.is_valid(shapes).all()
    assert all(shape.exterior.is_ccw for shape in shapes)


def test_the_antimeridian_is_cut_and_declared(tmp_path: Path, make_result: MakeResult) -> None:
    path = written(make_result(west=179.985), tmp_path)
    assert geo(path)["columns"]["geometry"]["geometry_types"] == ["MultiPolygon", "Polygon"]
    shapes = shapely.from_wkb(pyarrow.parquet.read_table(path)["geometry"].to_pylist())
    assert shapely.is_valid(shapes).all()
    assert max(shape.area for shape in shapes) < 1e-4


def test_without_position_shapes_are_pixels_and_the_reference_system_is_undefined(
    tmp_path: Path, make_result: MakeResult
) -> None:
    path = written(make_result(located=False), tmp_path)
    assert geo(path)["columns"]["geometry"]["crs"] is None
    first = shapely.from_wkb(pyarrow.parquet.read_table(path)["geometry"][0].as_py())
    assert first.bounds == (10, 5, 18, 9)


def test_a_ship_off_the_earth_has_no_shape(tmp_path: Path, make_result: MakeResult) -> None:
    result = make_result(2)
    result.places.corners_lonlat[1] = np.nan
    assert pyarrow.parquet.read_table(written(result, tmp_path))["geometry"].null_count == 1


def test_equal_results_give_equal_bytes(tmp_path: Path, make_result: MakeResult) -> None:
    first = written(make_result(), tmp_path).read_bytes()
    assert written(make_result(), tmp_path).read_bytes() == first


def test_geopandas_reads_the_same_ships(tmp_path: Path, make_result: MakeResult) -> None:
    geopandas = pytest.importorskip("geopandas", reason="geopandas is not installed")
    frame = geopandas.read_parquet(written(make_result(3), tmp_path))
    assert frame.crs == CRS("OGC:CRS84")
    assert frame.geometry.is_valid.all()
    assert frame["class"].tolist() == ["ship", "iceberg", "ship"]
    assert frame.geometry[0].bounds == pytest.approx((10.010, 49.991, 10.018, 49.995))
    assert len(geopandas.read_parquet(written(make_result(0), tmp_path))) == 0


def test_boxes_cover_the_outlines_and_the_metadata_says_where(tmp_path: Path, make_result: MakeResult) -> None:
    result = make_result(3)
    result.places.corners_lonlat[1] = np.nan
    path = written(result, tmp_path)
    covering = geo(path)["columns"]["geometry"]["covering"]
    assert covering == {"bbox": {side: ["bbox", side] for side in ("xmin", "ymin", "xmax", "ymax")}}
    field = pyarrow.parquet.read_schema(path).field("bbox")
    assert [inner.name for inner in field.type] == ["xmin", "ymin", "xmax", "ymax"]
    boxes = pyarrow.parquet.read_table(path)["bbox"].to_pylist()
    assert boxes[1] is None
    assert tuple(boxes[0].values()) == pytest.approx((10.010, 49.991, 10.018, 49.995))


def test_an_archive_has_ships_in_the_order_of_their_places(tmp_path: Path, make_result: MakeResult) -> None:
    result = make_result(3)
    apart = np.array([[10.1, 49.0], [10.0, 49.9], [10.1, 49.01]])
    result.places.centres_lonlat[:] = apart
    write_partition(result, tmp_path / "part.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "part.parquet")["lat"].to_pylist() == [49.0, 49.01, 49.9]
    scattered = np.random.default_rng(0).uniform(-60, 60, (4096, 2))
    scattered[7] = np.nan
    order = order_by_place(scattered)
    assert sorted(order.tolist()) == list(range(4096))
    assert order[-1] == 7
    spans = [np.ptp(group, axis=0).prod() for group in np.array_split(scattered[order[:-1]], 16)]
    assert np.median(spans) < 0.15 * 120**2, "a row group covers a small area"


def test_geopandas_reads_a_window_by_the_boxes(tmp_path: Path, make_result: MakeResult) -> None:
    geopandas = pytest.importorskip("geopandas", reason="geopandas is not installed")
    frame = geopandas.read_parquet(written(make_result(4), tmp_path), bbox=(10.02, 49.99, 10.021, 50.0))
    assert frame["score"].tolist() == [0.8]


def test_duckdb_queries_a_data_set_by_place(tmp_path: Path, make_result: MakeResult) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    for day in (1, 2):
        write_partition(make_result(4), tmp_path / "dataset" / f"date=2023-01-0{day}" / "s.parquet")
    found = duckdb.sql(
        "SELECT date, count(*) AS ships, max(length_m) AS longest "  # noqa: S608 - a path of the test
        f"FROM read_parquet('{tmp_path}/dataset/*/*.parquet', hive_partitioning = true) "
        "WHERE bbox.xmin < 10.035 AND bbox.xmax > 10.015 AND NOT list_contains(flags, 'land') "
        "GROUP BY date ORDER BY date"
    ).fetchall()
    assert [(str(day), ships) for day, ships, _ in found] == [("2023-01-01", 3), ("2023-01-02", 3)]
    assert found[0][2] == pytest.approx(573.6)


def test_lonboard_shows_the_ships(tmp_path: Path, make_result: MakeResult) -> None:
    lonboard = pytest.importorskip("lonboard", reason="lonboard is not installed")
    geopandas = pytest.importorskip("geopandas", reason="geopandas is not installed")
    frame = geopandas.read_parquet(written(make_result(3), tmp_path), columns=["score", "length_m", "geometry"])
    layer = lonboard.PolygonLayer.from_geopandas(frame.to_crs("EPSG:4326"), get_fill_color=[255, 180, 84, 120])
    assert layer.table.num_rows == 3
