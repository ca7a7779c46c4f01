"""Simulated scenes with AIS, and series: what is written fits together, and detect and match read it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refinedet.ais.geometry import from_record
from refinedet.ais.reading.read import read_ais
from refinedet.ais.tracks import KNOT_M_S
from refinedet.data.simulation.settings import SimulationSettings
from refinedet.data.simulation.simulating import simulate_files
from refinedet.errors import FileError, InputError
from refinedet.geo.steps import direction, steps_m
from refinedet.raster import open_scene
from refinedet.scene.detect import detect_scene
from refinedet.stated_acquisition import StatedAcquisition

SMALL = SimulationSettings(width_px=400, height_px=300, ships=12, seed=3, ais=True)


def truth(path: Path) -> list[dict[str, Any]]:
    return [one["properties"] for one in json.loads(path.read_text())["features"]]


def stated(path: Path) -> StatedAcquisition:
    with open_scene(path) as reader:
        found = StatedAcquisition.of(reader.tags())
    assert found is not None
    return found


@pytest.mark.parametrize("kind", ["plain", "sentinel1"])
def test_reports_are_of_the_ships_that_the_truth_calls_reporting(tmp_path: Path, kind: Any) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'refinedet[ais]'")
    (files,) = simulate_files(tmp_path / "a.tif", replace(SMALL, kind=kind, reporting=0.5))
    assert files.reports is not None
    ships, ais = truth(files.truth), read_ais([files.reports], area=None, time=None)
    reporting = {ship["mmsi"] for ship in ships if not ship["dark"]}
    assert set(ais.fixes.mmsi.tolist()) == reporting
    assert len(reporting) == 6
    speed = {ship["mmsi"]: ship["speed_kn"] for ship in ships}
    for mmsi, told in zip(ais.fixes.mmsi.tolist(), ais.fixes.speed_kn.tolist(), strict=True):
        assert told == 0 if speed[mmsi] == 0 else abs(told - speed[mmsi]) < 4
    header = files.reports.read_text().splitlines()[0]
    assert header.startswith(
        "MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading,VesselName,IMO,CallSign,VesselType,Status,Length"
    )


def test_ships_are_displaced_along_the_track_by_their_radial_speed(tmp_path: Path) -> None:
    (files,) = simulate_files(tmp_path / "a.tif", replace(SMALL, kind="sentinel1"))
    geometry = from_record(stated(files.scene).view())
    moving = 0
    for ship, feature in zip(truth(files.truth), json.loads(files.truth.read_text())["features"], strict=True):
        shown = np.mean(feature["geometry"]["coordinates"][0][:4], axis=0)[None]
        view = geometry.view(shown)
        off = steps_m(np.array([[ship["real_lon"], ship["real_lat"]]]), shown)
        along = float((off * direction(view.track_deg)).sum())
        away = float(np.cos(np.radians(ship["heading_deg"] - 90.0)))  # the heading counts from the top, east is away
        away *= 1 if view.track_deg[0] < 90 or view.track_deg[0] > 270 else -1
        radial = ship["speed_kn"] * KNOT_M_S * away * np.sin(np.radians(view.incidence_deg[0]))
        assert along == pytest.approx(-view.seconds[0] * radial, abs=25)  # a box is not quite round its hull
        assert abs(float((off * direction(view.track_deg + 90)).sum())) < 25
        moving += ship["speed_kn"] > 0
    assert moving > 2


def test_detect_reads_time_and_view_of_a_simulated_scene(tmp_path: Path, bright_blobs: Any) -> None:
    (files,) = simulate_files(tmp_path / "a.tif", SMALL)
    found = detect_scene(files.scene, bright_blobs)
    own = stated(files.scene)
    assert found.read_as["view"] == own.view()
    ends = sorted([found.read_as["time"]["start"], found.read_as["time"]["end"]])
    assert found.read_as["time"]["from"] == "file"
    assert ends == ["2024-05-01T17:00:00.000Z", "2024-05-01T17:00:00.440Z"]
    assert not any("time" in note for note in found.notes)


def test_a_series_has_the_same_structures_and_other_ships(tmp_path: Path) -> None:
    settings = SimulationSettings(width_px=512, height_px=512, ships=10, seed=2, series=2, platforms=2, turbines=0)
    first, second = simulate_files(tmp_path / "s.tif", settings)
    assert [one.scene.name for one in (first, second)] == ["s_20240103T170000.tif", "s_20240109T054800.tif"]
    documents = [json.loads(one.truth.read_text()) for one in (first, second)]
    platforms = [[one["bbox_px"] for one in document["non_ships"]] for document in documents]
    assert len(platforms[0]) == 2
    assert platforms[0] == platforms[1]
    ships = [truth(one.truth) for one in (first, second)]
    assert [sum(ship["anchored"] for ship in one) for one in ships] == [4, 4]
    boxes = [{tuple(ship["bbox_px"]) for ship in one} for one in ships]
    assert not boxes[0] & boxes[1]
    assert first.scene.read_bytes() != second.scene.read_bytes()
    tracks = [stated(one.scene).nodes[0][5] for one in (first, second)]
    assert abs(tracks[0] - tracks[1]) == pytest.approx(180, abs=0.01)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reporting": 0.5}, "none without `ais`"),
        ({"platforms": 3}, "none without `series`"),
        ({"series": 2, "kind": "plain"}, "sentinel1 beside `series`"),
    ],
    ids=str,
)
def test_settings_that_do_not_apply_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SimulationSettings(**settings)


def test_a_series_needs_room_and_free_names(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"width_px.*512"):
        simulate_files(tmp_path / "s.tif", SimulationSettings(width_px=300, height_px=600, ships=1, series=1))
    (tmp_path / "s_20240109T054800.ais_reports.csv").write_text("precious")
    settings = SimulationSettings(width_px=512, height_px=512, ships=1, series=2, ais=True)
    with pytest.raises(FileError, match=r"ais_reports\.csv yet"):
        simulate_files(tmp_path / "s.tif", settings)
    assert [path.name for path in tmp_path.iterdir()] == ["s_20240109T054800.ais_reports.csv"]
