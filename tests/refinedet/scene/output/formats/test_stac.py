"""STAC items: valid by the schemas of the standard, honest about time and place, free of paths of this machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pystac.validation
import pytest
import shapely

from refinedet.scene.input.acquisition import Acquisition, LineTimes
from refinedet.scene.output.files import with_format_notes
from refinedet.scene.output.formats.stac import write_stac
from refinedet.scene.output.formats.stac_properties import EXTENSIONS
from refinedet.scene.output.result_paths import DATASET, SUFFIXES, result_paths
from refinedet.scene.result import SceneResult

MakeResult = Callable[..., SceneResult]
START = datetime(2021, 7, 1, 12, 1, 2, tzinfo=UTC)
RADAR = {
    "platform": "sentinel-1a",
    "mode": "IW",
    "product_type": "GRD",
    "frequency_ghz": 5.405,
    "spacing_m": [10.0, 10.0],
    "look": "right",
    "orbit_pass": "ascending",
}


def item_of(result: SceneResult, folder: Path, more: dict[str, Path] | None = None) -> dict[str, Any]:
    """Item as written, valid by the core schemas that pystac brings."""
    files = result_paths(result.scene, folder, SUFFIXES, quicklook=True, web_map=True, record=True) | (more or {})
    record = {"versions": {"refinedet": "1", "scipy": None}, "scene": {"sha256": "ab12"}}
    write_stac(result, files["stac"], files=files, record=record)
    item: dict[str, Any] = json.loads(files["stac"].read_text())
    assert pystac.validation.validate_dict(item, extensions=[])
    return item


def test_an_item_has_place_size_software_and_all_files(tmp_path: Path, make_result: MakeResult) -> None:
    result = make_result()
    item = item_of(result, tmp_path)
    assert item["bbox"] == [10.0, 49.9, 10.2, 50.0]
    assert shapely.geometry.shape(item["geometry"]).bounds == tuple(item["bbox"])
    told = item["properties"]
    assert told["refinedet:ships"] == 2
    assert told["refinedet:ships_bbox"] == pytest.approx([10.010, 49.991, 10.028, 49.995])
    assert (told["proj:code"], told["proj:shape"]) == ("EPSG:4326", [100, 200])
    assert told["proj:transform"] == [0.001, 0.0, 10.0, 0.0, -0.001, 50.0]
    assert told["processing:software"] == {"refinedet": "1"}
    assert told["processing:lineage"].endswith("in a scene.tif, SHA-256 ab12")
    assert item["stac_extensions"] == [EXTENSIONS["proj"], EXTENSIONS["processing"]]
    names = {one["href"] for one in item["assets"].values()}
    assert names == {
        f"./a%20scene{suffix}"
        for suffix in (*(one for name, one in SUFFIXES.items() if name != "stac"), ".png", ".html", ".run.json")
    }
    assert {role for one in item["assets"].values() for role in one["roles"]} == {"data", "overview", "metadata"}
    assert item["links"] == []
    assert str(tmp_path) not in json.dumps(item)


def test_the_time_of_a_scene_is_that_of_its_middle_with_its_ends(tmp_path: Path, make_result: MakeResult) -> None:
    lines = LineTimes(START, (0.0, 99.0), (15.0, 0.0))  # the last line was taken first
    told = item_of(replace(make_result(), acquired=Acquisition("annotation", lines)), tmp_path)["properties"]
    assert told["start_datetime"] == "2021-07-01T12:01:02.000Z"
    assert told["end_datetime"] == "2021-07-01T12:01:17.000Z"
    assert told["datetime"] == "2021-07-01T12:01:09.500Z"
    told = item_of(replace(make_result(), acquired=Acquisition("name", once=START)), tmp_path / "b")["properties"]
    assert told["datetime"] == "2021-07-01T12:01:02.000Z"
    assert "start_datetime" not in told


def test_an_unknown_time_is_an_interval_that_holds_any_and_a_note(tmp_path: Path, make_result: MakeResult) -> None:
    result = make_result()
    told = item_of(result, tmp_path)["properties"]
    assert told["datetime"] is None
    assert told["start_datetime"] < "1979"
    assert told["end_datetime"] > "9000"
    (note,) = with_format_notes(result, {"stac": tmp_path}).notes
    assert "`time`" in note
    assert with_format_notes(result, {"csv": tmp_path}).notes == ()
    dated = replace(result, acquired=Acquisition("name", once=START))
    assert with_format_notes(dated, {"stac": tmp_path}).notes == ()


def test_a_scene_without_a_position_has_no_geometry(tmp_path: Path, make_result: MakeResult) -> None:
    item = item_of(make_result(located=False), tmp_path)
    assert item["geometry"] is None
    assert "bbox" not in item
    assert item["properties"]["proj:code"] is None
    assert "refinedet:ships_bbox" not in item["properties"]
    assert not any("proj:code" in one for one in item["assets"].values())


def test_across_the_antimeridian_west_is_above_east(tmp_path: Path, make_result: MakeResult) -> None:
    item = item_of(make_result(west=179.985), tmp_path)
    assert item["geometry"]["type"] == "MultiPolygon"
    assert item["bbox"] == pytest.approx([179.985, 49.9, -179.815, 50.0])
    assert item["properties"]["refinedet:ships_bbox"] == pytest.approx([179.995, 49.991, -179.987, 49.995])


def test_missing_pixels_are_no_part_of_the_footprint(tmp_path: Path, make_result: MakeResult) -> None:
    result = make_result()
    seen = np.ones((100, 200), np.uint16)
    seen[:, 100:] = 0
    item = item_of(replace(result, preview=seen, info=replace(result.info, nodata=0.0)), tmp_path)
    assert item["bbox"] == pytest.approx([10.0, 49.9, 10.1, 50.0], abs=0.005)


def test_a_product_has_its_radar(tmp_path: Path, make_result: MakeResult) -> None:
    result = replace(make_result(), label="vv+vh", read_as={"radar": RADAR})
    item = item_of(result, tmp_path)
    told = {name: value for name, value in item["properties"].items() if name.startswith(("sar:", "platform"))}
    assert told == {
        "platform": "sentinel-1a",
        "sar:instrument_mode": "IW",
        "sar:frequency_band": "C",
        "sar:center_frequency": 5.405,
        "sar:polarizations": ["VV", "VH"],
        "sar:pixel_spacing_range": 10.0,
        "sar:pixel_spacing_azimuth": 10.0,
        "sar:observation_direction": "right",
    }
    assert EXTENSIONS["sar"] in item["stac_extensions"]
    other = replace(make_result(), label="band 1", read_as={"file_metadata": {"platform": "ICEYE-X2"}})
    item = item_of(other, tmp_path / "b")
    assert item["properties"]["platform"] == "iceye-x2"
    assert EXTENSIONS["sar"] not in item["stac_extensions"]


def test_the_item_that_a_scene_was_opened_from_is_named(tmp_path: Path, make_result: MakeResult) -> None:
    source = "https://example.org/collections/sentinel-1-grd/items/S1A_IW"
    (link,) = item_of(replace(make_result(), read_as={"stac_item": source}), tmp_path)["links"]
    assert (link["rel"], link["href"]) == ("derived_from", source)
    assert item_of(replace(make_result(), read_as={"stac_item": "/home/me/item.json"}), tmp_path / "b")["links"] == []


def test_an_item_of_an_archive_belongs_to_its_collection(tmp_path: Path, make_result: MakeResult) -> None:
    folder = tmp_path / "my archive"
    part = folder / "dataset" / "date=unknown" / "a scene.parquet"
    item = item_of(make_result(), folder / "scenes" / "unknown", {DATASET: part})
    assert item["collection"] == "my archive"
    assert {one["rel"]: one["href"] for one in item["links"]} == dict.fromkeys(
        ("root", "parent", "collection"), "../../collection.json"
    )
    assert item["assets"]["dataset"]["href"] == "../../dataset/date=unknown/a%20scene.parquet"
