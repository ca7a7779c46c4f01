"""Tables of xView3 from and to our files."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from refinedet.errors import FileError, InputError
from refinedet.evaluation.score import score_files
from refinedet.evaluation.xview3.tables import convert_xview3
from refinedet.files import read_json, write_json

HEADER = (
    "detect_lat,detect_lon,vessel_length_m,source,detect_scene_row,detect_scene_column,is_vessel,is_fishing,"
    "distance_from_shore_km,scene_id,confidence,top,left,bottom,right,detect_id\n"
)
ROWS = (
    "10.0,20.0,100.5,ais,100,200,True,False,1.5,onev,HIGH,95,190,105,210,x\n"
    "10.1,20.1,,manual,900,300,True,,1.5,onev,MEDIUM,,,,,x\n"
    "10.2,20.2,,manual,950,300,True,,1.5,onev,LOW,,,,,x\n"
    "10.2,20.2,,manual,960,300,,,1.5,onev,HIGH,,,,,x\n"
    "10.3,20.3,,manual,999,300,False,,1.5,twov,HIGH,,,,,x\n"
)


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    (tmp_path / "validation.csv").write_text(HEADER + ROWS, encoding="utf-8")
    return tmp_path / "validation.csv"


def found(path: Path, *scenes: str) -> Path:
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [20.0, 10.0]},
            "properties": {"score": 0.5, "bbox_px": [10, 20, 21, 31], "length_m": None, "scene": scene},
        }
        for scene in scenes
    ]
    write_json(path, {"type": "FeatureCollection", "features": features})
    return path


def test_labels_become_truth_that_score_takes(labels: Path, tmp_path: Path) -> None:
    made = convert_xview3(labels, tmp_path / "truth")
    assert (made.kind, made.ships, made.scenes) == ("truth", 2, 2)
    assert "2 labels of low confidence" in made.notes[0]
    assert "1 labels are no vessels" in made.notes[1]
    truth = tmp_path / "truth" / "onev.truth.geojson"
    first, second = (feature["properties"] for feature in read_json(truth)["features"])
    assert (first["bbox_px"], first["length_m"], first["is_fishing"]) == ([190, 95, 210, 105], 100.5, False)
    assert (second["bbox_px"], second["length_m"]) == ([295, 895, 305, 905], None)
    score = score_files(found(tmp_path / "found.geojson", "onev"), truth)
    assert (score.tp, score.fp, score.fn) == (1, 0, 1)
    assert read_json(tmp_path / "truth" / "twov.truth.geojson")["features"] == []


def test_detections_become_a_submission(tmp_path: Path) -> None:
    made = convert_xview3(found(tmp_path / "found.geojson", "onev.tif", "twov.tif"), tmp_path / "out.csv")
    assert (made.kind, made.ships, made.scenes) == ("submission", 2, 2)
    with (tmp_path / "out.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert rows[0] == {
        "detect_scene_row": "25",
        "detect_scene_column": "15",
        "scene_id": "onev",
        "is_vessel": "True",
        "is_fishing": "False",
        "vessel_length_m": "0.0",
    }
    assert "is_fishing False" in made.notes[0]
    assert "written as 0" in made.notes[1]
    with pytest.raises(InputError, match="found a submission"):
        convert_xview3(tmp_path / "out.csv", tmp_path / "again.csv")


def test_what_is_there_is_kept_unless_told(labels: Path, tmp_path: Path) -> None:
    convert_xview3(labels, tmp_path / "truth")
    with pytest.raises(FileError, match="expected nothing at"):
        convert_xview3(labels, tmp_path / "truth")
    before = (tmp_path / "truth" / "onev.truth.geojson").read_bytes()
    convert_xview3(labels, tmp_path / "truth", overwrite=True)
    assert (tmp_path / "truth" / "onev.truth.geojson").read_bytes() == before


@pytest.mark.parametrize("other", ["thesis.docx", "photos/a.jpg", "deeper.truth.geojson/a"])
def test_a_folder_with_other_files_is_not_replaced(labels: Path, tmp_path: Path, other: str) -> None:
    convert_xview3(labels, tmp_path / "truth")
    kept = tmp_path / "truth" / other
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("precious")
    with pytest.raises(FileError, match=rf"expected files of truth alone in .*, found {other.partition('/')[0]}; name"):
        convert_xview3(labels, tmp_path / "truth", overwrite=True)
    assert kept.read_text() == "precious"


def test_labels_have_no_scores(labels: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="labels have no scores"):
        convert_xview3(labels, tmp_path / "truth", score_min=0.5)


@pytest.mark.parametrize("kind", ["labels", "detections"])
def test_a_place_that_cannot_be_written_is_one_sentence(labels: Path, tmp_path: Path, kind: str) -> None:
    source = labels if kind == "labels" else found(tmp_path / "a.geojson", "onev")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FileError, match=r"^expected to write .*out, but that failed .*a file is in the way"):
        convert_xview3(source, tmp_path / "file" / "out")
