"""Files of places that hold none near the scene."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import shapely

from refinedet.config.options.land import LandSettings
from refinedet.geo.position import Position, locate
from refinedet.raster import RasterInfo
from refinedet.scene.land.coastline import coastline
from refinedet.scene.land.survey import survey

SIDE = 500
HERE = (7.2, 54.4)


@pytest.fixture
def position() -> Position:
    info = RasterInfo(SIDE, SIDE, 1, "uint16", None, "EPSG:4326", (1e-4, 0.0, HERE[0], 0.0, -1e-4, HERE[1]))
    found = locate(info)
    assert found is not None
    return found


def geojson(path: Path, *shapes: Any) -> Path:
    features = [{"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(s)} for s in shapes]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def square(x: float, y: float) -> Any:
    return shapely.box(x, y, x + 0.02, y + 0.02)


@pytest.mark.parametrize(
    ("at", "words"),
    [
        pytest.param((HERE[1], HERE[0]), "latitude and longitude are swapped; exchange them", id="swapped"),
        pytest.param((20.0, 10.0), "is it of this place, and is its reference system right?", id="elsewhere"),
    ],
)
@pytest.mark.parametrize(
    ("option", "what"),
    [("exclude", "excluded place"), ("platforms", "platform"), ("fixed", "fixed object"), ("land", "land")],
)
def test_a_file_without_places_near_the_scene_is_told(
    tmp_path: Path, position: Position, at: tuple[float, float], words: str, option: str, what: str
) -> None:
    path = geojson(tmp_path / "a.geojson", square(*at))
    mask = "flag" if option == "land" else "off"
    found = survey(position, SIDE, SIDE, LandSettings(**{option: path}, land_mask=mask))  # type: ignore[arg-type]
    (note,) = found.notes
    assert note.startswith(f"{path} holds no {what} within or near the scene")
    assert words in note


def test_places_that_are_there_are_no_news(tmp_path: Path, position: Position) -> None:
    path = geojson(tmp_path / "a.geojson", square(*HERE), square(20, 10))
    assert survey(position, SIDE, SIDE, LandSettings(exclude=path, land_mask="off")).notes == ()
    assert survey(position, SIDE, SIDE, LandSettings(land=path)).notes == ()


@pytest.mark.parametrize(("reach", "told"), [pytest.param(0.2, 1, id="all over"), pytest.param(0.02, 0, id="a part")])
def test_land_all_over_a_scene_is_told_as_probable_water(
    tmp_path: Path, position: Position, reach: float, told: int
) -> None:
    path = geojson(tmp_path / "a.geojson", shapely.box(HERE[0] - 0.1, HERE[1] - 0.1, HERE[0] + reach, HERE[1] + reach))
    notes = survey(position, SIDE, SIDE, LandSettings(land=path)).notes
    assert [note.startswith(f"the whole scene is land by {path}") for note in notes] == [True] * told
    assert all("if the file holds water" in note for note in notes)


def test_water_around_islands_is_told_and_land_around_a_lake_is_not(tmp_path: Path) -> None:
    info = RasterInfo(SIDE, SIDE, 1, "uint16", None, "EPSG:4326", (8e-4, 0.0, 10.9, 0.0, -8e-4, 55.1))
    position = locate(info)
    assert position is not None
    frame = shapely.box(10, 54, 12, 56)  # around islands of Denmark
    land = shapely.union_all(coastline([frame.bounds])).intersection(frame)
    (note,) = survey(position, SIDE, SIDE, LandSettings(land=geojson(tmp_path / "a.geojson", frame - land))).notes
    assert note.startswith(f"the sea of the scene is land by {tmp_path / 'a.geojson'}, so all ships there count as on")
    holed = land.difference(shapely.box(10.91, 55.05, 10.95, 55.09))
    for shape in (land, holed):
        found = survey(position, SIDE, SIDE, LandSettings(land=geojson(tmp_path / "b.geojson", shape)))
        assert found.notes == ()


def test_a_polygon_that_crosses_itself_near_the_scene_is_told(tmp_path: Path, position: Position) -> None:
    x, y = HERE
    bowtie = shapely.Polygon([(x, y), (x + 0.02, y - 0.02), (x + 0.02, y), (x, y - 0.02)])
    path = geojson(tmp_path / "a.geojson", bowtie, square(x, y - 0.01))
    (note,) = survey(position, SIDE, SIDE, LandSettings(exclude=path, land_mask="off")).notes
    assert note.startswith(f"{path} holds 1 polygon that crosses itself near the scene, ")
    assert "check the order of the corners" in note


def test_rows_of_a_table_without_a_place_are_told(tmp_path: Path, position: Position) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"lat,lon\n{HERE[1] - 0.01},{HERE[0] + 0.01}\n54.4N,7.2E\n")
    (note,) = survey(position, SIDE, SIDE, LandSettings(exclude=path, land_mask="off")).notes
    assert note.startswith(f"1 row of {path} has no place that can be read and is left out; write degrees as 54.5")
