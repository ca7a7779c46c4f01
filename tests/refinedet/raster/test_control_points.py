"""Ground control points on disk: which convention they are in, and that they come back as given."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from refinedet.geo.position import locate
from refinedet.raster import GroundControlPoint, RasterInfo, open_scene, write_blocks
from refinedet.raster.control_points import tells_sentinel1
from refinedet.tiling import Window

PIXELS = [(Window(0, 0, 80, 100), np.ones((80, 100), np.uint16))]
COLUMNS, LINES = (0.0, 50.0, 99.0), (0.0, 79.0)
POINTS = tuple(GroundControlPoint(c, r, 7 + c / 1e4, 54 - r / 1e4, 12.5) for c in COLUMNS for r in LINES)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"TIFFTAG_IMAGEDESCRIPTION": "Sentinel-1A IW GRD HR L1"}, True),
        ({"TIFFTAG_SOFTWARE": "Sentinel-1 IPF 003.31"}, True),
        ({"SATELLITE_IDENTIFIER": "SENTINEL-1"}, True),
        ({"SATELLITE_IDENTIFIER": "SENTINEL-2"}, False),
        ({"TIFFTAG_SOFTWARE": "ESA SNAP", "AREA_OR_POINT": "Area"}, False),
        ({}, False),
    ],
)
def test_tags_tell_the_rasters_of_esas_processor(tags: dict[str, str], *, expected: bool) -> None:
    assert tells_sentinel1(tags) is expected


def test_ground_control_points_come_back_as_given(tmp_path: Path) -> None:
    info = RasterInfo(100, 80, 1, "uint16", gcps=POINTS, gcp_crs="EPSG:4326")
    write_blocks(tmp_path / "s.tif", info, PIXELS)
    with open_scene(tmp_path / "s.tif") as scene:
        assert scene.info.gcps == POINTS
        assert scene.info.transform is None
        assert "WGS 84" in (scene.info.gcp_crs or "")


@pytest.mark.parametrize(
    ("zero", "as_measurement"), [("edge", False), ("centre", False), ("centre", True), ("edge", True)]
)
def test_a_written_scene_lies_where_its_description_says(
    tmp_path: Path, zero: Literal["edge", "centre"], *, as_measurement: bool
) -> None:
    info = RasterInfo(100, 80, 1, "uint16", gcps=POINTS, gcp_crs="EPSG:4326", gcp_zero=zero)
    write_blocks(tmp_path / "s.tif", info, PIXELS, as_measurement=as_measurement)
    with open_scene(tmp_path / "s.tif") as scene:
        found = scene.info
    whole = as_measurement and zero == "centre"
    assert (found.gcp_zero, found.gcp_evidence) == (("centre", "tags") if whole else ("edge", "assumed"))
    if as_measurement and zero == "edge":
        found = replace(found, gcp_zero="centre")  # as the product around it would tell
    places = [locate(one) for one in (info, found)]
    assert all(places)
    lonlat = [place.lonlat(np.array([[0.0, 0.0], [50.0, 40.0]])) for place in places if place is not None]
    np.testing.assert_allclose(lonlat[0], lonlat[1], atol=1e-9)


def test_the_points_of_a_file_whose_pixels_are_points_are_moved_by_gdal(tmp_path: Path) -> None:
    info = RasterInfo(100, 80, 1, "uint16", gcps=POINTS, gcp_crs="EPSG:4326")
    write_blocks(tmp_path / "s.tif", info, PIXELS)
    content = (tmp_path / "s.tif").read_bytes()
    area, point = (struct.pack("<4H", 1025, 0, 1, kind) for kind in (1, 2))  # GTRasterTypeGeoKey
    assert content.count(area) == 1
    (tmp_path / "s.tif").write_bytes(content.replace(area, point))
    with open_scene(tmp_path / "s.tif") as scene:
        assert scene.info.gcps == tuple(replace(p, pixel=p.pixel + 0.5, line=p.line + 0.5) for p in POINTS)
        assert scene.info.gcp_zero == "edge"
