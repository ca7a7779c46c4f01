"""The coastline of the package: regions anywhere, cells that fit, the full resolution within 100 m, damaged files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from refinedet.errors import FileError
from refinedet.geo.reference import Box
from refinedet.scene.land import coastline as module
from refinedet.scene.land.coastline import (
    CELL_DEG,
    COASTLINE,
    UNITS,
    cell_name,
    cells_of,
    coastline,
    pack_cell,
    unpack_cell,
)
from refinedet.scene.land.region import coast_lines, cut_land

FIJI = [(-180.0, -17.5, -179.5, -16.5), (179.5, -17.5, 180.0, -16.5)]
SIDE = CELL_DEG * UNITS


def test_land_lies_on_both_sides_of_the_antimeridian() -> None:
    found = coastline(FIJI)
    taveuni = shapely.Point(179.968, -16.904), shapely.Point(-179.92, -16.83)
    assert shapely.intersects(found[:, None], np.array(taveuni, object)).any(axis=0).all()
    assert not shapely.intersects(found, shapely.Point(179.6, -17.45)).any()


@pytest.mark.parametrize(
    ("box", "on_land"),
    [
        pytest.param((-150.0, 30.0, -147.0, 32.0), None, id="open ocean"),
        pytest.param((90.0, 40.0, 100.0, 50.0), 100.0, id="inland: the borders of cells are no coast"),
        pytest.param((-180.0, -90.0, 180.0, -89.0), 360.0, id="South Pole"),
    ],
)
def test_a_region_without_a_coast_is_all_water_or_all_land(box: Box, on_land: float | None) -> None:
    found = coastline([box])
    assert shapely.area(found).sum() == pytest.approx(on_land or 0.0)
    assert len(found) == (on_land is not None)


def test_a_coast_is_in_one_piece_across_cells() -> None:
    west, south, east, north = 5.0, 58.5, 7.0, 61.5  # cells meet at 6 degrees east and at 60 degrees north
    found = coastline([(west, south, east, north)])
    assert shapely.is_valid(found).all()
    edges = coast_lines(found, [(west + 0.1, south + 0.1, east - 0.1, north - 0.1)], degrees=True)
    length = np.hypot(*(edges[:, 1] - edges[:, 0]).T)
    for axis, at in ((0, 6.0), (1, 60.0)):
        along = (edges[:, :, axis] == at).all(axis=1)
        assert length[along].sum() < 0.001, at


def test_it_is_the_full_resolution_within_100_m() -> None:
    provider = pytest.importorskip(
        "roaring_landmask", reason="roaring-landmask has the full resolution; pip install it"
    )
    box: Box = (103.0, 0.8, 104.6, 1.8)
    earth = shapely.get_parts(shapely.from_wkb(provider.Shapes.wkb(provider.LandmaskProvider.Gshhg)))
    inner = [(box[0] + 0.1, box[1] + 0.1, box[2] - 0.1, box[3] - 0.1)]
    full, own = (
        coast_lines(land, at, degrees=True)
        for land, at in ((cut_land(earth, [box], degrees=True), inner), (coastline([box]), [box]))
    )
    points = shapely.points(full.reshape(-1, 2))
    degrees = shapely.STRtree(shapely.linestrings(own)).query_nearest(points, all_matches=False, return_distance=True)[
        1
    ]
    inside = shapely.intersects(points, shapely.box(*inner[0]))
    assert degrees[inside].max() * 111_320 < 110
    assert len(own) < len(full)


@given(st.integers(-179, 179), st.integers(-89, 89), st.floats(0.1, 20), st.floats(0.1, 20))
def test_the_cells_of_a_box_cover_it(west: int, south: int, width: float, height: float) -> None:
    box = (float(west), float(south), west + width, south + height)
    cells = list(cells_of(box))
    assert len(set(cells)) == len(cells)
    whole = shapely.union_all([shapely.box(x, y, x + CELL_DEG, y + CELL_DEG) for x, y in cells])
    assert shapely.covers(whole, shapely.box(*box))


def test_a_cell_comes_back_as_it_was_packed() -> None:
    hole = shapely.LinearRing([(10, 10), (10, 20), (20, 20)])
    shell = shapely.Polygon([(0, 0), (SIDE, 0), (SIDE, SIDE), (0, SIDE)], [hole])
    islet = shapely.Polygon([(12, 13), (13, 14), (12, 15)])
    found = unpack_cell(pack_cell(np.array([shell, islet], object)), (-6, 57))
    expected = shapely.transform(np.array([shell, islet], object), lambda xy: xy / UNITS + (-6, 57))
    assert shapely.equals(found, expected).all()


def test_the_archive_holds_cells_and_its_licence() -> None:
    with zipfile.ZipFile(COASTLINE) as archive:
        names = set(archive.namelist())
        assert b"GSHHG" in archive.read("LICENSE.txt")
    known = {cell_name(cell) for cell in cells_of((-180.0, -90.0, 179.9, 89.9))}
    assert names - {"LICENSE.txt"} <= known
    assert len(names) > 3000


@pytest.mark.parametrize("damage", ["missing", "no archive", "a cell"])
def test_a_copy_that_cannot_be_read_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    broken = tmp_path / "coastline.zip"
    content = bytearray(COASTLINE.read_bytes())
    if damage == "a cell":
        with zipfile.ZipFile(COASTLINE) as archive:
            start = archive.getinfo(cell_name((102, 0))).header_offset
        content[start + 60 : start + 90] = bytes(30)
    if damage != "missing":
        broken.write_bytes(content if damage == "a cell" else b"PK")
    monkeypatch.setattr(module, "COASTLINE", broken)
    with pytest.raises(FileError, match=r"cannot be read .*`land_mask` to"):
        coastline([(103.0, 1.0, 104.0, 2.0)])
