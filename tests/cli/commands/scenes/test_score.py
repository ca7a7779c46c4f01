"""refinedet score, as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from refinedet.files import write_json

Run = Callable[..., Result]


def test_score_limits_can_be_set(run: Run, tmp_path: Path) -> None:
    def file(name: str, x: int) -> Path:
        properties = {"bbox_px": [x, 0, x + 10, 10], "score": 0.4}
        features = [{"type": "Feature", "geometry": None, "properties": properties}]
        write_json(tmp_path / name, {"type": "FeatureCollection", "features": features})
        return tmp_path / name

    a, b = file("a.geojson", 0), file("b.geojson", 5)
    assert "F1 1.000" in run("score", a, b).stdout
    assert "F1 0.000" in run("score", a, b, "--iou-min", "0.5").stdout
    assert "missed 1" in run("score", a, b, "--score-min", "0.5").stdout
    compared = "of 1 detection with a score of at least 0.3 and 1 true ship"
    rule = "a match: IoU of at least 0.2, or centres at most 4 pixels apart"
    assert f"{compared}; {rule}" in run("score", a, b, "--score-min", "0.3", "--iou-min", "0.2").stdout
    told = json.loads(run("score", a, b, "--json").stdout)
    assert (told["score_min"], told["iou_min"], told["centre_px"]) == (0.0, 0.3, 4.0)


def test_ais_reports_are_no_truth(run: Run, tmp_path: Path) -> None:
    (tmp_path / "found.csv").write_text("lon,lat\n9,54\n")
    for number, rows in (
        (1, "MMSI,lon,lat\n219000001,9,54\n,9.1,54\n"),
        (2, "MMSI,lon,lat\n" + "219000001,9,54\n" * 4),
    ):
        (tmp_path / "truth.csv").write_text(rows)
        ran = run("score", tmp_path / "found.csv", tmp_path / "truth.csv")
        assert ("has 4 rows for 1 MMSI, as AIS reports do" in ran.stderr) is (number == 2)
        assert "centres at most 40 m apart" in ran.stdout


def test_missing_files_are_one_sentence(run: Run) -> None:
    ran = run("score", "a.geojson", "b.geojson")
    assert ran.exit_code == 1
    assert ran.stderr.startswith("refinedet: expected")
    assert len(ran.stderr.strip().splitlines()) == 1


def test_a_truth_that_lies_elsewhere_is_told_on_the_console_and_in_json(run: Run, tmp_path: Path) -> None:
    for name, lon in (("a.csv", 9), ("b.csv", 49)):
        (tmp_path / name).write_text(f"lon,lat\n{lon},54\n")
    ran = run("score", tmp_path / "a.csv", tmp_path / "b.csv", "--json")
    assert "the nearest ship of" in ran.stderr
    assert " km from a detection" in json.loads(ran.stdout)["notes"][0]
    assert "F1 1.000" in run("score", tmp_path / "a.csv", tmp_path / "b.csv", "--centre-m", 3e6).stdout


def xview3_files(folder: Path) -> tuple[Path, Path]:
    """A result with one ship, and the contest's labels of it and of another."""
    properties = {"bbox_px": [95, 95, 106, 106], "score": 0.9, "length_m": 90.0, "coast_m": None, "scene": "av.tif"}
    features = [{"type": "Feature", "geometry": None, "properties": properties}]
    write_json(folder / "found.geojson", {"type": "FeatureCollection", "features": features})
    names = "scene_id,detect_scene_row,detect_scene_column,is_vessel,is_fishing,vessel_length_m,confidence"
    rows = "av,100,100,True,False,100,HIGH,9,20,10\nav,900,900,True,,,HIGH,9,20,10\n"
    (folder / "labels.csv").write_text(f"{names},distance_from_shore_km,detect_lon,detect_lat\n{rows}")
    return folder / "found.geojson", folder / "labels.csv"


def test_the_rules_of_xview3_print_each_part_and_what_is_not_said(run: Run, tmp_path: Path) -> None:
    found, labels = xview3_files(tmp_path)
    ran = run("score", found, labels, "--xview3")
    assert ran.exit_code == 0
    lines = [" ".join(line.split()) for line in ran.stdout.splitlines()]
    assert lines == [
        "detection F1 0.667 found 1 false alarms 0 missed 1 in 1 scene",
        "close to shore F1 0.000 not known",
        "length 0.900 of 1 known lengths",
        "vessel F1 1.000 all are taken for vessels",
        "fishing F1 0.000 not said",
        "aggregate 0.387",
    ]
    assert "does not say what fishes" in ran.stderr
    assert "--shoreline takes the contest's shoreline files" in ran.stderr
    shown = json.loads(run("score", found, labels, "--xview3", "--json").stdout)
    assert shown["aggregate"] == pytest.approx(2 / 3 * (1 + 0.9 + 1) / 5)
    assert shown["comparable"] == ["loc_fscore", "length_acc"]


def test_options_of_the_other_rules_are_refused(run: Run, tmp_path: Path) -> None:
    found, labels = xview3_files(tmp_path)
    for option, value in (("--iou-min", 0.5), ("--centre-m", 10), ("--truth-crs", "pixels")):
        ran = run("score", found, labels, "--xview3", option, value)
        assert (ran.exit_code, len(ran.stderr.strip().splitlines())) == (1, 1)
        assert f"expected no {option} beside --xview3" in ran.stderr
    ran = run("score", found, labels, "--shoreline", tmp_path)
    assert ran.exit_code == 1
    assert "expected --shoreline beside --xview3 alone" in ran.stderr
