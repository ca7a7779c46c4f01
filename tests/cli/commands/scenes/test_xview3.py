"""refinedet xview3, as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

from refinedet.files import write_json

Run = Callable[..., Result]


def test_labels_and_detections_are_told_apart_and_converted(run: Run, tmp_path: Path) -> None:
    names = "scene_id,detect_scene_row,detect_scene_column,is_vessel,is_fishing,vessel_length_m,confidence"
    (tmp_path / "labels.csv").write_text(
        f"{names},distance_from_shore_km,detect_lon,detect_lat\nav,100,100,True,False,100,HIGH,9,20,10\n"
    )
    ran = run("xview3", "labels.csv", "--out", "truth")
    assert ran.stdout.strip() == "truth: 1 ship in 1 scene: truth"
    properties = {"bbox_px": [95, 95, 106, 106], "score": 0.9, "length_m": 90.0, "scene": "av.tif"}
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [20, 10]}, "properties": properties}
    write_json(tmp_path / "found.geojson", {"type": "FeatureCollection", "features": [feature]})
    shown = json.loads(run("xview3", "found.geojson", "--out", "mine.csv", "--json").stdout)
    assert (shown["kind"], shown["ships"]) == ("submission", 1)
    assert (tmp_path / "mine.csv").read_text().splitlines()[1] == "100,100,av,True,False,90.0"
    assert "F1 1.000" in run("score", "found.geojson", "truth/av.truth.geojson").stdout
    again = run("xview3", "found.geojson", "--out", "mine.csv")
    assert (again.exit_code, len(again.stderr.strip().splitlines())) == (1, 1)
    assert "--overwrite" in again.stderr
