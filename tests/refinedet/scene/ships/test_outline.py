"""Turned rectangles have the measured length, width and true azimuth, whatever the geometry of the scene."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Geod

from refinedet.geo.position import Position, locate
from refinedet.raster import GroundControlPoint, RasterInfo
from refinedet.scene.ships.attributes import places
from refinedet.scene.ships.measuring.shape import UNKNOWN, Shape
from refinedet.scene.ships.outline import turned_rectangles

SIDE = 400
GEOD = Geod(ellps="WGS84")


def warped(x: float, y: float) -> tuple[float, float]:
    """Longitude and latitude of a pixel in a swath that is turned, skewed and bent."""
    return 3 + 1.4e-4 * x - 4e-5 * y + 2e-9 * x * y, 57 - 2e-5 * x - 1.1e-4 * y + 3e-9 * y * y


GCPS = tuple(
    GroundControlPoint(float(x), float(y), *warped(x, y))
    for x in range(0, SIDE + 1, 50)
    for y in range(0, SIDE + 1, 50)
)
SCENES = {
    "rotated UTM": {"crs": "EPSG:32633", "transform": (6.0, -8.0, 5e5, -8.0, -6.0, 5.3e6)},
    "degrees": {"crs": "EPSG:4326", "transform": (1e-4, 0.0, 20.0, 0.0, -1e-4, 70.0)},
    "pixels twice as long as wide": {"crs": "EPSG:32633", "transform": (10.0, 0.0, 5e5, 0.0, -20.0, 5.3e6)},
    "polar": {"crs": "EPSG:3413", "transform": (10.0, 0.0, -9e4, 0.0, -10.0, 5e4)},
    "antimeridian": {"crs": "EPSG:4326", "transform": (1e-4, 2e-5, 179.98, 1e-5, -1e-4, -40.0)},
    "mirrored": {"crs": "EPSG:32633", "transform": (10.0, 0.0, 5e5, 0.0, 10.0, 5.3e6)},
    "control points": {"gcps": GCPS, "gcp_crs": "EPSG:4326"},
}


def position_of(name: str) -> Position:
    found = locate(RasterInfo(SIDE, SIDE, 1, "uint16", **SCENES[name]))
    assert found is not None
    return found


@pytest.mark.parametrize("name", SCENES)
def test_rectangles_have_the_length_width_and_azimuth(name: str) -> None:
    rng, position = np.random.default_rng(5), position_of(name)
    centres = rng.uniform(0, SIDE, (50, 2))
    length, width, heading = rng.uniform(20, 420, 50), rng.uniform(5, 70, 50), rng.uniform(0, 180, 50)
    pixels, lonlat = turned_rectangles(position, centres, length, width, heading)
    middle = position.lonlat(centres)
    for i, corners in enumerate(lonlat):
        ends = [GEOD.npts(*corners[a], *corners[b], 1)[0] for a, b in ((2, 3), (0, 1))]
        azimuth, _, metres = GEOD.inv(*middle[i], *ends[1])
        assert metres == pytest.approx(length[i] / 2, abs=0.01)
        assert GEOD.inv(*ends[0], *ends[1])[2] == pytest.approx(length[i], abs=0.01)
        assert (azimuth - heading[i] + 180) % 360 - 180 == pytest.approx(0, abs=0.01)
        for a, b in ((0, 1), (2, 3)):
            assert GEOD.inv(*corners[a], *corners[b])[2] == pytest.approx(width[i], abs=0.01)
    seen = position.lonlat(pixels.reshape(-1, 2))
    apart = GEOD.inv(*seen.T, *lonlat.reshape(-1, 2).T)[2]
    assert apart.max() < 0.5, "the corners in pixels are the same places"


@pytest.mark.parametrize("name", ["rotated UTM", "control points", "pixels twice as long as wide"])
def test_the_measured_ends_of_a_ship_lie_on_its_rectangle(name: str) -> None:
    """Places of a shape whose ends and sides are pixels: the outline ends where the ship was seen to end."""
    axis = np.array([9.0, 4.0])
    middle = np.array([200.0, 150.0])
    shape = Shape((200.0, 150.0), (9.0, 4.0), (-0.5, 1.0), (0.05, 0.1), elongated=True, contrast_db=20.0)
    found = places(np.array([[190, 140, 210, 160]], np.float32), position_of(name), [shape])
    corners = found.oriented_px[0]
    ends = sorted([corners[:2].mean(axis=0).tolist(), corners[2:].mean(axis=0).tolist()])
    assert np.abs(ends - np.array([middle - axis, middle + axis])).max() < 0.02


def test_what_was_not_measured_has_no_rectangle() -> None:
    rounded = Shape((9.0, 9.0), (2.0, 0.0), (0.0, 2.0), (0.3, 0.3), elongated=False, contrast_db=9.0)
    boxes = np.array([[0, 0, 9, 9], [5, 5, 9, 9]], np.float32)
    for position in (position_of("degrees"), None):
        found = places(boxes, position, [rounded, UNKNOWN])
        for corners in (found.oriented_lonlat, found.oriented_px):
            assert corners.shape == (2, 4, 2)
            assert np.isnan(corners).all()
    beyond = locate(RasterInfo(9, 9, 1, "uint8", crs="EPSG:4326", transform=(1.0, 0, 0, 0, 0.0, 0)))
    assert beyond is not None
    one = np.ones(1)
    assert np.isnan(turned_rectangles(beyond, np.ones((1, 2)), one, one, one)[1]).all(), "a scene flattened to a line"
