"""Regions of the earth, and land cut to them: poles, the antimeridian, borders between neighbours."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Geod

from refinedet.scene.land.region import WGS84, Region, coast_lines, cut, cut_land, dense, is_plain_degrees

GEOD = Geod(ellps="WGS84")
NORTH = CRS.from_epsg(3413)


def inside(boxes: list[tuple[float, ...]], lon: float, lat: float) -> bool:
    return any(west <= lon <= east and south <= lat <= north for west, south, east, north in boxes)


@given(
    lon=st.floats(-180, 180),
    lat=st.floats(-90, 90),
    radius=st.floats(1e3, 1.4e6),
    azimuth=st.floats(0, 360),
    share=st.floats(0, 1),
)
def test_boxes_hold_all_that_is_near_wherever_it_is(
    lon: float, lat: float, radius: float, azimuth: float, share: float
) -> None:
    region = Region(lon, lat, radius)
    boxes = region.degree_boxes()
    there = GEOD.fwd(lon, lat, azimuth, share * radius)[:2]
    assert inside(boxes, *there)
    assert inside(region.cut_at(WGS84), *there)
    assert all(-180 <= w < e <= 180 and -90 <= s < n <= 90 for w, s, e, n in boxes)


def test_boxes_are_round_so_that_scenes_of_one_place_share_a_cut() -> None:
    assert Region(10.05, 50.002, 50_000).cut_at(WGS84) == Region(10.054, 50.006, 50_010).cut_at(WGS84)


def test_a_region_across_the_antimeridian_is_two_boxes_and_one_at_a_pole_goes_round() -> None:
    west, east = Region(179.9, -17.0, 50_000).degree_boxes()
    assert (west[0], east[2]) == (-180, 180)
    assert west[2] - west[0] + east[2] - east[0] < 1.3
    assert Region(-179.9, -17.0, 50_000).degree_boxes()[0][2] < -179
    assert Region(30, 89.9, 50_000).degree_boxes()[0][::2] == (-180, 180)


def test_boxes_of_another_reference_system_hold_the_region_and_none_is_where_it_does_not_reach() -> None:
    ((west, south, east, north),) = Region(0, 90, 100_000).looked_at(NORTH)
    assert west < -95_000 < 95_000 < east
    assert south < -95_000 < 95_000 < north
    far = CRS.from_proj4("+proj=ortho +lat_0=80 +lon_0=0 +datum=WGS84")
    assert Region(0, -60, 100_000).looked_at(far) == []


@pytest.mark.parametrize("turn", [-360, 0])
def test_longitudes_beyond_180_are_turned_back(turn: float) -> None:
    boxes = Region(180, 0, 100_000).degree_boxes()
    fiji = shapely.box(179.5 + turn, -0.5, 180.5 + turn, 0.5)
    land = cut_land(np.array([fiji], object), Region(180, 0, 100_000).cut_at(WGS84), degrees=True)
    assert sorted(shapely.bounds(land).tolist()) == [[-180, -0.5, -179.5, 0.5], [179.5, -0.5, 180, 0.5]]
    edges = coast_lines(land, boxes, degrees=True)
    assert not (np.abs(edges[..., 0]) == 180).all(axis=1).any()
    assert len(edges) == 6


def test_borders_between_neighbours_and_edges_of_the_cut_are_no_coast() -> None:
    """Two countries that fill the northern half plane: the coast is the equator alone."""
    countries = np.array([shapely.box(-50, 0, 10, 60), shapely.box(10, 0, 50, 60)], object)
    region = Region(10, 0, 50_000)
    land = cut_land(countries, region.cut_at(WGS84), degrees=True)
    edges = coast_lines(land, region.looked_at(WGS84), degrees=True)
    assert (edges[..., 1] == 0).all()
    assert np.ptp(edges[..., 0]) >= 0.9


def test_antarctica_has_no_coast_at_the_pole() -> None:
    antarctica = shapely.box(-180, -90, 180, -88)
    region = Region(0, -90, 600_000)
    land = cut_land(np.array([antarctica], object), region.cut_at(WGS84), degrees=True)
    edges = coast_lines(land, region.looked_at(WGS84), degrees=True)
    assert (edges[..., 1] == -88).all()


def test_a_polygon_that_crosses_itself_is_mended_and_points_pass() -> None:
    bow_tie = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    shapes = np.array([bow_tie, shapely.Point(0.1, 1)], object)
    found = cut(shapes, [(0, 0, 1.0, 2)], degrees=True)
    assert sorted(shapely.get_dimensions(found).tolist()) == [0, 2]
    assert shapely.area(found).sum() == pytest.approx(1)


@pytest.mark.parametrize(("crs", "side"), [(WGS84, 0.05), (NORTH, 5000.0), (CRS.from_epsg(2225), 16404.0)])
def test_long_edges_get_points_every_kilometre_in_any_unit(crs: CRS, side: float) -> None:
    points = shapely.get_num_coordinates(dense(np.array([shapely.box(0, 0, side, side)], object), crs))[0]
    assert 20 <= points - 1 <= 28


def test_only_degrees_from_greenwich_are_plain() -> None:
    assert is_plain_degrees(WGS84)
    assert is_plain_degrees(CRS.from_user_input("OGC:CRS84"))
    assert is_plain_degrees(CRS.from_epsg(4979))  # with a height
    assert not is_plain_degrees(CRS.from_epsg(4807))  # grads from Paris
    assert not is_plain_degrees(NORTH)
