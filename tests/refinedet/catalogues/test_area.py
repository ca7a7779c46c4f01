"""Areas that people ask for, as catalogues are asked for them and as footprints cover them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from refinedet.catalogues.area import Area, on_earth
from refinedet.errors import InputError


def write(path: Path, *geometries: Any, **more: Any) -> Path:
    features = [{"type": "Feature", "geometry": shapely.geometry.mapping(one), "properties": {}} for one in geometries]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **more}))
    return path


def test_a_box_is_asked_for_as_a_box() -> None:
    area = Area.of_box((-5, 48, -3, 50))
    assert area.query() == {"bbox": [-5, 48, -3, 50]}
    assert area.told == "5W to 3W, 48N to 50N"
    assert area.share(shapely.box(-4, 48, 0, 50)) == pytest.approx(0.5, abs=1e-3)
    assert area.share(shapely.box(0, 48, 1, 50)) == 0


@pytest.mark.parametrize(
    "bbox", [(3, 50, 3, 51), (2, 51, 3, 50), (2, 50, 3, 91), (190, 50, 191, 51), (2, float("nan"), 3, 51)]
)
def test_what_is_no_box_is_told(bbox: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="expected `bbox` as west, south, east, north in degrees"):
        Area.of_box(bbox)


def test_a_file_in_metres_is_turned_to_degrees(tmp_path: Path) -> None:
    x, y = Transformer.from_crs(4326, 32631, always_xy=True).transform([2, 3], [50, 51])
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32631"}}
    area = Area.of_file(write(tmp_path / "a.geojson", shapely.box(x[0], y[0], x[1], y[1]), crs=crs))
    np.testing.assert_allclose(area.shape.bounds, (2, 50, 3, 51), atol=0.03)
    assert area.query()["intersects"]["type"] == "Polygon"


def test_a_polygon_beyond_180_degrees_is_cut_and_turned_back(tmp_path: Path) -> None:
    area = Area.of_file(write(tmp_path / "a.geojson", shapely.box(179, -18, 181, -16)))
    assert area.query()["intersects"]["type"] == "MultiPolygon"
    np.testing.assert_allclose(sorted(part.bounds[0] for part in shapely.get_parts(area.shape)), [-180, 179])
    assert area.share(shapely.box(-180, -18, -179, -16)) == pytest.approx(0.5, abs=1e-3)


def test_parts_that_touch_become_one_and_long_shapes_few_corners_that_hold_them(tmp_path: Path) -> None:
    rough = shapely.Point(2, 50).buffer(1, quad_segs=400).union(shapely.box(2, 50, 4, 50.1))
    area = Area.of_file(write(tmp_path / "a.geojson", rough, shapely.box(4, 50, 5, 51)))
    asked = shapely.geometry.shape(area.query()["intersects"])
    assert shapely.get_num_coordinates(asked) <= 300
    assert asked.is_valid
    assert asked.buffer(1e-9).contains(area.shape)


def test_an_area_of_more_than_half_the_earth_is_told(tmp_path: Path) -> None:
    area = Area.of_file(write(tmp_path / "a.geojson", shapely.box(-179, 0, 179, 1)))
    assert "is 358 degrees wide: cut it at the antimeridian if it crosses" in area.notes[0]


@pytest.mark.parametrize(
    "geometry",
    [
        None,
        {},
        {"type": "Point", "coordinates": [1, 2]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, "x"], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1e400, 1], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0, [1]], [1, 1], [1, 0], [0, 0]]]},
    ],
)
def test_a_footprint_of_no_use_is_none(geometry: Any) -> None:
    assert on_earth(geometry) is None


def test_a_footprint_that_jumps_at_the_antimeridian_is_not_drawn_around_the_earth() -> None:
    ring = [[179, -18], [-179, -18], [-179, -16], [179, -16], [179, -18]]
    found = on_earth({"type": "Polygon", "coordinates": [ring]})
    assert found is not None
    assert found.area == pytest.approx(4)
