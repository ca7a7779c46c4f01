"""Polygons on the ground obey RFC 7946."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from refinedet.geo.footprints import area_on_earth, bounds_on_earth, footprint, narrowest_box

CORNERS = np.array([[10.0, 50.0], [10.0, 49.0], [11.0, 49.0], [11.0, 50.0]])
"""Top left, bottom left, bottom right, top right of a box in a scene with north up."""


@pytest.mark.parametrize(
    "corners", [CORNERS, CORNERS[::-1], CORNERS[[3, 2, 1, 0]]], ids=["as is", "mirrored", "flipped"]
)
def test_rings_are_closed_and_counter_clockwise_however_the_scene_is_mirrored(corners: np.ndarray) -> None:
    polygon = footprint(corners)
    assert isinstance(polygon, shapely.Polygon)
    assert polygon.exterior.is_ccw
    assert polygon.exterior.is_closed
    assert polygon.bounds == (10, 49, 11, 50)


def test_a_box_across_the_antimeridian_is_cut_into_two() -> None:
    corners = np.array([[179.9, 1.0], [179.9, 0.0], [-179.8, 0.0], [-179.8, 1.0]])
    halves = footprint(corners)
    assert isinstance(halves, shapely.MultiPolygon)
    assert sorted(half.bounds for half in halves.geoms) == [(-180, 0, -179.8, 1), (179.9, 0, 180, 1)]
    assert all(half.exterior.is_ccw for half in halves.geoms)
    assert halves.area == pytest.approx(0.3)


def test_a_box_near_the_pole_is_drawn_without_leaving_the_earth() -> None:
    shape = footprint(np.array([[170.0, 89.9], [130.0, 89.8], [-150.0, 89.7], [-120.0, 89.8]]))
    assert shape is not None
    assert shapely.box(-180, -90, 180, 90).covers(shape)


def test_a_box_with_the_pole_inside_has_no_polygon_in_degrees_and_breaks_nothing() -> None:
    assert footprint(np.array([[-135.0, 89.9], [-45.0, 89.9], [45.0, 89.9], [135.0, 89.9]])) is None


def test_an_unknown_corner_gives_no_polygon() -> None:
    corners = CORNERS.copy()
    corners[2] = np.nan
    assert footprint(corners) is None


def test_an_area_in_one_piece_is_one_polygon() -> None:
    assert isinstance(area_on_earth(shapely.box(10, 49, 11, 50)), shapely.Polygon)


def test_the_narrowest_box_may_cross_the_antimeridian() -> None:
    cut = footprint(np.array([[179.9, 1.0], [179.9, 0.0], [-179.8, 0.0], [-179.8, 1.0]]))
    assert bounds_on_earth([cut]) == [179.9, 0, -179.8, 1]
    assert bounds_on_earth([cut, shapely.box(170, -5, 171, -4), None]) == [170, -5, -179.8, 1]
    assert bounds_on_earth([shapely.box(-10, 1, 20, 2)]) == [-10, 1, 20, 2]
    assert bounds_on_earth([None]) is None
    assert narrowest_box([[-180, -90, 180, 90]]) == [-180, -90, 180, 90]
    assert narrowest_box([[179, 0, -179, 1], [-178, 2, -177, 3]]) == [179, 0, -177, 3]
