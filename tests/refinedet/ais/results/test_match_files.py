"""Result files of a detection matched with AIS files: what is read, what is written, what is refused."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refinedet.ais.results.match_files import match_files
from refinedet.ais.results.settings import MatchOptions, ViewSettings
from refinedet.ais.results.ships import read_ships
from refinedet.errors import FileError, InputError
from refinedet.scene.reported import AIS_COLUMNS, AIS_SHIP_COLUMNS
from tests.refinedet.ais.results.matched import VIEW, danish, record_with, write_ais


def test_each_detection_gets_its_columns(files: tuple[Any, Path, Path]) -> None:
    made, ships, ais = files
    (found,) = match_files([ships], [ais], VIEW)
    written = json.loads(ships.with_name("made.matched.geojson").read_text())["features"]
    rows = [one["properties"] for one in written]
    assert len(rows) == 20
    assert rows[0].items() >= {"score": 0.9, "flags": ["edge"], "scene": "made.tif"}.items()
    told = np.array([row["mmsi"] or -1 for row in rows])
    right = np.where(made.truth.reporting, [danish(one) for one in made.truth.mmsi], -1)
    assert (told == right).mean() >= 0.9
    one = rows[int(np.flatnonzero((told == right) & (told > 0))[0])]
    assert one["ais"] == "matched"
    assert one["ais_distance_m"] < 200
    assert one["ais_probability"] > 0.5
    assert found.summary["detections"]["matched"] == (told > 0).sum()
    assert sum(found.summary["detections"].values()) == 20


def test_the_table_has_the_same_columns_and_rows(files: tuple[Any, Path, Path]) -> None:
    _, ships, ais = files
    match_files([ships], [ais], VIEW)
    with ships.with_name("made.matched.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    written = json.loads(ships.with_name("made.matched.geojson").read_text())["features"]
    assert list(rows[0]) == list(dict.fromkeys(["lon", "lat", *rows[0]]))
    assert [row["ais"] for row in rows] == [one["properties"]["ais"] for one in written]
    assert set(rows[0]) == set(written[0]["properties"])


def test_the_ships_of_ais_are_a_file_of_their_own(files: tuple[Any, Path, Path]) -> None:
    made, ships, ais = files
    match_files([ships], [ais], VIEW)
    rows = [one["properties"] for one in json.loads(ships.with_name("made.ais.geojson").read_text())["features"]]
    assert ships.with_name("made.ais.csv").read_text().splitlines()[0] == ",".join(AIS_SHIP_COLUMNS)
    assert {row["mmsi"] for row in rows} == {danish(one) for one in made.truth.mmsi[made.truth.reporting]}
    for row in rows:
        assert (row["status"] == "seen") == (row["detection"] is not None) == (row["reason"] is None)
        assert abs(row["lat"] - row["real_lat"]) < 0.02


def test_equal_input_gives_equal_bytes_in_every_format(files: tuple[Any, Path, Path], tmp_path: Path) -> None:
    pytest.importorskip("pyogrio")
    _, ships, ais = files
    formats = ("geojson", "csv", "gpkg")
    options = [MatchOptions(out=tmp_path / name, format=formats, report=True) for name in ("one", "two")]
    runs = [match_files([ships], [ais], VIEW, one) for one in options]
    paths = [one.files for (one,) in runs]
    assert len(paths[0]) == 9
    for name, path in paths[0].items():
        assert path.read_bytes() == paths[1][name].read_bytes(), name


def test_the_page_asks_for_nothing_and_leads_to_the_map(files: tuple[Any, Path, Path]) -> None:
    _, ships, ais = files
    (found,) = match_files([ships], [ais], VIEW, MatchOptions(report=True))
    page = found.files["page"].read_text()
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert 'href="made.matched.html"' in page
    assert page.count("<tr><td>") >= 20
    (found,) = match_files([ships], [ais], VIEW, MatchOptions(report=True, map=False, overwrite=True))
    assert "map" not in found.files
    assert "matched.html" not in found.files["page"].read_text()


def test_notes_are_written_in_the_words_of_the_caller(files: tuple[Any, Path, Path]) -> None:
    _, ships, ais = files
    options = MatchOptions(report=True)
    (found,) = match_files([ships], [ais], None, options, words=lambda text: text.replace("`incidence`", "--flag"))
    assert "name `platform_heading` and --flag" in " ".join(found.notes)
    for name in ("record", "page"):
        assert "--flag" in found.files[name].read_text()
        assert "`incidence`" not in found.files[name].read_text()


def test_unseen_ships_on_the_user_s_land_are_told(files: tuple[Any, Path, Path], tmp_path: Path) -> None:
    _, ships, ais = files
    content = json.loads(ships.read_text())
    content["features"] = content["features"][:8]
    ships.write_text(json.dumps(content))
    world = {"type": "Polygon", "coordinates": [[[0, 50], [12, 50], [12, 60], [0, 60], [0, 50]]]}
    feature = {"type": "Feature", "geometry": world, "properties": {}}
    (tmp_path / "land.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    (sea,) = match_files([ships], [ais], VIEW)
    options = MatchOptions(land=tmp_path / "land.geojson", overwrite=True)
    (found,) = match_files([ships], [ais], VIEW, options)
    assert set(sea.summary["unseen_because"]) == {"not found"}
    assert found.summary["unseen_because"] == {"land": sea.summary["unseen_because"]["not found"]}
    assert found.summary["recall"] == sea.summary["recall"]


def test_results_are_read_again(files: tuple[Any, Path, Path]) -> None:
    """A GeoPackage or a table of the detections gives the match of the GeoJSON."""
    pytest.importorskip("pyogrio")
    _, ships, ais = files
    (first,) = match_files([ships], [ais], VIEW, MatchOptions(format=("gpkg", "csv")))
    for kind in ("gpkg", "csv"):
        again = read_ships(first.files[f"{kind} detections"])
        assert again.detected.lonlat == pytest.approx(read_ships(ships).detected.lonlat, abs=1e-6)
        assert again.flags == (("edge",),) * 20
        assert again.geometry.start == np.datetime64("2024-05-01T17:00:00")


def test_a_table_that_a_spreadsheet_saved_with_decimal_commas_is_read_again(files: tuple[Any, Path, Path]) -> None:
    _, ships, ais = files
    (first,) = match_files([ships], [ais], VIEW, MatchOptions(format=("csv",)))
    path = first.files["csv detections"]
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    again = path.with_name("german.csv")
    with again.open("w", encoding="utf-8", newline="") as stream:
        numbers = [[cell if "T" in cell else cell.replace(".", ",") for cell in row] for row in rows]
        csv.writer(stream, delimiter=";").writerows(numbers)
    found, same = read_ships(again), read_ships(path)
    assert found.detected.lonlat.tolist() == same.detected.lonlat.tolist()
    assert found.score.tolist() == same.score.tolist()
    assert found.geometry.start == same.geometry.start


def test_results_are_not_replaced_unasked(files: tuple[Any, Path, Path]) -> None:
    _, ships, ais = files
    match_files([ships], [ais], VIEW)
    with pytest.raises(FileError, match="`overwrite`"):
        match_files([ships], [ais], VIEW)
    match_files([ships], [ais], VIEW, MatchOptions(overwrite=True))


def test_what_was_guessed_is_told(files: tuple[Any, Path, Path]) -> None:
    _, ships, ais = files
    (unknown,) = match_files([ships], [ais])
    assert "`platform_heading`" in " ".join(unknown.notes)
    assert unknown.summary["geometry"] == "unknown"
    (stated,) = match_files([ships], [ais], VIEW, MatchOptions(overwrite=True))
    assert "from 693 km (`altitude_km`)" in " ".join(stated.notes)
    assert stated.summary["geometry"] == "stated"


def test_the_record_of_the_run_tells_the_view_and_the_outline(files: tuple[Any, Path, Path]) -> None:
    _, ships, ais = files
    nodes = [[lon, lat, 0.0, 115.0, 37.0, 348.0] for lon in (6.0, 6.5, 7.0) for lat in (54.0, 54.5, 55.0)]
    view = {"start": "2024-05-01T17:00:00Z", "look": "right", "nodes": nodes}
    ships.with_name("made.run.json").write_text(record_with(view))
    (found,) = match_files([ships], [ais])
    assert (found.summary["geometry"], found.notes) == ("annotation", ())
    assert read_ships(ships).footprint.area == pytest.approx(1)
    with pytest.raises(InputError, match="leave it out"):
        match_files([ships], [ais], VIEW, MatchOptions(overwrite=True))
    ships.with_name("made.run.json").write_text(record_with({"vv": view, "vh": view}))
    assert read_ships(ships).geometry.source == "annotation"


def test_a_heading_alone_is_refused(files: tuple[Any, Path, Path]) -> None:
    _, ships, ais = files
    with pytest.raises(InputError, match="setting `incidence`: expected a number beside `platform_heading`"):
        match_files([ships], [ais], ViewSettings(platform_heading=10.0))


def test_ships_without_a_time_need_one(files: tuple[Any, Path, Path]) -> None:
    _, ships, ais = files
    content = json.loads(ships.read_text())
    for one in content["features"]:
        del one["properties"]["time"]
    timeless = ships.with_name("timeless.geojson")
    timeless.write_text(json.dumps(content))
    with pytest.raises(InputError, match="`time`"):
        match_files([timeless], [ais], VIEW)
    (found,) = match_files([timeless], [ais], ViewSettings(time="2024-05-01T17:00:00Z", **_plain(VIEW)))
    assert found.summary["detections"]["matched"] > 5
    with pytest.raises(InputError, match="leave it out"):
        match_files([ships], [ais], ViewSettings(time="2024-05-01T17:00:00Z", **_plain(VIEW)))


def test_a_scene_without_ships_keeps_the_time_of_its_record(files: tuple[Any, Path, Path]) -> None:
    _, ships, ais = files
    ships.write_text(json.dumps({"type": "FeatureCollection", "features": []}))
    stated = ViewSettings(time="2024-05-01T17:00:00Z", **_plain(VIEW))
    assert match_files([ships], [ais], stated)
    time = {"start": "2023-05-01T17:00:00Z"}
    ships.with_name("made.run.json").write_text(json.dumps({"scene": {"read_as": {"time": time}}}))
    (found,) = match_files([ships], [ais], VIEW, MatchOptions(overwrite=True))
    assert found.files["csv detections"].read_text() == ",".join(["lon", "lat", *AIS_COLUMNS]) + "\n"
    with pytest.raises(InputError, match="whose scene has one, found 2024-05-01T17:00:00Z; leave it out"):
        match_files([ships], [ais], stated, MatchOptions(overwrite=True))


def _plain(view: ViewSettings) -> dict[str, Any]:
    return {"platform_heading": view.platform_heading, "incidence": view.incidence}


@pytest.mark.parametrize(("name", "scenes", "say"), [("made.geojson", ("a.tif", "b.tif"), "one scene")])
def test_ships_of_several_scenes_are_refused(
    files: tuple[Any, Path, Path], name: str, scenes: tuple[str, str], say: str
) -> None:
    _, ships, ais = files
    content = json.loads(ships.with_name(name).read_text())
    for i, one in enumerate(content["features"]):
        one["properties"]["scene"] = scenes[i % 2]
    ships.write_text(json.dumps(content))
    with pytest.raises(InputError, match=say):
        match_files([ships], [ais], VIEW)


def test_pixels_alone_are_refused(tmp_path: Path, files: tuple[Any, Path, Path]) -> None:
    feature = {"type": "Feature", "geometry": None, "properties": {"bbox_px": [1, 2, 3, 4], "score": 1.0}}
    (tmp_path / "px.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    with pytest.raises(InputError, match="pixels alone"):
        match_files([tmp_path / "px.geojson"], [files[2]], VIEW)


def test_ships_of_ais_are_no_detections(files: tuple[Any, Path, Path]) -> None:
    _, ships, ais = files
    match_files([ships], [ais], VIEW)
    with pytest.raises(InputError, match="found ships of AIS; name the result file of `detect`"):
        match_files([ships.with_name("made.ais.geojson")], [ais], VIEW)


@pytest.mark.parametrize("hours", [1, -2])
def test_local_time_is_told_with_its_hours(files: tuple[Any, Path, Path], tmp_path: Path, hours: int) -> None:
    made, ships, _ = files
    write_ais(shifted(made, hours), tmp_path / "local.csv")
    (found,) = match_files([ships], [tmp_path / "local.csv"], VIEW)
    assert found.summary["detections"]["matched"] == 0
    (note,) = [note for note in found.notes if "probably local time" in note]
    told = f"{abs(hours)} hour{'s' if abs(hours) > 1 else ''} {'ahead of' if hours > 0 else 'behind'} UTC"
    assert told in note


def test_reports_none_of_which_lies_in_the_gap_are_told(files: tuple[Any, Path, Path], tmp_path: Path) -> None:
    made, ships, _ = files
    write_ais(shifted(made, 1.7), tmp_path / "late.csv")
    (found,) = match_files([ships], [tmp_path / "late.csv"], VIEW)
    (note,) = [note for note in found.notes if "none within 30 minutes" in note]
    assert "check the time of the scene and the time zone" in note


def shifted(made: Any, hours: float) -> Any:
    """A made scene whose AIS is so many hours late."""
    fixes = made.truth.ais.fixes
    late = replace(fixes, time=fixes.time + np.timedelta64(round(3600 * hours), "s"))
    return replace(made, truth=replace(made.truth, ais=replace(made.truth.ais, fixes=late)))
