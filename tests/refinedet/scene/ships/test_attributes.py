"""Sizes on the ground and flags."""

from __future__ import annotations

import numpy as np
import pytest

from refinedet.boxes import as_boxes
from refinedet.detections import Detections
from refinedet.geo.position import locate
from refinedet.raster import RasterInfo
from refinedet.scene.ships.attributes import flags, places, united
from refinedet.scene.ships.shape import UNKNOWN, Shape
from refinedet.scene.windows.merge import Merged

BOXES = as_boxes([[100, 100, 130, 110], [0, 40, 10, 80]])


def test_the_longer_side_is_the_length_also_in_a_scene_turned_by_45_degrees() -> None:
    turned = RasterInfo(500, 500, 1, "uint16", crs="EPSG:32633", transform=(7.0, 7.0, 5e5, 7.0, -7.0, 5.3e6))
    pixel_m = float(np.hypot(7, 7))
    found = places(BOXES, locate(turned))
    assert found.length_m == pytest.approx([30 * pixel_m, 40 * pixel_m], rel=1e-3)
    assert found.width_m == pytest.approx([10 * pixel_m, 10 * pixel_m], rel=1e-3)


def test_a_ship_with_an_axis_is_measured_along_it_and_headed_from_true_north() -> None:
    """Pixels of 10 m that are turned: the axis (1, 1) of the picture points north."""
    turned = RasterInfo(500, 500, 1, "uint16", crs="EPSG:32633", transform=(5.0, -5.0, 5e5, -5.0, -5.0, 5.3e6))
    pixel_m = float(np.hypot(5, 5))
    diagonal = float(np.sqrt(0.5))
    shape = Shape((115.0, 105.0), (diagonal, diagonal), length_px=30, width_px=6, contrast_db=12.5)
    found = places(BOXES, locate(turned), [shape, UNKNOWN])
    assert found.length_m == pytest.approx([30 * pixel_m, 40 * pixel_m], rel=1e-3)
    assert found.width_m == pytest.approx([6 * pixel_m, 10 * pixel_m], rel=1e-3)
    assert min(found.heading_deg[0], 180 - found.heading_deg[0]) < 0.1
    assert np.isnan(found.heading_deg[1])
    assert found.contrast_db[0] == 12.5


@pytest.mark.parametrize("count", [0, 2])
def test_without_a_position_everything_is_unknown(count: int) -> None:
    found = places(BOXES[:count], None)
    assert found.corners_lonlat.shape == (count, 4, 2)
    assert found.centres_lonlat.shape == (count, 2)
    assert np.isnan(found.length_m).all()
    assert np.isnan(found.width_m).all()


def test_no_ships_in_a_scene_with_a_position() -> None:
    found = places(BOXES[:0], locate(RasterInfo(9, 9, 1, "uint8", crs="EPSG:4326", transform=(1.0, 0, 0, 0, -1.0, 0))))
    assert found.corners_lonlat.shape == (0, 4, 2)
    assert found.length_m.shape == found.width_m.shape == (0,)


def test_flags_are_named_per_ship() -> None:
    boxes = as_boxes([[5, 5, 9, 9], [0, 5, 9, 9], [5, 5, 9, 100], [5, 0.5, 9, 9]])
    merged = Merged(
        Detections.of(boxes, [0.9, 0.8, 0.7, 0.6], [0] * 4),
        joined=np.array([False, False, True, False]),
        cut=np.array([True, False, False, False]),
    )
    assert flags(merged, 200, 100) == (("cut",), ("edge",), ("edge", "joined"), ("edge",))


def test_flags_of_several_sources_are_united_in_order() -> None:
    assert united((("edge",), (), ("cut", "joined")), (("land",), ("shore",), ("cut",))) == (
        ("edge", "land"),
        ("shore",),
        ("cut", "joined"),
    )
