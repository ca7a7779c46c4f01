"""North and metres in a picture, against what is known of the earth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinedet.geo.compass import ground_axes, nice_length, north_xy, pixel_metres, place_text
from refinedet.geo.position import locate
from refinedet.raster import GroundControlPoint, RasterInfo


def rotated(degrees: float, *, crs: str = "EPSG:32633", east: float = 5e5) -> RasterInfo:
    """A scene of 10 m pixels whose up is turned clockwise from grid north."""
    c, s = 10 * np.cos(np.radians(degrees)), 10 * np.sin(np.radians(degrees))
    return RasterInfo(400, 300, 1, "uint8", crs=crs, transform=(c, -s, east, -s, -c, 5.5e6))


@pytest.mark.parametrize("degrees", [0, 30, 90, 180, -120])
def test_north_turns_with_the_scene_and_metres_do_not(degrees: float) -> None:
    axes = ground_axes(locate(rotated(degrees)), 400, 300)
    assert axes is not None
    x, y = north_xy(axes)
    turn = np.degrees(np.arctan2(x, -y)) + degrees  # on the central meridian
    assert (turn + 180) % 360 - 180 == pytest.approx(0, abs=0.05)
    assert pixel_metres(axes) == pytest.approx(10, rel=1e-3)


def test_north_is_true_north_and_not_that_of_the_grid() -> None:
    """Off the central meridian of its zone, the grid is turned by the convergence: (lon - lon0) * sin(lat)."""
    info = rotated(0, east=7.8e5)
    position = locate(info)
    assert position is not None
    axes = ground_axes(position, info.width, info.height)
    assert axes is not None
    lon, lat = position.lonlat(np.array([[200.0, 150.0]]))[0]
    x, y = north_xy(axes)
    assert np.degrees(np.arctan2(x, -y)) == pytest.approx(-(lon - 15) * np.sin(np.radians(lat)), abs=0.02)


def test_north_of_an_upside_down_scene_without_square_pixels() -> None:
    info = RasterInfo(100, 100, 1, "uint8", crs="EPSG:4326", transform=(-0.002, 0, 10, 0, 0.001, 60))
    axes = ground_axes(locate(info), 100, 100)
    assert axes is not None
    np.testing.assert_allclose(north_xy(axes), [0, 1], atol=1e-6)
    np.testing.assert_allclose(
        np.diag(axes), [-0.002 * 111_320 * np.cos(np.radians(60.05)), 0.001 * 111_412], rtol=3e-3
    )


def test_a_stretched_picture_turns_the_arrow_with_it() -> None:
    axes = ground_axes(locate(rotated(-45)), 400, 300)
    assert axes is not None
    x, y = north_xy(axes, (1.0, 10.0))
    assert np.degrees(np.arctan2(x, -y)) == pytest.approx(np.degrees(np.arctan(0.1)), abs=0.1)


@pytest.mark.parametrize(
    "info",
    [
        pytest.param(RasterInfo(10, 10, 1, "uint8"), id="no position"),
        pytest.param(
            RasterInfo(10, 10, 1, "uint8", crs="EPSG:32633", transform=(1e9, 0, 5e12, 0, -1e9, 5e12)),
            id="off the earth",
        ),
        pytest.param(
            RasterInfo(10, 10, 1, "uint8", crs="EPSG:4326", transform=(0.1, 0.1, 10, 0.1, 0.1, 50)), id="a line"
        ),
    ],
)
def test_where_nothing_is_known_nothing_is_told(info: RasterInfo) -> None:
    assert ground_axes(locate(info), info.width, info.height) is None


def test_the_antimeridian_and_thin_scenes_are_nothing_special() -> None:
    info = RasterInfo(100_000, 10, 1, "uint8", crs="EPSG:4326", transform=(1e-5, 0, 179.5, 0, -1e-5, 0.0))
    axes = ground_axes(locate(info), info.width, info.height)
    assert axes is not None
    assert pixel_metres(axes) == pytest.approx(1.1132, rel=1e-3)
    gcps = tuple(
        GroundControlPoint(x, y, 10 + x * 1e-4, 60 - y * 1e-4) for x in (0, 500, 999) for y in (0.0, 10.0, 20.0)
    )
    thin = RasterInfo(1000, 21, 1, "uint8", gcps=gcps, gcp_crs="EPSG:4326")
    found = ground_axes(locate(thin), 1000, 21)
    assert found is not None
    np.testing.assert_allclose(north_xy(found), [0, -1], atol=1e-4)


@given(st.floats(1e-6, 1e12))
def test_nice_lengths_are_round_and_fill_at_least_two_fifths(longest: float) -> None:
    length = nice_length(longest)
    assert 0.39 * longest <= length <= longest * (1 + 1e-8)
    assert f"{length:.0e}"[0] in "125"


def test_places_are_written_with_their_hemispheres() -> None:
    assert place_text(-7.30544, 54.49361) == "54.4936° N   7.3054° W"
    assert place_text(7.0, -0.5) == "0.5000° S   7.0000° E"
