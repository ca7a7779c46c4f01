"""Truth in any format and reference system, and files that do not lie together."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from refinedet.errors import FileError, InputError
from refinedet.evaluation.score import Score, score_files

LON, LAT = np.array([7.2, 7.3, 7.4]), np.array([54.4, 54.5, 54.6])
UTM = Transformer.from_crs("EPSG:4326", "EPSG:32632", always_xy=True)


def collection(path: Path, shapes: list[Any], crs: str | None = None) -> Path:
    features = [{"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(shape)} for shape in shapes]
    named = {} if crs is None else {"crs": {"type": "name", "properties": {"name": crs}}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features} | named))
    return path


@pytest.fixture
def pred(tmp_path: Path) -> Path:
    """Three detections of about 100 m."""
    boxes = [shapely.box(x - 8e-4, y - 5e-4, x + 8e-4, y + 5e-4) for x, y in zip(LON, LAT, strict=True)]
    return collection(tmp_path / "pred.geojson", boxes)


def points(kind: str) -> list[Any]:
    at = UTM.transform(LON, LAT) if kind == "utm" else (LON, LAT)
    return list(shapely.points(*at))


def write(path: Path, kind: str) -> Path:
    if path.suffix in {".gpkg", ".shp"}:
        pyogrio = pytest.importorskip("pyogrio")
        wkb = np.array([shapely.to_wkb(one) for one in points("utm")], object)
        pyogrio.raw.write(str(path), wkb, [np.arange(3)], ["id"], geometry_type="Point", crs="EPSG:32632")
        return path
    if path.suffix == ".csv":
        rows = "\n".join(f"{y},{x}" for x, y in zip(LON, LAT, strict=True))
        path.write_text(f"latitude,longitude\n{rows}\n")
        return path
    return collection(path, points(kind), "urn:ogc:def:crs:EPSG::32632" if kind == "utm" else None)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("t.geojson", "degrees"), ("t.geojson", "utm"), ("t.gpkg", "utm"), ("t.shp", "utm"), ("t.csv", "degrees")],
)
def test_truth_as_points_in_any_format_and_system(tmp_path: Path, pred: Path, name: str, kind: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = score_files(pred, write(tmp_path / name, kind))
    assert found == Score(3, 0, 0)
    assert found.notes == ()


def test_projected_truth_that_does_not_say_so_is_one_sentence_and_can_be_named(tmp_path: Path, pred: Path) -> None:
    truth = collection(tmp_path / "t.geojson", points("utm"))
    with pytest.raises(InputError, match=r"which reference system.*no degrees.*`truth_crs`"):
        score_files(pred, truth)
    assert score_files(pred, truth, truth_crs="EPSG:32632") == Score(3, 0, 0)


def test_a_system_beside_the_one_of_the_file_is_one_sentence(tmp_path: Path, pred: Path) -> None:
    truth = collection(tmp_path / "t.geojson", points("degrees"))
    assert score_files(pred, truth, truth_crs="EPSG:4326") == Score(3, 0, 0)
    with pytest.raises(InputError, match=r"by `truth_crs` than that of .* WGS 84.*, found .* zone 32N; leave"):
        score_files(pred, truth, truth_crs="EPSG:32632")
    (tmp_path / "empty.geojson").write_text("")
    with pytest.raises(FileError, match="found an empty file"):
        score_files(pred, tmp_path / "empty.geojson")


def test_points_of_several_are_ships_of_their_own(tmp_path: Path, pred: Path) -> None:
    truth = collection(tmp_path / "t.geojson", [shapely.MultiPoint(np.stack([LON, LAT], axis=1))])
    assert score_files(pred, truth) == Score(3, 0, 0)


@pytest.mark.parametrize(
    ("moved", "words"),
    [
        pytest.param((LAT, LON), r"the nearest ship of .* lies 6,\d{3} km .*swapped", id="swapped"),
        pytest.param((LON + 40, LAT), r"lies 2,\d{3} km .*is the reference system right", id="elsewhere"),
        pytest.param((LON, LAT + 2e-3), r"lies 223 m .* `centre_m` is 40; is one of them shifted", id="shifted"),
        pytest.param((LON + 180, -LAT), r"lies \d+,\d{3} km", id="on the other side of the earth"),
    ],
)
def test_it_says_how_far_apart_files_are_of_which_nothing_matches(
    tmp_path: Path, pred: Path, moved: Any, words: str
) -> None:
    truth = collection(tmp_path / "t.geojson", list(shapely.points(*moved)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = score_files(pred, truth)
    assert found == Score(0, 3, 3)
    (note,) = found.notes
    assert note.startswith("no detection matches: ")
    assert re.search(words, note), note


def test_one_far_ship_does_not_move_the_others(tmp_path: Path, pred: Path) -> None:
    truth = collection(tmp_path / "t.geojson", [*points("degrees"), shapely.Point(-172, -54)])
    assert score_files(pred, truth, centre_max_m=1) == Score(3, 0, 1)


def test_rows_without_a_place_are_left_out_and_told(tmp_path: Path, pred: Path) -> None:
    truth = write(tmp_path / "t.csv", "degrees")
    truth.write_text(truth.read_text() + "91,\n")
    found = score_files(pred, truth)
    assert found == Score(3, 0, 0)
    assert "1 of the 4 features" in found.notes[0]


def test_text_of_geometries_in_degrees_is_read_with_a_note(tmp_path: Path, pred: Path) -> None:
    rows = [f'{i},"{shape.wkt}"' for i, shape in enumerate(points("degrees"))]
    (tmp_path / "t.csv").write_text("\n".join(["id,geometry", *rows]))
    found = score_files(pred, tmp_path / "t.csv")
    assert found == Score(3, 0, 0)
    (note,) = found.notes
    assert "are taken for degrees, longitude first, as they fit; `truth_crs` overrules it" in note


def test_boxes_in_pixels_are_told_how_to_be_named(tmp_path: Path, pred: Path) -> None:
    (tmp_path / "t.csv").write_text("xmin,ymin,xmax,ymax\n941,829,970,844\n")
    with pytest.raises(InputError, match="`truth_crs`, which is pixels for boxes or points in pixels"):
        score_files(pred, tmp_path / "t.csv")


def test_ships_that_are_in_a_file_twice_are_told(tmp_path: Path, pred: Path) -> None:
    truth = collection(tmp_path / "t.geojson", [*points("degrees"), points("degrees")[0]])
    (note,) = score_files(pred, truth).notes
    assert note.startswith(f"1 row of {truth} repeats the place of another one, and each counts as a ship")


def test_scores_of_a_table_may_have_decimal_commas(tmp_path: Path, pred: Path) -> None:
    rows = "\n".join(f"{y};{x};0,{i + 1}".replace(".", ",") for i, (x, y) in enumerate(zip(LON, LAT, strict=True)))
    (tmp_path / "p.csv").write_text(f"latitude;longitude;score\n{rows}\n")
    assert score_files(tmp_path / "p.csv", pred, score_min=0.25).tp == 1
