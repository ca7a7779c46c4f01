"""One data set of many scenes: where its files lie, and that they are one table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.dataset
import pyarrow.parquet
import pytest

from refinedet.batch.partitions import acquisition_day, partition_path
from refinedet.scene.output.formats.geoparquet import write_partition
from refinedet.scene.result import SceneResult
from refinedet.scene.views.columns import ship_rows

MakeResult = Callable[..., SceneResult]
PRODUCT = "S1A_IW_GRDH_1SDV_20230131T170605_20230131T170630_046551_059438_9A2F"


@pytest.mark.parametrize(
    ("name", "day"),
    [
        (f"{PRODUCT}.SAFE", "2023-01-31"),
        (f"{PRODUCT}.zip", "2023-01-31"),
        ("s1c-ew-grd-hh-20250401t010203-20250401t010303-000001-000001-001.tiff", "2025-04-01"),
        (f"{PRODUCT}_vv_clipped.tif", "2023-01-31"),
        (PRODUCT.replace("20230131T", "20230231T"), "unknown"),
        ("scene.tif", "unknown"),
        ("20230131T170605.tif", "2023-01-31"),
        ("port_2023-01-31_17-06-05_VV.tif", "2023-01-31"),
        ("20230131.tif", "unknown"),
    ],
)
def test_the_day_comes_from_the_name(name: str, day: str) -> None:
    assert acquisition_day(Path("/2019/") / name) == day


def write(folder: Path, result: SceneResult) -> Path:
    path = partition_path(folder, result.scene)
    write_partition(result, path)
    return path


def test_files_of_all_kinds_of_scenes_have_one_schema(tmp_path: Path, make_result: MakeResult) -> None:
    results = [
        make_result(3, scene=f"{PRODUCT}.zip"),
        make_result(0, scene="empty.tif"),
        make_result(2, scene="chip.png", located=False),
        make_result(2, scene="pacific.tif", west=179.985),
    ]
    schemas = [pyarrow.parquet.read_schema(write(tmp_path, result)) for result in results]
    assert all(schema.equals(schemas[0], check_metadata=True) for schema in schemas)
    data = pyarrow.dataset.dataset(tmp_path, partitioning="hive")
    rows = data.to_table().to_pylist()
    assert {row["date"] for row in rows} == {"2023-01-31", "unknown"}
    assert data.count_rows(filter=pyarrow.dataset.field("date") == "2023-01-31") == 3
    chip = [row for row in rows if row["scene"] == "chip.png"]
    assert [row["geometry"] for row in chip] == [None, None]
    own = [{key: value for key, value in row.items() if key not in ("date", "bbox", "geometry")} for row in chip]
    assert own == ship_rows(results[2])


def test_geopandas_reads_all_scenes_as_one_frame(tmp_path: Path, make_result: MakeResult) -> None:
    geopandas = pytest.importorskip("geopandas", reason="geopandas is not installed")
    for scene, ships in ((f"{PRODUCT}.zip", 3), ("empty.tif", 0), ("other.tif", 1)):
        write(tmp_path, make_result(ships, scene=scene))
    frame = geopandas.read_parquet(tmp_path)
    assert frame["scene"].tolist() == [f"{PRODUCT}.zip"] * 3 + ["other.tif"]
    assert frame.crs.to_authority() == ("OGC", "CRS84")
    assert frame.geometry.is_valid.all()
