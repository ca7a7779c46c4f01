"""Outlines of ships in result files and views: the box, or a turned rectangle where heading and size are measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pyogrio
import pytest
import shapely

from refinedet.config.options.output import OutputSettings
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.evaluation.score import score_files
from refinedet.geo.position import locate
from refinedet.scene.output import webmap
from refinedet.scene.output.files import plan_files, refuse_existing
from refinedet.scene.output.record import run_record
from refinedet.scene.output.result_paths import DATASET, SUFFIXES, result_paths
from refinedet.scene.output.writers import write_results
from refinedet.scene.result import SceneResult
from refinedet.scene.ships.attributes import places
from refinedet.scene.ships.measuring.shape import Shape

MakeResult = Callable[..., SceneResult]
KINDS = ["oriented", "box"]


@pytest.fixture
def turned(make_result: MakeResult) -> SceneResult:
    """Ship 1 lies along the diagonal of its box; ship 2 has no axis."""
    result = make_result()
    boxes = result.detections.boxes_xyxy
    along = Shape((14.0, 7.0), (4.0, 2.0), (-0.3, 0.6), (0.05, 0.1), elongated=True, contrast_db=20.0)
    whole = Shape((24.0, 7.0), (4.0, 0.0), (0.0, 2.0), (0.1, 0.2), elongated=False, contrast_db=20.0)
    return replace(result, places=places(boxes, locate(result.info), [along, whole])).outlined("oriented")


def test_every_file_holds_turned_rectangles_and_says_which(turned: SceneResult, tmp_path: Path) -> None:
    paths = result_paths("s.tif", tmp_path, ("geojson", "gpkg", "geoparquet"), quicklook=False)
    write_results(turned, paths)
    expected = [shapely.Polygon(turned.outline_lonlat(0)), shapely.Polygon(turned.places.corners_lonlat[1])]
    features = json.loads(paths["geojson"].read_text())["features"]
    assert [one["properties"]["outline"] for one in features] == KINDS
    assert features[0]["properties"]["bbox_px"] == [10, 5, 18, 9]
    meta, _, geometry, fields = pyogrio.raw.read(paths["gpkg"], layer=0)
    assert fields[list(meta["fields"]).index("outline")].tolist() == KINDS
    table = pyarrow.parquet.read_table(paths["geoparquet"])
    assert table["outline"].to_pylist() == KINDS
    for shapes in (
        [shapely.geometry.shape(one["geometry"]) for one in features],
        shapely.from_wkb(geometry),
        shapely.from_wkb(table["geometry"].to_numpy()),
    ):
        for shape, wanted in zip(shapes, expected, strict=True):
            assert shape.exterior.is_ccw
            assert shapely.symmetric_difference(shape, wanted).area < 1e-3 * wanted.area
    box = shapely.box(10.010, 49.991, 10.018, 49.995)
    assert expected[0].area < 0.5 * box.area, "the rectangle is no box"


def test_boxes_are_the_default(make_result: MakeResult, tmp_path: Path) -> None:
    paths = result_paths("s.tif", tmp_path, ("geojson",), quicklook=False)
    write_results(make_result(), paths)
    features = json.loads(paths["geojson"].read_text())["features"]
    assert [one["properties"]["outline"] for one in features] == ["box", "box"]


def test_corners_in_pixels_and_in_degrees_are_the_same_places(turned: SceneResult) -> None:
    position = locate(turned.info)
    assert position is not None
    for ship in range(2):
        corners = position.lonlat(turned.outline_px(ship))
        assert np.abs(corners - turned.outline_lonlat(ship)).max() < 1e-5
    assert turned.outline_px(1).tolist() == [[20, 5], [20, 9], [28, 9], [28, 5]]


def test_score_reads_turned_rectangles_as_it_reads_boxes(turned: SceneResult, tmp_path: Path) -> None:
    """Ships of common size: 0.0001 degrees a pixel."""
    info = replace(turned.info, transform=(1e-4, 0.0, 10.0, 0.0, -1e-4, 50.0))
    boxes = turned.detections.boxes_xyxy
    along = Shape((14.0, 7.0), (4.0, 2.0), (-0.3, 0.6), (0.05, 0.1), elongated=True, contrast_db=20.0)
    small = replace(
        turned, info=info, places=places(boxes, locate(info), [along, replace(along, centre_xy=(24.0, 7.0))])
    )
    truth, pred = (result_paths("s.tif", tmp_path / name, SUFFIXES, quicklook=False) for name in ("truth", "pred"))
    write_results(small.outlined("box"), truth)
    write_results(small, pred)
    for kind in ("geojson", "gpkg"):
        found = score_files(pred[kind], truth[kind])
        assert (found.tp, found.fp, found.fn) == (2, 0, 0)


def test_the_map_draws_turned_rectangles(turned: SceneResult) -> None:
    data = webmap._data(turned, [])
    assert np.allclose(data["ships"]["outline_px"][0], turned.outline_px(0), atol=0.01)
    assert data["ships"]["outline_px"][1] is None
    assert data["ships"]["outline"] == KINDS


def test_the_record_counts_outlines(turned: SceneResult) -> None:
    record = run_record(turned, weights=None, settings={}, device="cpu", seconds=1.0)
    assert record["counts"]["ships_by_outline"] == {"oriented": 1, "box": 1}


def test_without_a_position_all_keep_their_boxes_and_a_note_says_so(make_result: MakeResult) -> None:
    result = make_result(located=False).outlined("oriented")
    assert [result.outline_of(ship) for ship in range(2)] == ["box", "box"]
    assert "unknown without a position" in result.notes[-1]
    assert make_result(located=False).outlined("box").notes == ()


def test_no_ships_have_no_outlines(make_result: MakeResult, tmp_path: Path) -> None:
    result = replace(make_result(0), detections=Detections.of([], [], [])).outlined("oriented")
    paths = result_paths("s.tif", tmp_path, ("geojson", "gpkg", "geoparquet"), quicklook=False)
    write_results(result, paths)
    assert json.loads(paths["geojson"].read_text())["features"] == []


def test_an_outline_that_no_file_shows_is_refused(tmp_path: Path) -> None:
    settings = OutputSettings(out=tmp_path, format=("csv", "coco"), quicklook=False, map=False, outline="oriented")
    scene = tmp_path / "s.tif"
    with pytest.raises(InputError, match=r"expected a file that shows outlines .* found only csv, coco"):
        refuse_existing(scene, plan_files(scene, settings), settings)
    refuse_existing(scene, {DATASET: tmp_path / "s.parquet"}, settings)
    for shown in (
        replace(settings, map=True),
        replace(settings, format=("csv", "gpkg")),
        replace(settings, outline="box"),
    ):
        refuse_existing(scene, plan_files(scene, shown), shown)
