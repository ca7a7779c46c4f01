"""Places to pixels: back to where they came from, whatever locates the scene."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Transformer

from refinedet.geo.pixels import pixels_of
from refinedet.geo.position import locate
from refinedet.raster import GroundControlPoint, RasterInfo

WIDTH, HEIGHT = 3000, 2000
UTM = (10.0, 0.0, 400_000.0, 0.0, -10.0, 6_000_000.0)
TURNED = (8.66, -5.0, 400_000.0, -5.0, -8.66, 6_000_000.0)


def with_points(*, scattered: bool) -> RasterInfo:
    """A scene with control points along a bent track across 180 degrees."""
    rng = np.random.default_rng(1)
    at = [(x, y) for x in np.linspace(0, WIDTH, 9) for y in np.linspace(0, HEIGHT, 7)]
    if scattered:
        at = [(float(x), float(y)) for x, y in rng.uniform(0, 1, (60, 2)) * (WIDTH, HEIGHT)]
    to_degrees = Transformer.from_crs("EPSG:32601", "EPSG:4326", always_xy=True)

    def place(x: float, y: float) -> tuple[float, float]:
        lon, lat = to_degrees.transform(330_000 + 9.5 * x + 2 * y + 1e-4 * y * y, 6_000_000 - 9.8 * y + 2 * x)
        return lon, lat

    points = tuple(GroundControlPoint(y, x, *place(x, y), 0.0) for x, y in at)
    return RasterInfo(WIDTH, HEIGHT, 1, "uint16", None, None, None, points, "EPSG:4326")


@pytest.mark.parametrize(
    "info",
    [
        pytest.param(RasterInfo(WIDTH, HEIGHT, 1, "uint16", None, "EPSG:32633", UTM), id="UTM"),
        pytest.param(RasterInfo(WIDTH, HEIGHT, 1, "uint16", None, "EPSG:32601", TURNED), id="turned, near 180 degrees"),
        pytest.param(
            RasterInfo(WIDTH, HEIGHT, 1, "uint16", None, "EPSG:3413", (10.0, 0.0, -15_000.0, 0.0, -10.0, 10_000.0)),
            id="on the pole",
        ),
        pytest.param(
            RasterInfo(WIDTH, HEIGHT, 1, "uint16", None, "EPSG:4326", (2e-4, 0.0, 179.9, 0.0, -1e-4, 54.0)),
            id="degrees across 180",
        ),
        pytest.param(with_points(scattered=False), id="control points in a grid"),
        pytest.param(with_points(scattered=True), id="scattered control points"),
    ],
)
def test_pixels_come_back_from_their_places(info: RasterInfo) -> None:
    position = locate(info)
    assert position is not None
    pixels = np.random.default_rng(0).uniform(-50, [WIDTH + 50, HEIGHT + 50], (300, 2))
    found = pixels_of(position, WIDTH, HEIGHT, position.lonlat(pixels))
    assert np.abs(found - pixels).max() < 1e-5


def test_places_far_away_and_places_that_are_none_have_no_pixel() -> None:
    position = locate(RasterInfo(WIDTH, HEIGHT, 1, "uint16", None, "EPSG:32633", UTM))
    assert position is not None
    places = np.array([[-165.0, -54.0], [13.0, 20.0], [np.nan, 54.0], [np.inf, np.inf]])
    assert np.isnan(pixels_of(position, WIDTH, HEIGHT, places)).all()
    assert pixels_of(position, WIDTH, HEIGHT, np.zeros((0, 2))).shape == (0, 2)
