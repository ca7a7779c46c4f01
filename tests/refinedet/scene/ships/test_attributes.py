"""Sizes on the ground and flags."""

from __future__ import annotations

import numpy as np
import pytest

from refinedet.boxes import as_boxes
from refinedet.detections import Detections
from refinedet.geo.position import locate
from refinedet.raster import RasterInfo
from refinedet.scene.ships.attributes import flags, places, united
from refinedet.scene.ships.measuring.shape import UNKNOWN, Shape
from refinedet.scene.windows.merge import Merged

TURNED = RasterInfo(500, 500, 1, "uint16", crs="EPSG:32633", transform=(5.0, -5.0, 5e5, -5.0, -5.0, 5.3e6))
PIXEL_M = float(np.hypot(5, 5))
BOXES = as_boxes([[100, 100, 130, 110], [0, 40, 10, 80]])


def shape(length: float, width: float, blur: tuple[float, float], *, elongated: bool = True) -> Shape:
    """Shape in the first box, along the diagonal of the picture."""
    half = float(np.sqrt(0.5)) / 2
    axis, side = (half * length, half * length), (-half * width, half * width)
    return Shape((115.0, 105.0), axis, side, blur, elongated, contrast_db=12.5)


def test_a_ship_is_measured_along_its_axis_and_headed_from_true_north() -> None:
    """Pixels of 7 m that are turned: the axis (1, 1) of the picture points north."""
    found = places(BOXES, locate(TURNED), [shape(30, 10, (0.05, 0.1)), UNKNOWN])
    assert found.length_m[0] == pytest.approx(30 * PIXEL_M, rel=1e-3)
    assert found.width_m[0] == pytest.approx(10 * PIXEL_M, rel=1e-3)
    assert min(found.heading_deg[0], 180 - found.heading_deg[0]) < 0.1
    assert found.contrast_db[0] == 12.5
    for name in ("length_m", "length_m_low", "length_m_high", "width_m", "heading_deg"):
        assert np.isnan(getattr(found, name)[1]), "nothing is told of a ship without a shape"


def test_a_round_ship_has_a_length_but_no_heading() -> None:
    found = places(BOXES[:1], locate(TURNED), [shape(5, 4, (0.4, 0.5), elongated=False)])
    assert np.isfinite(found.length_m[0])
    assert np.isnan(found.heading_deg[0])


def test_the_interval_is_wider_where_the_sensor_is_coarser() -> None:
    fine, coarse = (places(BOXES[:1], locate(TURNED), [shape(8, 2, (blur, blur))]) for blur in (0.05, 0.3))
    for found in (fine, coarse):
        assert 0 < found.length_m_low[0] < found.length_m[0] < found.length_m_high[0]
        assert found.length_m_low[0] * found.length_m_high[0] == pytest.approx(found.length_m[0] ** 2)
    assert fine.length_m_high[0] == pytest.approx(1.21 * fine.length_m[0], rel=0.01)
    assert coarse.length_m_high[0] == pytest.approx(1.49 * coarse.length_m[0], rel=0.01)


@pytest.mark.parametrize(("blur", "share"), [(0.6, 0.0), (0.4, 0.5), (0.2, 1.0)], ids=["coarse", "between", "fine"])
def test_a_width_that_the_sensor_does_not_resolve_follows_from_the_length(blur: float, share: float) -> None:
    found = places(BOXES[:1], locate(TURNED), [shape(20, 6, (0.1, blur))])
    usual, measured = 0.14 * 20 * PIXEL_M + 1.7, 6 * PIXEL_M
    assert found.width_m[0] == pytest.approx(usual + share * (measured - usual), rel=1e-3)


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
