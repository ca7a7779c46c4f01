"""Score of files by xView3's rules: submissions, our results in each format, archives, and what is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from refinedet.errors import FileError, InputError
from refinedet.evaluation.xview3.scoring import XView3Score, score_xview3
from refinedet.evaluation.xview3.tables import convert_xview3
from refinedet.files import write_json

LABELS = (
    "detect_lat,detect_lon,vessel_length_m,source,detect_scene_row,detect_scene_column,is_vessel,is_fishing,"
    "distance_from_shore_km,scene_id,confidence\n"
)
SUBMISSION = "detect_scene_row,detect_scene_column,scene_id,is_vessel,is_fishing,vessel_length_m\n"


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "validation.csv"
    rows = [
        "10.00,20.0,100,ais,100,200,True,False,1.5,onev,HIGH",
        "10.01,20.0,50,ais,200,200,True,True,9.0,onev,MEDIUM",
        "10.02,20.0,,manual,300,200,False,,9.0,onev,HIGH",
        "10.03,20.0,,manual,400,200,,,9.0,onev,LOW",
        "10.00,21.0,80,ais,100,100,True,False,0.5,twov,HIGH",
        "10.00,22.0,80,ais,100,100,True,False,0.5,quietv,HIGH",
    ]
    path.write_text(LABELS + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def ship(scene: str, row: int, column: int, **more: Any) -> dict[str, Any]:
    """A row as result files have it; its box is 10 pixels long and 4 high, with the place in its middle."""
    box = [column - 5.0, row - 2.0, column + 5.5, row + 2.5]
    place = {"lon": 20.0, "lat": 10 + (row - 100) / 1e4}
    return (
        {"score": 0.9, "class": "ship", "bbox_px": box, "length_m": 100.0, "coast_m": 1e4}
        | place
        | more
        | {"scene": scene}
    )


SHIPS = [
    ship("onev.tif", 101, 200, coast_m=1000.0),
    ship("onev.tif", 201, 200, length_m=None),
    ship("onev.tif", 301, 200, score=0.4),
    ship("onev.tif", 401, 200),
    ship("twov.tif", 900, 100, coast_m=500.0),
]


def geojson(path: Path, rows: list[dict[str, Any]]) -> Path:
    features = [{"type": "Feature", "geometry": None, "properties": row} for row in rows]
    write_json(path, {"type": "FeatureCollection", "features": features})
    return path


def archive(folder: Path, rows: list[dict[str, Any]]) -> Path:
    for scene in {row["scene"] for row in rows}:
        made = folder / "dataset" / "date=unknown" / f"{Path(scene).stem}.parquet"
        made.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist([row for row in rows if row["scene"] == scene]), made)
    (folder / "footprints").mkdir()
    (folder / "footprints" / "seen.parquet").write_bytes(b"another file")
    return folder


def table(path: Path, rows: list[dict[str, Any]]) -> Path:
    names = ["x1", "y1", "x2", "y2", "lon", "lat", "score", "length_m", "coast_m", "scene"]
    lines = []
    for row in rows:
        values = row | dict(zip(names, row["bbox_px"], strict=False))
        lines.append(",".join("" if values[name] is None else str(values[name]) for name in names))
    path.write_text(",".join(names) + "\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def told(found: XView3Score) -> str:
    return " | ".join(found.notes)


def test_results_are_scored_with_what_they_do_not_say(labels: Path, tmp_path: Path) -> None:
    found = score_xview3(geojson(tmp_path / "found.geojson", SHIPS), labels)
    numbers = found.to_dict()
    assert (numbers["tp"], numbers["fp"], numbers["fn"]) == (3, 1, 1)
    assert numbers["loc_fscore"] == pytest.approx(0.75)
    assert numbers["length_acc"] == pytest.approx(0.5)  # one exact, one unknown
    assert numbers["fishing_fscore"] == 0
    assert numbers["vessel_fscore"] == pytest.approx(0.8)
    assert numbers["shore"] == {"tp": 1, "fp": 1, "fn": 1, "by": "coastline"}
    assert numbers["aggregate"] == pytest.approx(0.75 * (1 + 0.5 + 0.8 + 0 + 0.5) / 5)
    assert numbers["comparable"] == ["loc_fscore", "length_acc"]
    assert "1 of 3 labelled scenes have no detection (quietv): by the rules their 1 labels are left out" in told(found)
    assert "the fishing part is 0" in told(found)
    assert "detections without a length: 1" in told(found)
    assert "near the coastline that detect looked at" in told(found)


@pytest.mark.parametrize("make", [geojson, table, archive])
def test_each_kind_of_result_and_its_submission_score_the_same(make: Any, labels: Path, tmp_path: Path) -> None:
    path = make(tmp_path / {"geojson": "a.geojson", "table": "a.csv", "archive": "found"}[make.__name__], SHIPS)
    direct = score_xview3(path, labels).to_dict()
    assert direct == score_xview3(geojson(tmp_path / "same.geojson", SHIPS), labels).to_dict()
    made = convert_xview3(path, tmp_path / "submission.csv")
    assert (made.ships, made.scenes) == (5, 2)
    again = score_xview3(tmp_path / "submission.csv", labels).to_dict()
    parts = ("loc_fscore", "vessel_fscore", "fishing_fscore", "length_acc")
    assert {name: again[name] for name in parts} == {name: direct[name] for name in parts}


def test_the_contest_s_shoreline_goes_before_the_coastline(labels: Path, tmp_path: Path) -> None:
    (tmp_path / "shore").mkdir()
    for scene, row in (("onev", 250.0), ("twov", 9000.0)):
        np.save(tmp_path / "shore" / f"{scene}_shoreline.npy", np.array([[[row, 200.0]]]))
    found = score_xview3(geojson(tmp_path / "a.geojson", SHIPS), labels, shoreline=tmp_path / "shore")
    # within 2.2 km of row 250 lie the first three of scene one, the fourth belongs to a doubtful label; two has none
    assert found.to_dict()["shore"] == {"tp": 1, "fp": 2, "fn": 0, "by": "shoreline"}
    assert "loc_fscore_shore" in found.to_dict()["comparable"]


def test_a_submission_with_answers_can_be_compared_as_a_whole(labels: Path, tmp_path: Path) -> None:
    rows = ["100,200,onev,True,False,100", "200,200,onev,True,True,50", "300,200,onev,False,,40", "100,100,twov,1,0,80"]
    (tmp_path / "mine.csv").write_text(SUBMISSION + "\n".join(rows) + "\n")
    found = score_xview3(tmp_path / "mine.csv", labels)
    numbers = found.to_dict()
    parts = ("loc_fscore", "vessel_fscore", "fishing_fscore", "length_acc")
    assert [numbers[name] for name in parts] == [1, 1, 1, 1]
    assert numbers["aggregate"] == pytest.approx(4 / 5)
    assert numbers["shore"] is None
    assert "takes the contest's shoreline files" in told(found)
    with pytest.raises(InputError, match="has no scores"):
        score_xview3(tmp_path / "mine.csv", labels, score_min=0.5)


def test_weak_detections_can_be_left_out(labels: Path, tmp_path: Path) -> None:
    found = score_xview3(geojson(tmp_path / "a.geojson", SHIPS), labels, score_min=0.5).to_dict()
    assert (found["tp"], found["fp"], found["fn"]) == (2, 1, 2)


def test_pixels_of_another_raster_are_told(labels: Path, tmp_path: Path) -> None:
    ships = [ship("onev.tif", 101, 200, lon=25.0), ship("onev.tif", 201, 200, lon=25.0)]
    assert "km apart: the rules compare pixels" in told(score_xview3(geojson(tmp_path / "a.geojson", ships), labels))
    ships = [ship("onev.tif", 9101, 200)]
    assert "no detection lies within 200 m" in told(score_xview3(geojson(tmp_path / "b.geojson", ships), labels))


def test_no_detection_at_all_is_zero(labels: Path, tmp_path: Path) -> None:
    found = score_xview3(geojson(tmp_path / "a.geojson", []), labels)
    assert found.to_dict()["aggregate"] == 0
    assert "3 of 3 labelled scenes have no detection" in told(found)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [ship("VV_dB.tif", 1, 1)],
            "expected detections in scenes of .* found others: VV_dB; a raster is known by its",
        ),
        ([{"score": 1.0, "scene": "onev.tif"}], "found no column bbox_px"),
        ([ship("onev.tif", 1, 1) | {"bbox_px": [1, 2, 3]}], "expected four numbers as bbox_px"),
        ([ship("onev.tif", 1, 1, length_m="long")], "expected a number as length_m"),
    ],
)
def test_other_results_are_one_sentence(labels: Path, tmp_path: Path, rows: list[Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        score_xview3(geojson(tmp_path / "a.geojson", rows), labels)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("is_fishing", "fishing"), "none of the columns is_fishing there"),
        (("20.0,100,ais", "20.0,0,ais"), "expected lengths above 0 m"),
        (("True,True", "True,maybe"), "expected True or False as is_fishing of onev"),
        (("200,200", ",200"), "expected the place of every detection of onev"),
    ],
)
def test_other_labels_are_one_sentence(labels: Path, tmp_path: Path, change: tuple[str, str], message: str) -> None:
    labels.write_text(labels.read_text().replace(*change))
    with pytest.raises(InputError, match=message):
        score_xview3(geojson(tmp_path / "a.geojson", SHIPS), labels)


def test_a_folder_without_results_is_one_sentence(labels: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match="expected the results of an archive in"):
        score_xview3(tmp_path / "empty", labels)
    (tmp_path / "empty" / "a.parquet").write_bytes(b"no parquet")
    with pytest.raises(FileError, match="expected GeoParquet files of ships"):
        score_xview3(tmp_path / "empty", labels)
