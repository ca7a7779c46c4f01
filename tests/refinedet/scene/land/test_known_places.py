"""Known places without ships: exclusions, platforms and fixed things."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shapely
from pyproj import Transformer

from tests.refinedet.scene.land.around import ACROSS, PIXEL_M, judged, scene, write


def test_exclusions_drop_what_is_at_points_and_in_polygons(tmp_path: Path) -> None:
    position = scene(179.99, 10)
    (turbine,) = position.lonlat(np.array([[500.0, 500.0]]))
    park = shapely.box(180.05, 9.95, 180.1, 10.05)  # drawn on past 180 degrees
    path = write(tmp_path / "known.geojson", [shapely.Point(turbine), park])
    (inside_park,) = np.stack(
        Transformer.from_crs("EPSG:4326", "+proj=aeqd +lon_0=179.99 +lat_0=10", always_xy=True).transform(
            [-179.92], [10]
        ),
        axis=1,
    )
    there = [500 + inside_park[0] / PIXEL_M, 500 - inside_park[1] / PIXEL_M]
    pixels = [[500, 500], [500 + 90 / PIXEL_M, 500], [500 + 110 / PIXEL_M, 500], there, [500, 900]]
    found = judged(position, pixels, land_mask="off", exclude=path)
    assert found.keep.tolist() == [False, False, True, False, True]
    assert found.dropped == {"excluded": 3}
    assert judged(position, pixels, land_mask="off", exclude=path, exclude_m=150).dropped == {"excluded": 4}


def test_what_lies_at_a_known_platform_is_flagged_and_kept(half: Path, tmp_path: Path) -> None:
    position = scene(10, 0)
    (turbine,) = position.lonlat(np.array([[700.0, 500.0]]))
    path = write(tmp_path / "known.geojson", [shapely.Point(turbine)])
    pixels = [[700, 500], [700 + 90 / PIXEL_M, 500], [700 + 110 / PIXEL_M, 500]]
    expected = [("platform",), ("platform",), ()]
    assert list(judged(position, pixels, land_mask="off", platforms=path).flags) == expected
    found = judged(position, pixels, land=half, platforms=path, platforms_m=150)
    assert all("platform" in names for names in found.flags)
    assert found.keep.all()
    assert judged(position, pixels, land_mask="off", platforms=path, exclude=path).dropped == {"excluded": 2}


def test_what_lies_at_a_fixed_thing_is_flagged_and_kept(tmp_path: Path) -> None:
    position = scene(10, 0)
    (thing,) = position.lonlat(np.array([[700.0, 500.0]]))
    path = write(tmp_path / "fixed.geojson", [shapely.Point(thing)])
    pixels = [[700, 500], [700 + 90 / PIXEL_M, 500], [700 + 110 / PIXEL_M, 500]]
    found = judged(position, pixels, land_mask="off", fixed=path)
    assert list(found.flags) == [("fixed",), ("fixed",), ()]
    assert found.keep.all()
    both = judged(position, pixels, land_mask="off", fixed=path, fixed_m=150, platforms=path)
    assert list(both.flags) == [("fixed", "platform"), ("fixed", "platform"), ("fixed",)]


def test_a_detection_is_dropped_for_one_reason(half: Path, tmp_path: Path) -> None:
    known = write(tmp_path / "known.geojson", [shapely.box(9, -1, 10.001, 1)])
    found = judged(scene(10, 0), ACROSS, land=half, exclude=known, land_mask="drop")
    assert found.dropped == {"excluded": 3}
    assert int((~found.keep).sum()) == 3
