"""Positions are right to well below a pixel, whatever way the scene is located."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
from pyproj import CRS, Transformer

from refinedet.geo.position import azimuths_deg, distances_m, locate
from refinedet.raster import GroundControlPoint
from tests.refinedet.geo.located import WGS84, info_with


def sentinel1_points(sample_data: Path) -> list[GroundControlPoint]:
    files = sorted(sample_data.glob("s1/*.SAFE/annotation/s1a-iw-grd-vv-*.xml"))
    if not files:
        pytest.skip(f"no Sentinel-1 metadata under {sample_data / 's1'}; point REFINEDET_DATA at the samples")
    tree = ET.parse(files[0])  # noqa: S314 - a sample of our own
    names = ("pixel", "line", "longitude", "latitude", "height")
    return [
        GroundControlPoint(*(float(node.findtext(name, "")) for name in names))
        for node in tree.iter("geolocationGridPoint")
    ]


def test_a_utm_scene_is_located_by_its_transform() -> None:
    position = locate(
        info_with(crs=CRS.from_epsg(32633).to_wkt(), transform=(10.0, 0, 500_000.0, 0, -10.0, 5_300_000.0))
    )
    assert position is not None
    lon, lat = position.lonlat(np.array([[0.0, 0.0], [100.0, 50.0]])).T
    expected = Transformer.from_crs(32633, 4326, always_xy=True).transform([500_000, 501_000], [5_300_000, 5_299_500])
    np.testing.assert_allclose([lon, lat], expected, atol=1e-9)
    metres = distances_m(position.lonlat(np.array([[0.0, 0.0]])), position.lonlat(np.array([[100.0, 0.0]])))
    assert metres[0] == pytest.approx(1000, rel=1e-3)  # UTM's scale factor is 0.9996 here


def test_longitudes_that_count_to_360_become_those_west_of_greenwich() -> None:
    position = locate(info_with(crs=WGS84, transform=(0.1, 0, 170.0, 0, -0.1, 50.0)))
    assert position is not None
    lonlat = position.lonlat(np.array([[0.0, 0.0], [100.0, 0.0], [300.0, 10.0]]))
    np.testing.assert_allclose(lonlat, [[170, 50], [-180, 50], [-160, 49]], atol=1e-9)


def test_corners_run_top_left_bottom_left_bottom_right_top_right() -> None:
    position = locate(info_with(crs=WGS84, transform=(0.1, 0, 10.0, 0, -0.1, 50.0)))
    assert position is not None
    corners = position.corners(np.array([[10, 20, 30, 50]], np.float32))
    np.testing.assert_allclose(corners, [[[11, 48], [11, 45], [13, 45], [13, 48]]], atol=1e-6)


@pytest.mark.parametrize("drop", [0, 1], ids=["full grid: bicubic spline", "one point missing: thin-plate spline"])
def test_gcps_that_count_from_the_edge_give_what_rasterio_makes_of_them(drop: int) -> None:
    points = [
        GroundControlPoint(c, r, 20 + 1e-4 * c, 40 - 1e-4 * r) for c in range(0, 1000, 111) for r in range(0, 800, 133)
    ][drop:]
    position = locate(info_with(gcps=tuple(points), gcp_crs=WGS84))
    assert position is not None
    theirs = [rasterio.control.GroundControlPoint(p.line, p.pixel, p.x, p.y) for p in points]
    transform = rasterio.transform.from_gcps(theirs)
    pixels = np.array([[0.0, 0.0], [0.5, 0.5], [333.3, 444.4], [1000.0, 799.0]])
    expected = np.array([transform @ (x, y) for x, y in pixels])
    assert distances_m(position.lonlat(pixels), expected).max() < (0.5 if drop else 0.02)
    with rasterio.transform.GCPTransformer(theirs, tps=True) as spline:
        nodes = np.array([(p.pixel, p.line) for p in points])
        lon, lat = spline.xy(nodes[:, 1], nodes[:, 0], offset="ul")  # pixel 0 of "ul" is the outer edge
    assert distances_m(position.lonlat(nodes), np.stack([lon, lat], axis=1)).max() < 0.01


@pytest.mark.parametrize("drop", [0, 1], ids=["full grid: bicubic spline", "one point missing: thin-plate spline"])
def test_gcps_that_count_pixel_centres_get_half_a_pixel_once(drop: int) -> None:
    points = [
        GroundControlPoint(c, r, 20 + 1e-4 * (c + 0.5), 40 - 1e-4 * (r + 0.5))
        for c in range(0, 1000, 111)
        for r in range(0, 800, 133)
    ]
    position = locate(info_with(gcps=tuple(points[drop:]), gcp_crs=WGS84, gcp_zero="centre"))
    assert position is not None
    pixels = np.array([[0.0, 0.0], [0.5, 0.5], [333.3, 444.4], [1000.0, 799.0]])
    found = position.lonlat(pixels)
    expected = np.stack([20 + 1e-4 * pixels[:, 0], 40 - 1e-4 * pixels[:, 1]], axis=1)
    assert distances_m(found, expected).max() < (
        0.5 if drop else 0.02
    )  # the corner is outside of what the spline knows


def test_the_grid_of_a_real_sentinel1_product_predicts_its_left_out_columns_to_centimetres(sample_data: Path) -> None:
    points = sentinel1_points(sample_data)
    columns = sorted({p.pixel for p in points})
    kept, left_out = set(columns[::2]), set(columns[1::2])
    position = locate(info_with(gcps=tuple(p for p in points if p.pixel in kept), gcp_crs=WGS84, gcp_zero="centre"))
    assert position is not None
    truth = [p for p in points if p.pixel in left_out]
    found = position.lonlat(np.array([(p.pixel + 0.5, p.line + 0.5) for p in truth]))
    error = distances_m(found, np.array([(p.x, p.y) for p in truth]))
    assert np.sqrt((error**2).mean()) < 0.01
    assert error.max() < 0.1


def test_irregular_points_of_a_real_sentinel1_product_are_right_below_a_metre(sample_data: Path) -> None:
    points = sentinel1_points(sample_data)
    position = locate(
        info_with(gcps=tuple(points[::2]), gcp_crs=WGS84, gcp_zero="centre")
    )  # a chequerboard: no full grid
    assert position is not None
    found = position.lonlat(np.array([(p.pixel + 0.5, p.line + 0.5) for p in points[1::2]]))
    error = distances_m(found, np.array([(p.x, p.y) for p in points[1::2]]))
    assert np.sqrt((error**2).mean()) < 0.6


@pytest.mark.parametrize(
    ("columns", "lines"),
    [((5.0, 990.0), (7.0, 790.0)), ((5.0, 500.0, 990.0), (7.0, 790.0)), ((5.0, 990.0), (7.0, 400.0, 790.0))],
)
def test_a_few_gcps_inside_the_scene_locate_its_corners_too(columns: Sequence[float], lines: Sequence[float]) -> None:
    points = [GroundControlPoint(c, r, 20 + 1e-4 * c, 40 - 1e-4 * r) for c in columns for r in lines]
    position = locate(info_with(gcps=tuple(points), gcp_crs=WGS84))
    assert position is not None
    pixels = np.array([[0.0, 0.0], [1000.0, 0.0], [0.0, 800.0], [1000.0, 800.0], [500.0, 400.0]])
    expected = np.stack([20 + 1e-4 * pixels[:, 0], 40 - 1e-4 * pixels[:, 1]], axis=1)
    assert distances_m(position.lonlat(pixels), expected).max() < 2  # meridians converge, and few points do not say so


def test_beyond_the_outer_gcps_the_slope_is_that_at_the_border() -> None:
    columns = (100.0, 500.0, 900.0)
    points = [GroundControlPoint(c, r, 1e-4 * c + 4e-8 * c * c, 1e-4 * r) for c in columns for r in columns]
    position = locate(info_with(gcps=tuple(points), gcp_crs=WGS84))
    assert position is not None
    at = position.lonlat(np.array([[900.0, 500.0], [990.0, 500.0], [500.0, 990.0]]))
    assert (at[1, 0] - at[0, 0]) / 90 == pytest.approx(1.72e-4, rel=1e-3)  # the mean over the points is 1.4e-4
    assert at[2, 1] == pytest.approx(0.099, rel=1e-3)


def test_very_many_irregular_gcps_are_located_by_the_nearest_of_them() -> None:
    rng = np.random.default_rng(0)
    points = [
        GroundControlPoint(c, r, 20 + 1e-4 * c, 40 - 1e-4 * r) for c, r in rng.uniform((0, 0), (1000, 800), (1200, 2))
    ]
    position = locate(info_with(gcps=tuple(points), gcp_crs=WGS84))
    assert position is not None
    pixels = rng.uniform((100, 100), (900, 700), (50, 2))
    expected = np.stack([20 + 1e-4 * pixels[:, 0], 40 - 1e-4 * pixels[:, 1]], axis=1)
    assert distances_m(position.lonlat(pixels), expected).max() < 0.05


def test_lengths_and_directions_on_the_ellipsoid() -> None:
    start = np.array([[0.0, 0.0], [0.0, 0.0], [10.0, 60.0], [0.0, np.nan]])
    end = np.array([[1.0, 0.0], [0.0, 1.0], [9.0, 60.0], [1.0, 1.0]])
    found = distances_m(start, end)  # of a degree: WGS 84 has 6,378,137 m and a flattening of 1 / 298.257
    np.testing.assert_allclose(found[:3], [111_319.49, 110_574.39, 55_799.47], atol=0.5)
    assert np.isnan(found[3])
    directions = azimuths_deg(start, end)
    np.testing.assert_allclose(directions[:3], [90, 0, 270.433], atol=1e-2)
    assert np.isnan(directions[3])


def test_gcps_across_the_antimeridian_do_not_average_to_the_other_side_of_the_earth() -> None:
    points = [
        GroundControlPoint(c, r, (179.5 + c * 1e-3 + 180) % 360 - 180, 60 - r * 1e-3)
        for c in range(0, 1001, 200)
        for r in range(0, 801, 200)
    ]
    position = locate(info_with(gcps=tuple(points), gcp_crs=WGS84))
    assert position is not None
    lon, lat = position.lonlat(np.array([[700.0, 300.0]]))[0]
    assert (lon, lat) == pytest.approx((-179.8, 59.7), abs=1e-6)


def test_gcps_around_the_pole_are_located() -> None:
    polar = Transformer.from_crs(3995, 4326, always_xy=True)
    points = []
    for c in range(0, 1001, 125):
        for r in range(0, 801, 100):
            lon, lat = polar.transform(-50_000 + 100 * c, 40_000 - 100 * r)
            points.append(GroundControlPoint(c, r, lon, lat))
    position = locate(info_with(gcps=tuple(points), gcp_crs=WGS84))
    assert position is not None
    found = position.lonlat(np.array([[510.0, 390.0]]))
    expected = np.array([polar.transform(-50_000 + 51_000, 40_000 - 39_000)])
    assert distances_m(found, expected)[0] < 1
