"""Write the coastline of the package from the full-resolution GSHHG shoreline in the package `roaring-landmask`.

    pip install roaring-landmask
    python -m pipeline.package_coastline

It takes some minutes and a gigabyte of memory. Equal versions of the packages give equal bytes.
"""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Iterator
from importlib import metadata

import numpy as np
import shapely

from refinedet.files import atomic_path
from refinedet.geo.reference import Shapes
from refinedet.scene.land.coastline import CELL_DEG, COASTLINE, UNITS, cell_name, pack_cell

_LOG = logging.getLogger(__name__)
_TOLERANCE_DEG = 0.0009
"""Largest displacement of a coast: 100 m."""
_DATE = (1980, 1, 1, 0, 0, 0)
_ABOUT = """Coastline of the earth in cells of 3 degrees, for refinedet.

Derived from GSHHG (A Global Self-consistent, Hierarchical, High-resolution Geography Database), full resolution,
level 1, by Paul Wessel (University of Hawaii) and Walter H. F. Smith (NOAA):
https://www.soest.hawaii.edu/pwessel/gshhg/
Taken from the package roaring-landmask {version}, simplified to 100 m and cut into cells by
pipeline/package_coastline.py of refinedet.

GSHHG and this copy are under the GNU Lesser General Public License, version 3 or later:
https://www.gnu.org/licenses/lgpl-3.0.html
"""


def main() -> None:
    """Write the archive in the package."""
    from roaring_landmask import LandmaskProvider
    from roaring_landmask import Shapes as Packed

    earth = shapely.get_parts(shapely.from_wkb(Packed.wkb(LandmaskProvider.Gshhg)))
    land = np.asarray(shapely.simplify(earth, _TOLERANCE_DEG, preserve_topology=True), object)
    about = _ABOUT.format(version=metadata.version("roaring-landmask"))
    with atomic_path(COASTLINE) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        _write(archive, "LICENSE.txt", about.encode())
        for cell, polygons in sorted(_cells(land, (-180, -90, 180, 90)), key=lambda one: one[0]):
            _write(archive, cell_name(cell), pack_cell(polygons))
    _LOG.info("%s: %.1f MB", COASTLINE, COASTLINE.stat().st_size / 1e6)


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _DATE), content, zipfile.ZIP_DEFLATED, 9)


def _cells(land: Shapes, box: tuple[int, int, int, int]) -> Iterator[tuple[tuple[int, int], Shapes]]:
    """Polygons of each cell with land in a box; halves are halved again, so that a continent is cut rarely."""
    west, south, east, north = box
    if len(land) == 0:
        return
    if east - west > CELL_DEG or north - south > CELL_DEG:
        for half in _halves(box):
            yield from _cells(_clipped(land, half), half)
        return
    units = shapely.transform(land, lambda xy: (xy - (west, south)) * UNITS)
    whole = shapely.get_parts(shapely.union_all(shapely.set_precision(units, 1.0)))
    polygons = whole[shapely.get_dimensions(whole) == 2]
    if len(polygons):
        yield (west, south), np.asarray(polygons, object)


def _halves(box: tuple[int, int, int, int]) -> list[tuple[int, int, int, int]]:
    """Box cut across its longer side, at a corner of a cell."""
    west, south, east, north = box
    if east - west >= north - south:
        middle = west + (east - west) // CELL_DEG // 2 * CELL_DEG
        return [(west, south, middle, north), (middle, south, east, north)]
    middle = south + (north - south) // CELL_DEG // 2 * CELL_DEG
    return [(west, south, east, middle), (west, middle, east, north)]


def _clipped(land: Shapes, box: tuple[int, int, int, int]) -> Shapes:
    bounds = shapely.bounds(land)
    inside = (bounds[:, :2] >= box[:2]).all(axis=1) & (bounds[:, 2:] <= box[2:]).all(axis=1)
    near = (bounds[:, :2] < box[2:]).all(axis=1) & (bounds[:, 2:] > box[:2]).all(axis=1) & ~inside
    pieces = shapely.get_parts(shapely.intersection(land[near], shapely.box(*box)))
    return np.concatenate([land[inside], pieces[shapely.get_dimensions(pieces) == 2]])


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
