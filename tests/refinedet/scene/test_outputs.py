"""Result files: valid with and without ships, with and without position, equal bytes for equal results."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from pycocotools.coco import COCO

from refinedet.detections import Detections
from refinedet.errors import FileError, MissingExtra
from refinedet.raster import RasterInfo
from refinedet.scene.attributes import places
from refinedet.scene.outputs import CSV_COLUMNS, SUFFIXES, check_writable, result_paths, write_results
from refinedet.scene.position import locate
from refinedet.scene.result import SceneResult
from refinedet.scene.score import Score, score_files

MakeResult = Callable[..., SceneResult]


@pytest.fixture
def make_result() -> MakeResult:
    """A result with `ships` ships, with or without a position; `east` moves the scene, in degrees."""

    def make(ships: int = 2, *, located: bool = True, west: float = 10.0) -> SceneResult:
        boxes = [[10 * i, 5, 10 * i + 8, 9] for i in range(1, ships + 1)]
        found = Detections.of(boxes, np.linspace(0.9, 0.6, ships), np.arange(ships) % 2)
        transform = (0.001, 0.0, west, 0.0, -0.001, 50.0) if located else None
        info = RasterInfo(200, 100, 1, "uint16", crs="EPSG:4326" if located else None, transform=transform)
        flags = tuple(("edge", "joined") if i == 0 else () for i in range(ships))
        place = replace(places(found.boxes_xyxy, locate(info)), coast_m=np.r_[1234.56, [np.nan] * ships][:ships])
        classes = ("ship", "iceberg")
        return SceneResult(
            "a scene.tif", None, info, classes, found, place, flags, located, None, np.zeros((9, 9)), 1, 0
        )

    return make


def written(result: SceneResult, folder: Path) -> dict[str, Path]:
    paths = result_paths(result.scene, folder, SUFFIXES, quicklook=False)
    write_results(result, paths)
    return paths


def test_paths_follow_the_stem_and_default_to_its_own_folder() -> None:
    paths = result_paths("far/away/scene.v2.tif", None, ["coco", "csv"], quicklook=True)
    folder = Path("scene.v2_ships")
    assert paths == {
        "csv": folder / "scene.v2.csv",
        "coco": folder / "scene.v2.coco.json",
        "quicklook": folder / "scene.v2.png",
    }


def test_geojson_is_rfc_7946_and_keeps_what_is_known(tmp_path: Path, make_result: MakeResult) -> None:
    content = json.loads(written(make_result(), tmp_path)["geojson"].read_text())
    assert content["type"] == "FeatureCollection"
    assert "crs" not in content
    first = content["features"][0]
    assert first["id"] == 1
    assert first["properties"] == {
        "score": 0.9,
        "class": "ship",
        "bbox_px": [10, 5, 18, 9],
        "length_m": pytest.approx(574, abs=1),
        "width_m": pytest.approx(445, abs=1),
        "heading_deg": None,
        "contrast_db": None,
        "coast_m": 1234.6,
        "flags": ["edge", "joined"],
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
    assert tuple(rows[0]) == CSV_COLUMNS
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
    meta, _, geometry, fields = pyogrio.raw.read(path)
    assert meta["crs"] == "EPSG:4326"
    assert meta["geometry_type"] == "Polygon"
    assert pyogrio.list_layers(path)[0][0] == "a scene"
    columns = dict(zip(meta["fields"], fields, strict=True))
    assert columns["class"].tolist() == ["ship", "iceberg"][:ships]
    assert columns["flags"].tolist() == ["edge;joined", ""][:ships]
    shapes = shapely.from_wkb(geometry)
    assert [shape.bounds for shape in shapes[:1]] == [pytest.approx((10.010, 49.991, 10.018, 49.995))] * min(1, ships)


def test_gpkg_without_position_holds_pixels_and_no_reference_system(tmp_path: Path, make_result: MakeResult) -> None:
    meta, _, geometry, _ = pyogrio.raw.read(written(make_result(located=False), tmp_path)["gpkg"])
    assert meta["crs"] is None or "undefined" in meta["crs"].lower()
    assert shapely.from_wkb(geometry[0]).bounds == (10, 5, 18, 9)


def test_gpkg_across_the_antimeridian_holds_both_halves(tmp_path: Path, make_result: MakeResult) -> None:
    path = written(make_result(west=179.985), tmp_path)["gpkg"]
    meta, _, geometry, _ = pyogrio.raw.read(path)
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


def test_existing_results_are_refused_unless_they_may_be_replaced(tmp_path: Path, make_result: MakeResult) -> None:
    paths = written(make_result(), tmp_path)
    with pytest.raises(FileError, match="--overwrite"):
        check_writable(paths, overwrite=False)
    check_writable(paths, overwrite=True)
    check_writable(result_paths("other.tif", tmp_path, SUFFIXES, quicklook=True), overwrite=False)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(FileError, match="expected a folder for results"):
        check_writable(result_paths("scene.tif", tmp_path / "out", ["csv"], quicklook=False), overwrite=True)


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scene.csv").mkdir()
    with pytest.raises(FileError, match="found a folder"):
        check_writable(result_paths("scene.tif", tmp_path, ["csv"], quicklook=False), overwrite=True)


def test_geopackage_without_its_package_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyogrio", None)
    with pytest.raises(MissingExtra, match=r"refinedet\[gpkg\]"):
        check_writable(result_paths("scene.tif", tmp_path, ["gpkg"], quicklook=False), overwrite=True)
