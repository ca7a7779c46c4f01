"""Tie points of a TIFF: read where GDAL gives none, left alone where it does or where the transform agrees."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from refinedet.errors import InputError
from refinedet.geo.position import locate
from refinedet.raster import open_scene
from refinedet.raster.checks.tiff import MAX_SNAP_BYTES
from tests.refinedet.snap_tiff import place, tie_point_grid, write_snap_tiff

SEA = np.full((300, 400), 50, np.float32)
POINTS = np.random.default_rng(0).random((500, 2)) * [400, 300]


@pytest.mark.parametrize("scale", [1, None])
@pytest.mark.parametrize("grid", [(10, 21), (150, 200)], ids=["210 points", "30,000 points"])
def test_a_scene_of_many_tie_points_lies_where_they_say(
    tmp_path: Path, grid: tuple[int, int], scale: float | None
) -> None:
    path = write_snap_tiff(
        tmp_path / "snap.tif", SEA, tie_point_grid(300, 400, *grid), b"<Dimap_Document/>", scale=scale
    )
    began = time.process_time()
    with open_scene(path) as reader:
        info = reader.info
    position = locate(info)
    assert position is not None
    found = position.lonlat(POINTS)
    assert time.process_time() - began < 10
    assert len(info.gcps) == grid[0] * grid[1]
    assert info.transform is None
    np.testing.assert_allclose(found, np.stack(place(*POINTS.T), axis=1), atol=1e-9)


def test_scattered_tie_points_are_right_too(tmp_path: Path) -> None:
    x, y = (np.random.default_rng(1).random((12_000, 2)) * [400, 300]).T
    rows = np.stack([x, y, 0 * x, *place(x, y), 0 * x], axis=1)
    rows[7, 3] = np.nan
    with open_scene(write_snap_tiff(tmp_path / "snap.tif", SEA, rows)) as reader:
        position = locate(reader.info)
    assert position is not None
    np.testing.assert_allclose(position.lonlat(POINTS), np.stack(place(*POINTS.T), axis=1), atol=1e-6)


def test_a_transform_that_agrees_with_its_tie_points_is_left_alone(tmp_path: Path) -> None:
    corners = np.array([[x, y, 0.0, 1e-4 * x, -1e-4 * y, 0.0] for x in (0, 400) for y in (0, 300)], np.float64)
    with open_scene(write_snap_tiff(tmp_path / "plain.tif", SEA, corners, scale=1e-4)) as reader:
        assert reader.info.gcps == ()
        assert reader.info.transform == (1e-4, 0, 0, 0, -1e-4, 0)
    profile = {"driver": "GTiff", "width": 400, "height": 300, "count": 1, "dtype": "float32", "crs": "EPSG:32632"}
    with rasterio.open(tmp_path / "utm.tif", "w", transform=from_origin(5e5, 6e6, 10, 10), **profile) as out:
        out.write(SEA, 1)
    with open_scene(tmp_path / "utm.tif") as reader:
        assert reader.info.gcps == ()
        assert reader.info.transform is not None


def test_megabytes_of_xml_pass_in_its_own_tag_alone(tmp_path: Path) -> None:
    grid = tie_point_grid(300, 400, 5, 6)
    with open_scene(
        write_snap_tiff(tmp_path / "snap.tif", SEA, grid, b"<Dimap_Document/>" + b" " * (9 << 20))
    ) as reader:
        assert reader.read_whole().shape == SEA.shape
    other = bytearray((tmp_path / "snap.tif").read_bytes())
    other[other.index(b"\xfd\xe8\x00\x02") + 1] += 1  # tag 65000 -> 65001
    (tmp_path / "other.tif").write_bytes(other)
    with pytest.raises(InputError, match="in tag 65001"), open_scene(tmp_path / "other.tif"):
        pass
    write_snap_tiff(tmp_path / "vast.tif", SEA, grid, b" " * (MAX_SNAP_BYTES + 1))
    with pytest.raises(InputError, match="in tag 65000"), open_scene(tmp_path / "vast.tif"):
        pass
