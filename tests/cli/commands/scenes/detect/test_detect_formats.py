"""Every format through `refinedet detect`: of a real scene, and of an archive; opened again by other programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import geopandas
import numpy as np
import pyogrio
import pystac
import pystac.validation
import pytest
from typer.testing import Result

from refinedet import raster
from refinedet.config.options.output import Format

Run = Callable[..., Result]
ASKED = [word for name in get_args(Format) for word in ("--format", name)]
NAME = "s1a-iw-grd-vv-202301{day:02}t170605-202301{day:02}t170630-046551-059438-001.tiff"


def test_a_real_scene_is_the_same_ships_in_every_format(
    run: Run, weights: Path, sample_data: Path, tmp_path: Path
) -> None:
    scene = sample_data / "real" / "mumbai" / "Input.tif"
    if not scene.is_file():
        pytest.skip(f"the real scene {scene} is not here")
    ran = run(
        "detect",
        scene,
        "--weights",
        weights,
        *ASKED,
        "--outline",
        "oriented",
        "--land-mask",
        "off",
        "--no-map",
        "--out",
        "out",
    )
    assert ran.exit_code == 0, ran.output
    assert "the STAC item of the scene gives no time" in " ".join(ran.stderr.split())
    rows = [one["properties"] for one in json.loads((tmp_path / "out" / "Input.geojson").read_text())["features"]]
    assert rows
    frames = {
        "gpkg": geopandas.read_file(tmp_path / "out" / "Input.gpkg", layer=0),
        "fgb": geopandas.read_file(tmp_path / "out" / "Input.fgb"),
        "kml": geopandas.read_file(tmp_path / "out" / "Input.kml"),
        "geoparquet": geopandas.read_parquet(tmp_path / "out" / "Input.parquet"),
    }
    for name, frame in frames.items():
        assert frame.crs is not None, name
        assert sorted(frame["score"]) == sorted(row["score"] for row in rows), name
        assert sorted(frame["outline"]) == sorted(row["outline"] for row in rows), name
        assert sorted(frame["lon"]) == sorted(row["lon"] for row in rows), name
    told = pyogrio.read_info(tmp_path / "out" / "Input.gpkg", layer=0)["layer_metadata"]
    assert json.loads(told["settings"])["outline"] == "oriented"
    text = (tmp_path / "out" / "Input.stac.json").read_text()
    assert str(sample_data) not in text
    assert str(tmp_path) not in text
    item = pystac.Item.from_dict(json.loads(text))
    assert pystac.validation.validate_dict(json.loads(text), extensions=[])
    files = {one["href"].removeprefix("./") for one in json.loads(text)["assets"].values()}
    assert files | {"Input.stac.json"} == {path.name for path in (tmp_path / "out").iterdir()}
    assert item.bbox is not None


def scenes(folder: Path) -> None:
    """Write two scenes of two days with ships."""
    for day in (1, 2):
        pixels = np.random.default_rng(day).integers(90, 110, (220, 300)).astype(np.uint16)
        for x in range(20, 280, 60):
            pixels[50 * day : 50 * day + 8, x : x + 20] = 1000
        raster.write_scene(
            folder / NAME.format(day=day), pixels, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5.3e6)
        )


def test_an_archive_is_a_collection_and_a_data_set(run: Run, weights: Path, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    scenes(tmp_path)
    words: list[Any] = ["detect", "*.tiff", "--weights", weights, "--land-mask", "off", "--archive", "--out", "out"]
    ran = run(*words, "--format", "stac", "--format", "fgb")
    assert ran.exit_code == 0, ran.output
    path = tmp_path / "out" / "collection.json"
    content = json.loads(path.read_text())
    assert pystac.validation.validate_dict(content, extensions=[])
    found = pystac.Collection.from_file(str(path))
    items = list(found.get_items())
    assert [one.properties["datetime"][:10] for one in items] == ["2023-01-01", "2023-01-02"]
    assert content["extent"]["temporal"]["interval"] == [["2023-01-01T17:06:05.000Z", "2023-01-02T17:06:05.000Z"]]
    for one in items:
        assert pystac.validation.validate_dict(one.to_dict(include_self_link=False), extensions=[])
        parent = one.get_parent()
        assert parent is not None
        assert parent.id == "out"
        for asset in one.get_assets().values():
            assert Path(str(asset.get_absolute_href())).is_file()
    query = f"SELECT count(*), min(bbox.xmin) FROM '{tmp_path}/out/dataset/*/*.parquet' WHERE bbox.ymin > 0"  # noqa: S608 - a path of the test
    ((ships, west),) = duckdb.sql(query).fetchall()
    assert ships == sum(one.properties["refinedet:ships"] for one in items) == 10
    assert west == pytest.approx(min(one.properties["refinedet:ships_bbox"][0] for one in items), abs=1e-6)
    assert str(tmp_path) not in path.read_text()
    before = path.read_bytes()
    assert run(*words, "--format", "stac", "--format", "fgb").exit_code == 0
    assert path.read_bytes() == before
