"""Coastline of a region, from the shoreline that comes with the package.

Source: Wessel and Smith, A global self-consistent, hierarchical, high-resolution shoreline database (GSHHG), J.
Geophys. Res. 101 (1996), LGPL. The copy in the package holds its first level, the boundary of land and ocean, within
100 m of the full resolution. Lakes, including the Caspian Sea, count as land. `python -m pipeline.package_coastline`
writes a zip archive with an entry for each cell of 3 degrees that has land, so that a region can be read alone.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.errors import FileError
from refinedet.geo.reference import Box, Shapes
from refinedet.scene.land.region import cut_land

COASTLINE = Path(__file__).with_name("coastline.zip")
"""The archive: entries by `cell_name`, and the licence."""
CELL_DEG = 3
"""Side of a cell; cells begin at multiples of it."""
UNITS = 20_000
"""Units of a coordinate per degree (at most 5.6 m each); the units of a cell fit into 16 bits."""


def coastline(boxes: list[Box]) -> Shapes:
    """Land polygons in degrees within the boxes.

    Raises:
        FileError: the copy in the package cannot be read.
    """
    try:
        archive = _archive(COASTLINE)
        known = set(archive.namelist())
        cells = {cell for box in boxes for cell in cells_of(box)}
        pieces = [
            unpack_cell(archive.read(cell_name(cell)), cell) for cell in sorted(cells) if cell_name(cell) in known
        ]
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        raise FileError(
            f"expected the coastline that comes with refinedet at {COASTLINE}, but it cannot be read ({error}); "
            'install refinedet anew, name polygons of your own with `land`, or set `land_mask` to "off"'
        ) from error
    return cut_land(np.concatenate([np.zeros(0, object), *pieces]), boxes, degrees=True)


@cache
def _archive(path: Path) -> zipfile.ZipFile:
    """Archive of cells, which stays open, because reading its list takes longer than reading the cells of a scene."""
    return zipfile.ZipFile(path)


def cells_of(box: Box) -> Iterator[tuple[int, int]]:
    """South-western corners, in whole degrees, of the cells that a box of longitude and latitude touches."""
    west, south, east, north = (math.floor(side / CELL_DEG) * CELL_DEG for side in box)
    for lat in range(south, north + 1, CELL_DEG):
        for lon in range(west, east + 1, CELL_DEG):
            yield lon, lat


def cell_name(cell: tuple[int, int]) -> str:
    """Name of a cell's entry, from its south-western corner in whole degrees."""
    return f"{cell[0]:+04d}{cell[1]:+03d}"


def pack_cell(polygons: Shapes) -> bytes:
    """Bytes of polygons whose coordinates are whole units from the corner of their cell, up to CELL_DEG * UNITS.

    Layout: number of rings; number of points of each ring (negative: a hole of the polygon before); steps from point to
    point: all low bytes of x, all high bytes of x, then the same for y.
    """
    rings, holes = [], []
    for polygon in polygons:
        rings += [polygon.exterior, *polygon.interiors]
        holes += [1, *(-1 for _ in polygon.interiors)]
    points = [shapely.get_coordinates(ring)[:-1] for ring in rings]
    counts = np.array([len(some) * sign for some, sign in zip(points, holes, strict=True)], "<i4")
    steps = np.diff(np.concatenate(points).astype(np.int32), axis=0, prepend=0).astype("<u2")  # modulo 2 ** 16
    planes = steps.view(np.uint8).reshape(-1, 4).T
    return np.array([len(counts)], "<i4").tobytes() + counts.tobytes() + np.ascontiguousarray(planes).tobytes()


def unpack_cell(packed: bytes, cell: tuple[int, int]) -> Shapes:
    """Polygons in degrees of a cell, by its south-western corner, from the bytes of `pack_cell`."""
    (rings,) = np.frombuffer(packed, "<i4", 1)
    counts = np.frombuffer(packed, "<i4", rings, 4)
    planes = np.frombuffer(packed, np.uint8, offset=4 + 4 * rings).reshape(4, -1)
    units = np.cumsum(np.ascontiguousarray(planes.T).view("<u2"), axis=0, dtype=np.uint16)
    degrees: NDArray[np.float64] = units / UNITS + np.array(cell, np.float64)
    lines = shapely.linearrings(degrees, indices=np.repeat(np.arange(rings), np.abs(counts)))
    return np.asarray(shapely.polygons(lines, indices=np.cumsum(counts > 0) - 1), object)
