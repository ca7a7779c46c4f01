"""Control points that contradict each other or the size of their scene."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.control import GroundControlPoint

from refinedet.geo.position import locate, why_nowhere
from refinedet.scene.source import open_source

_SIDE = 400
_AT = (8.0, 54.0)
"""Longitude and latitude of the upper left corner."""


def _place(x: float, y: float) -> tuple[float, float]:
    """Place of a pixel, not quite even, as in a radar's picture."""
    return _AT[0] + 1e-4 * x + 4e-9 * x * y, _AT[1] - 1e-4 * y + 3e-9 * x * x


def _points(columns: int, lines: int, *, reach: float = _SIDE) -> list[tuple[float, float, float, float]]:
    at = [(x, y) for y in np.linspace(0, reach, lines) for x in np.linspace(0, reach, columns)]
    return [(x, y, *_place(x, y)) for x, y in at]


def _written(folder: Path, points: Sequence[tuple[float, float, float, float]]) -> Path:
    pixels = np.random.default_rng(0).integers(50, 150, (_SIDE, _SIDE)).astype(np.uint16)
    gcps = [GroundControlPoint(row=y, col=x, x=lon, y=lat) for x, y, lon, lat in points]
    path = folder / "scene.tif"
    size = {"height": _SIDE, "width": _SIDE, "count": 1, "dtype": "uint16"}
    with rasterio.open(path, "w", driver="GTiff", gcps=gcps, crs="EPSG:4326", **size) as file:
        file.write(pixels, 1)
    return path


def _notes(path: Path) -> list[str]:
    with open_source(path) as reader:
        return [note for note in reader.notes if "control point" in note]


@pytest.mark.parametrize(("columns", "lines", "wrong"), [(5, 5, (12,)), (5, 5, (0, 17)), (3, 3, (4,)), (3, 2, (5,))])
def test_a_wrong_point_is_left_out_and_told(tmp_path: Path, columns: int, lines: int, wrong: tuple[int, ...]) -> None:
    points = _points(columns, lines)
    for k in wrong:
        x, y, lon, lat = points[k]
        points[k] = x, y, lon + 0.05, lat
    with open_source(_written(tmp_path, points)) as reader:
        (note,) = [note for note in reader.notes if "control point" in note]
        position = locate(reader.info)
        assert reader.read_as["gcps_left_out"] == [[points[k][0], points[k][1]] for k in wrong]
    assert f"{len(wrong)} of its {len(points)} control points" in note
    assert f"at pixel {points[wrong[0]][0]:g}, line {points[wrong[0]][1]:g} by 3." in note
    assert position is not None
    found = position.lonlat(np.array([[130.0, 270.0]]))[0]
    assert found == pytest.approx(_place(130, 270), abs=1e-4)


@pytest.mark.parametrize(("columns", "lines"), [(5, 5), (3, 3), (2, 2), (3, 2)])
def test_points_that_agree_are_kept_without_a_word(tmp_path: Path, columns: int, lines: int) -> None:
    assert _notes(_written(tmp_path, _points(columns, lines))) == []


@pytest.mark.parametrize("unset", [(0.0, 0.0), (-999.0, -999.0), (np.nan, np.nan)])
def test_points_whose_place_was_never_set_are_left_out(tmp_path: Path, unset: tuple[float, float]) -> None:
    points = [(*point[:2], *unset) if k < 3 else point for k, point in enumerate(_points(5, 5))]
    with open_source(_written(tmp_path, points)) as reader:
        (note,) = [note for note in reader.notes if "control point" in note]
        position = locate(reader.info)
    assert note.startswith("3 of its 25 control points have no place of their own, such as that at pixel 0, line 0 (")
    assert position is not None
    assert position.lonlat(np.array([[130.0, 270.0]]))[0] == pytest.approx(_place(130, 270), abs=1e-4)


@pytest.mark.parametrize("places", [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
def test_points_on_one_line_of_the_earth_give_no_position(tmp_path: Path, places: tuple[float, float]) -> None:
    points = [(x, y, lon * places[0], 54 + (lat - 54) * places[1]) for x, y, lon, lat in _points(5, 5)]
    with open_source(_written(tmp_path, points)) as reader:
        assert locate(reader.info) is None
        assert why_nowhere(reader.info) == "its ground control points lie on one line or at one place of the earth"


def test_four_points_can_only_disagree(tmp_path: Path) -> None:
    points = _points(2, 2)
    points[3] = (*points[3][:2], points[3][2] + 0.05, points[3][3])
    (note,) = _notes(_written(tmp_path, points))
    assert note.startswith("its 4 control points do not agree with each other: they fit one grid only to")


def test_a_processors_grid_may_follow_the_terrain(tmp_path: Path) -> None:
    points = _points(10, 8)
    points[37] = (*points[37][:2], points[37][2] + 0.05, points[37][3])
    assert _notes(_written(tmp_path, points)) == []


def test_points_of_a_larger_picture_are_told(tmp_path: Path) -> None:
    (note,) = _notes(_written(tmp_path, _points(4, 4, reach=4000)))
    assert "reach to pixel 4,000 and line 4,000, but it has only 400 x 400 pixels" in note
    moved = [(x + 900, y, lon, lat) for x, y, lon, lat in _points(4, 4)]
    (note,) = _notes(_written(tmp_path, [*moved]))
    assert "larger picture" in note or "none of its control points" in note
    before = [(x - 900, y, lon, lat) for x, y, lon, lat in _points(4, 4)]
    (note,) = _notes(_written(tmp_path, [*before]))
    assert note.startswith("none of its control points lies in the scene")


@pytest.mark.parametrize(
    ("order", "told"),
    [
        pytest.param((0, 1, 3, 2), "latitude and longitude are exchanged", id="places"),
        pytest.param((1, 0, 2, 3), "column and row are exchanged", id="pixels"),
    ],
)
def test_exchanged_coordinates_are_told(tmp_path: Path, order: tuple[int, ...], told: str) -> None:
    points = [
        (x, y, _AT[0] + 1.5e-4 * x, _AT[1] - 0.88e-4 * y)  # squares on the ground at that latitude
        for x, y, *_ in _points(4, 4)
    ]
    assert _notes(_written(tmp_path, points)) == []
    (note,) = _notes(_written(tmp_path, [(p[order[0]], p[order[1]], p[order[2]], p[order[3]]) for p in points]))
    assert f"mirror and turn the picture, as where {told}" in note


@pytest.mark.parametrize("turn", [-12, 12, 168, 192])
def test_a_picture_in_the_order_of_the_radar_is_no_exchange(tmp_path: Path, turn: float) -> None:
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    points = [
        (x, y, _AT[0] + 1.5e-4 * (cos * x - sin * y), _AT[1] + 0.88e-4 * (sin * x + cos * y))
        for x, y, *_ in _points(4, 4)
    ]
    assert _notes(_written(tmp_path, points)) == []


def test_points_on_a_quarter_of_a_scene_are_told(tmp_path: Path) -> None:
    (note,) = _notes(_written(tmp_path, _points(4, 4, reach=_SIDE / 2)))
    assert "span only 25% of the scene, from pixel 0 to 200 and from line 0 to 200 of 400 x 400" in note
