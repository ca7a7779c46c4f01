"""Areas that were not measured: their outlines for the record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from scipy import ndimage

from refinedet.ais.results.told import missing_told
from refinedet.geo.pixels import pixels_of
from refinedet.geo.position import locate
from refinedet.raster import RasterInfo, write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.search.missing_areas import _opened, missing_areas

INFO = RasterInfo(2000, 1500, 1, "uint16", crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5e6))


def area_px(preview: np.ndarray) -> shapely.Geometry:
    """The areas as the record has them, back in pixels of the scene."""
    position = locate(INFO)
    assert position is not None
    areas = missing_areas(preview, INFO, position)
    assert json.loads(json.dumps(areas)) == areas
    told = missing_told({"missing_areas": areas})
    return shapely.transform(told, lambda lonlat: pixels_of(position, INFO.width, INFO.height, lonlat))


def test_borders_corners_and_gaps_are_outlined_and_specks_are_not() -> None:
    preview = np.full((150, 200), 100, np.uint16)
    preview[:, :20] = 0  # a border of 200 pixels of the scene
    preview[:10, 100:] = 0
    preview[60:80, 100:130] = 0
    preview[120, 50] = preview[100:102, 60:62] = 0
    found = area_px(preview)
    assert len(shapely.get_parts(found)) == 3
    expected = shapely.union_all(
        [shapely.box(0, 0, 200, 1500), shapely.box(1000, 0, 2000, 100), shapely.box(1000, 600, 1300, 800)]
    )
    assert shapely.area(shapely.symmetric_difference(found, expected)) < 0.02 * shapely.area(expected)


def test_a_hole_in_a_missing_area_stays_measured() -> None:
    preview = np.zeros((150, 200), np.uint16)
    preview[50:100, 50:150] = 100
    found = area_px(preview)
    assert shapely.area(found) == pytest.approx(2000 * 1500 - 1000 * 500, rel=0.02)
    assert not shapely.contains_xy(found, 1000, 750)


def test_a_slanted_border_has_few_corners() -> None:
    y, x = np.mgrid[:150, :200]
    preview = np.where(x < 20 + y // 8, 0, 100).astype(np.uint16)
    (rings,) = missing_areas(preview, INFO, locate(INFO)) or []
    assert len(rings[0]) < 60


def test_a_whole_scene_and_one_without_a_position_have_none() -> None:
    whole = np.full((150, 200), 100, np.uint16)
    assert missing_areas(whole, INFO, locate(INFO)) is None
    assert missing_areas(0 * whole, INFO, None) is None
    assert missing_told({}) is missing_told({"missing_areas": "x"}) is None


def test_the_record_of_a_scene_has_them(tmp_path: Path, bright_blobs: Any) -> None:
    bright_blobs.threshold = 256  # no ship
    pixels = np.random.default_rng(0).integers(80, 120, (300, 400)).astype(np.uint16)
    pixels[:, :60] = 0
    place = {"crs": "EPSG:32633", "transform": (10.0, 0, 5e5, 0, -10.0, 5e6)}
    write_scene(tmp_path / "s.tif", pixels, nodata=0, **place)
    assert missing_told(detect_scene(tmp_path / "s.tif", bright_blobs).read_as) is not None
    pixels[:, :60] = 100
    write_scene(tmp_path / "whole.tif", pixels, nodata=0, **place)
    assert "missing_areas" not in detect_scene(tmp_path / "whole.tif", bright_blobs).read_as


@pytest.mark.parametrize(("share", "shape"), [(0.1, (3, 3)), (0.5, (40, 31)), (0.8, (31, 40)), (0.97, (64, 64))])
def test_small_holes_are_left_out_as_by_an_opening(share: float, shape: tuple[int, int]) -> None:
    mask = np.random.default_rng(4).random(shape) < share
    np.testing.assert_array_equal(_opened(mask), ndimage.binary_opening(mask, np.ones((3, 3))))
