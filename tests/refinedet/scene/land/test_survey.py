"""Ships and the land: distances against geodesics, flags, drops, and what is said where the land is not known."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import Geod, Transformer

from refinedet.config.options.land import COAST_RANGE_M, LandSettings
from refinedet.errors import InputError
from refinedet.geo.position import Position
from refinedet.scene.land import survey as module
from refinedet.scene.land.survey import survey
from tests.refinedet.scene.land.around import ACROSS, PIXEL_M, SIDE_PX, boxes_at, judged, scene, write

GEOD = Geod(ellps="WGS84")


def geodesic_coast_m(island: shapely.Polygon, crs: str, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """The oracle: by geodesics to points every 50 m or less along the coast, one by one."""
    corners = shapely.get_coordinates(island)
    steps = np.linspace(0, 1, 1000, endpoint=False)[:, None]
    points = np.concatenate([a + (b - a) * steps for a, b in pairwise(corners)])
    lon, lat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(*points.T)
    nearest = []
    for place in places:
        here = np.broadcast_to(place, (len(lon), 2))
        nearest.append(GEOD.inv(*here.T, lon, lat)[2].min())
    return np.array(nearest)


@settings(max_examples=40)
@given(
    lon=st.sampled_from([0.0, 12.3, -179.95, 180.0, 179.5]) | st.floats(-180, 180),
    lat=st.sampled_from([0.0, 60.0, -78.0, 89.7, 90.0, -89.9]) | st.floats(-90, 90),
    seed=st.integers(0, 1000),
)
def test_distances_are_those_of_geodesics_all_over_the_earth(
    tmp_path_factory: pytest.TempPathFactory, lon: float, lat: float, seed: int
) -> None:
    """An island of eight corners, 3 to 30 km from the middle of the scene, in degrees or, near a pole, on a plane."""
    rng = np.random.default_rng(seed)
    position = scene(lon, lat)
    around = np.sort(rng.uniform(0, 360, 8))
    island_lonlat = np.stack(GEOD.fwd(np.full(8, lon), np.full(8, lat), around, rng.uniform(3e3, 3e4, 8))[:2], axis=1)
    crs = "EPSG:4326" if abs(lat) < 80 else "EPSG:3413" if lat > 0 else "EPSG:3031"
    if crs == "EPSG:4326":  # as drawn by hand: on past 180 degrees, without a jump
        corners = island_lonlat
        corners[:, 0] = lon + (corners[:, 0] - lon + 180) % 360 - 180
    else:
        corners = np.stack(Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(*island_lonlat.T), axis=1)
    island = shapely.Polygon(corners)
    path = write(tmp_path_factory.mktemp("land") / "island.geojson", [island], crs)
    pixels = rng.uniform(0, SIDE_PX, (25, 2))
    found = judged(position, pixels, land=path, land_buffer_m=0)
    places = position.lonlat(pixels)
    np.testing.assert_allclose(found.coast_m, geodesic_coast_m(island, crs, places), rtol=0.01, atol=30)

    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(*places.T)
    x = lon + (x - lon + 180) % 360 - 180 if crs == "EPSG:4326" else x
    clear = found.coast_m > 30
    flagged = np.array([flag == ("land",) for flag in found.flags])
    np.testing.assert_array_equal(flagged[clear], shapely.contains_xy(island, x, y)[clear])


def test_land_and_shore_are_told_by_the_buffer(half: Path) -> None:
    found = judged(scene(10, 0), ACROSS, land=half, land_buffer_m=500)
    assert found.flags == (("land",), ("land",), ("shore",), ("shore",), (), ())
    np.testing.assert_allclose(found.coast_m, [3000, 700, 400, 400, 700, 3000], rtol=1e-3)
    assert found.keep.all()
    assert found.dropped == {}


def test_a_wider_buffer_makes_less_land(half: Path) -> None:
    found = judged(scene(10, 0), ACROSS, land=half, land_buffer_m=1000)
    assert found.flags == (("land",), *[("shore",)] * 4, ())


def test_drops_are_those_on_land_beyond_the_buffer_and_counted(half: Path) -> None:
    found = judged(scene(10, 0), ACROSS, land=half, land_mask="drop")
    assert found.keep.tolist() == [False, False, True, True, True, True]
    assert found.flags == (("shore",), ("shore",), (), ())
    assert len(found.coast_m) == 4
    assert found.dropped == {"land": 2}


def test_places_inland_are_those_where_everything_is_on_land(half: Path) -> None:
    position = scene(10, 0)
    known = survey(position, SIDE_PX, SIDE_PX, LandSettings(land=half, land_mask="drop", land_buffer_m=500))
    starts = np.arange(0, SIDE_PX, 10.0)
    columns = np.stack([starts, 0 * starts, starts + 100, 0 * starts + SIDE_PX], axis=1)  # the coast is at 500
    sure = known.inland(columns)
    for column, inland in zip(columns, sure, strict=True):
        inside = boxes_at(np.stack(np.meshgrid(np.linspace(*column[::2], 21), [1, 500, 999]), -1))
        assert not inland or not known.judge(inside).keep.any()
    assert sure.tolist() == (columns[:, 2] <= 500 - 1.05 * 500 / PIXEL_M).tolist()
    flagged = survey(position, SIDE_PX, SIDE_PX, LandSettings(land=half))
    np.testing.assert_array_equal(flagged.inland(columns), sure)
    off = survey(position, SIDE_PX, SIDE_PX, LandSettings(land_mask="off"))
    assert not off.inland(columns).any()
    assert known.inland(np.zeros((0, 4))).shape == (0,)


def test_off_looks_at_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "coastline", lambda *_: pytest.fail("the coastline was asked for"))
    found = judged(scene(10, 0), ACROSS, land_mask="off")
    assert np.isnan(found.coast_m).all()
    assert found.flags == ((),) * len(ACROSS)


def test_a_coast_beyond_the_range_has_no_distance_but_land_is_land(tmp_path: Path) -> None:
    assert COAST_RANGE_M == 100_000
    far = judged(scene(10, 0), [[500, 500]], land=write(tmp_path / "a.geojson", [shapely.box(10.91, -5, 12, 5)]))
    assert np.isnan(far.coast_m).all()
    near = judged(scene(10, 0), [[500, 500]], land=write(tmp_path / "b.geojson", [shapely.box(10.89, -5, 12, 5)]))
    assert near.coast_m == pytest.approx([99_000], rel=0.001)
    inland = judged(scene(10, 0), [[500, 500]], land=write(tmp_path / "c.geojson", [shapely.box(0, -9, 20, 9)]))
    assert np.isnan(inland.coast_m).all()
    assert inland.flags == (("land",),)


def test_a_file_that_ends_before_the_scene_says_nothing_of_it(tmp_path: Path) -> None:
    found = judged(scene(10, 0), ACROSS, land=write(tmp_path / "a.geojson", [shapely.box(50, 50, 51, 51)]))
    assert np.isnan(found.coast_m).all()
    assert set(found.flags) == {()}


def test_places_on_land_are_looked_for_where_land_is_near(half: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = survey(scene(10, 0), SIDE_PX, SIDE_PX, LandSettings(land=half))
    found = known.on_land(np.array([[100.0, 500.0], [499, 10], [501, 10], [900, 500]]))
    assert found is not None
    assert found.tolist() == [True, True, False, False]
    assert known.land_at(np.array([[np.nan, 0.0]])) == [False]

    def none(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(shapely, "points", none)
    open_sea = known.on_land(np.array([[600.0, 500.0], [900, 500]]))
    assert open_sea is not None
    assert open_sea.tolist() == [False, False]


def test_land_may_come_in_another_reference_system_and_in_neighbouring_pieces(tmp_path: Path) -> None:
    """The eastern half in Mercator metres, cut into countries in the middle of the scene."""
    merc = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True)
    (x0, x1), (y0, y1, y2) = merc.transform([10, 15], [0, 0])[0], merc.transform([0, 0, 0], [-5, 0, 5])[1]
    countries = [shapely.box(x0, y0, x1, y1), shapely.box(x0, y1, x1, y2)]
    pixels = [[500 + 5000 / PIXEL_M, 500.1], [500 - 5000 / PIXEL_M, 500]]
    found = judged(scene(10, 0), pixels, land=write(tmp_path / "a.geojson", countries, "EPSG:3857"))
    assert found.flags == (("land",), ())
    np.testing.assert_allclose(found.coast_m, 5000, rtol=1e-3)


def test_a_coastline_without_an_inside_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "line.geojson", [shapely.LineString([(10, -1), (10, 1)])])
    with pytest.raises(InputError, match=r"polygons of land in .*line\.geojson, found a LineString"):
        judged(scene(10, 0), ACROSS, land=path)


def test_no_detections_and_places_that_are_not_known_are_no_trouble(half: Path) -> None:
    assert judged(scene(10, 0), np.zeros((0, 2)), land=half, land_mask="drop").flags == ()
    beyond = Position(lambda pixels: np.where(pixels > 900, np.nan, [10.0, 0.0]) - pixels / 1e6)
    found = judged(beyond, [[990, 990], [10, 10]], land=half)
    assert np.isnan(found.coast_m).tolist() == [True, False]
    assert found.flags == ((), ("shore",))


REAL = {
    # middle of a scene, and places in it: lon, lat, on land, metres to the coast at least and at most
    "Hardanger": ((6.4, 60.25), [(6.6, 60.2, True, 200, 20e3), (6.2, 60.27, False, 100, 3000)]),
    "Taveuni, across 180 degrees": (
        (180.0, -16.9),
        [(-179.92, -16.83, True, 2e3, 9e3), (179.968, -16.904, True, 1e3, 9e3), (179.85, -17.05, False, 5e3, 30e3)],
    ),
    "South Pole": ((0.0, -90.0), [(0.0, -89.99, True, np.nan, np.nan), (170.0, -89.95, True, np.nan, np.nan)]),
}


@pytest.mark.usefixtures("real_coastline")
@pytest.mark.parametrize("name", REAL)
def test_the_coastline_of_the_package_knows_real_places(name: str) -> None:
    (lon, lat), places = REAL[name]
    known = np.array(places)
    plane = Transformer.from_crs("EPSG:4326", f"+proj=aeqd +lon_0={lon} +lat_0={lat} +datum=WGS84", always_xy=True)
    x, y = plane.transform(known[:, 0], known[:, 1])
    pixels = SIDE_PX / 2 + np.stack([x, -y], axis=1) / PIXEL_M
    found = judged(scene(lon, lat), pixels, land_mask="flag", land_buffer_m=100)
    assert [flag == ("land",) for flag in found.flags] == [place[2] for place in places]
    assert ((found.coast_m > known[:, 3]) & (found.coast_m < known[:, 4]) | np.isnan(known[:, 3])).all(), found.coast_m
    np.testing.assert_array_equal(np.isnan(found.coast_m), np.isnan(known[:, 3]))
