"""AIS on the map: states, ships that were not seen, tracks, the legend."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refinedet.geo.position import locate
from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.output.map_reports import reports_data, reports_in_words
from refinedet.scene.output.webmap import write_map
from refinedet.scene.reported import AIS_COLUMNS, Reported
from refinedet.scene.result import SceneResult
from tests.refinedet.scene.output.test_webmap import data_of

STATES = ("matched", "dark", "unknown")
HOSTILE = "</script><b>"


def ship(number: int, detection: int | None, lon: float, lat: float) -> dict[str, Any]:
    """Row of a ship of AIS."""
    told = {"mmsi": 219_000_000 + number, "name": HOSTILE, "type": "cargo", "length_m": 120.0, "width_m": None}
    told |= {"speed_kn": 9.0, "course_deg": 90.0, "gap_s": 10.0, "lon": lon, "lat": lat, "detection": detection}
    return told | {"status": "unseen" if detection is None else "seen", "reason": None if detection else "too small"}


@pytest.fixture
def matched(tmp_path: Path, bright_blobs: Any) -> SceneResult:
    """A scene of three ships, one of each state, and three ships of AIS: seen, unseen, and far away."""
    pixels = np.random.default_rng(0).integers(80, 120, (300, 400)).astype(np.uint16)
    for i in range(3):
        pixels[20 + 40 * i : 26 + 40 * i, 30 + 40 * i : 46 + 40 * i] = 2000
    write_scene(tmp_path / "s.tif", pixels, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5e6))
    result = detect_scene(tmp_path / "s.tif", bright_blobs)
    position = locate(result.info)
    assert position is not None
    shown = np.concatenate([position.lonlat(np.array([[38.0, 23.0], [300.0, 200.0]])), [[100.0, 10.0]]])
    track = shown[:, None] + np.linspace(-0.01, 0.01, 3)[None, :, None] * [1, 0]
    track[1, 0] = np.nan
    rows = [dict.fromkeys(AIS_COLUMNS) | {"ais": state, "ais_heard": 5} for state in STATES]
    ships = (ship(1, 1, *shown[0]), ship(2, None, *shown[1]), ship(3, None, *shown[2]))
    record = {"offset": {"east_m": -51.2, "north_m": 6.0}}
    return replace(result, ais=Reported(tuple(rows), ships, shown, track, record))


def test_the_page_holds_states_ships_of_ais_and_tracks(matched: SceneResult, tmp_path: Path) -> None:
    write_map(tmp_path / "s.tif", matched, tmp_path / "s.html")
    data = data_of(tmp_path / "s.html")
    assert data["ships"]["ais"] == list(STATES)
    assert {column["key"] for column in data["columns"]} >= AIS_COLUMNS.keys()
    seen, unseen, away = data["ais"]["ships"]
    assert (seen["detection"], seen["at"]) == (0, [38.0, 23.0])
    assert (unseen["detection"], unseen["reason"], unseen["at"]) == (None, "too small", [300.0, 200.0])
    assert unseen["track"][0] is None
    assert unseen["track"][1] == [300.0, 200.0]
    assert away["at"] is None
    assert data["ais"]["offset"] == [-51, 6]
    text = (tmp_path / "s.html").read_text("utf-8")
    assert HOSTILE not in text
    assert "1 matched, 1 dark, 1 unknown; 2 of AIS not seen" in text


def test_a_page_that_leaves_out_detections_counts_those_that_it_has(matched: SceneResult) -> None:
    assert matched.ais is not None
    data = reports_data(matched.ais, locate(matched.info), 400, 300, numbers=[2])
    assert data["ships"][0]["detection"] is None
    assert data["ships"][0]["seen"]
    words = reports_in_words(matched.ais.detections[2:], matched.ais)
    assert words == "0 matched, 0 dark, 1 unknown; 2 of AIS not seen"


def test_a_scene_without_ais_has_no_column_of_it(matched: SceneResult, tmp_path: Path) -> None:
    write_map(tmp_path / "s.tif", replace(matched, ais=None), tmp_path / "s.html")
    data = data_of(tmp_path / "s.html")
    assert data["ais"] is None
    assert not {column["key"] for column in data["columns"]} & AIS_COLUMNS.keys()


@pytest.mark.skipif(shutil.which("chromium") is None, reason="the browser chromium is not installed")
def test_a_browser_shows_legend_and_reason(matched: SceneResult, tmp_path: Path) -> None:
    write_map(tmp_path / "s.tif", matched, tmp_path / "s.html")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/u", "--dump-dom"]
    command = ["chromium", *options, "--virtual-time-budget=3000", f"file://{tmp_path}/s.html#ship=4"]
    dom = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "4 of 4 ships" in dom
    assert "<h2>Ship of AIS A1, not seen</h2>" in dom
    assert "<dt>reason</dt><dd>too small</dd>" in dom
    assert re.findall(r'<input type="checkbox" id="state-(\w+)">', dom) == [*STATES, "unseen", "tracks"]
    assert "The scene lies 51 m west and 6 m north of AIS." in dom
