"""Ground control points in a file of the user: CSV, or the .points file of QGIS's georeferencer."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError

from refinedet.errors import FileError, InputError
from refinedet.raster import GroundControlPoint
from refinedet.raster.gdal import names_a_file

_MOST_BYTES = 4 << 20
_FEWEST = 3
_NARROW = 1e-3
"""Largest width of points, as a share of their length, at which they count as lying on a line."""
_WGS84 = "EPSG:4326"
_QGIS_CRS = "#crs:"
_COLUMNS = "pixel, line, lon, lat; or pixel, line, x, y with `crs`; or those of a .points file of QGIS"


@dataclass(frozen=True, slots=True)
class _Layout:
    """Names of the columns of pixel, line, x and y, in lower case."""

    names: tuple[str, str, str, str]
    degrees: bool = False
    """True if x and y are longitude and latitude."""
    qgis: bool = False
    """True if lines are negative and count upwards, and a column says which points are in use."""


_LAYOUTS = (
    _Layout(("pixel", "line", "lon", "lat"), degrees=True),
    _Layout(("pixel", "line", "x", "y")),
    _Layout(("sourcex", "sourcey", "mapx", "mapy"), qgis=True),
    _Layout(("pixelx", "pixely", "mapx", "mapy"), qgis=True),
)


def read_gcps(path: Path, crs: str | None, width: int, height: int) -> tuple[tuple[GroundControlPoint, ...], str]:
    """Ground control points of a file, counted from the outer edge of the first pixel, and their reference system.

    Args:
        path: the file.
        crs: reference system of x and y; None: that of the file, or none if the file holds degrees.
        width: pixels of the scene along x.
        height: pixels of the scene along y.

    Raises:
        FileError: the file cannot be read.
        InputError: it lacks the columns, has too few points, points on a line or far from the scene, or an invalid
            value; or `crs` is missing, or given for degrees.
    """
    lines = _text(path).splitlines()
    named = None
    if lines and lines[0].lower().startswith(_QGIS_CRS):
        named = _wkt_of(path, lines.pop(0)[len(_QGIS_CRS) :])
    layout, rows = _table(path, lines)
    if layout.degrees and crs is not None:
        raise InputError(
            f"expected no `crs` beside {path}, whose columns lon and lat are degrees on WGS 84; "
            "leave it out, or name the columns x and y"
        )
    system = _WGS84 if layout.degrees else crs or named
    if system is None:
        raise InputError(f"expected the reference system of x and y in {path}, found none; state it with `crs`")
    points = [_point(path, layout, number, row) for number, row in rows]
    _check(path, points, width, height)
    return tuple(points), system


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise FileError(f"expected control points at {path}, but it cannot be read ({error.strerror})") from error
    if len(content) > _MOST_BYTES:
        raise InputError(f"expected at most {_MOST_BYTES >> 20} MB of control points at {path}, found more")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"expected control points as text at {path}, found other bytes; save it as CSV") from error


def _wkt_of(path: Path, text: str) -> str | None:
    """Reference system in the first line of a QGIS file; None where it is empty."""
    text = text.strip()
    if not text:
        return None
    try:
        if not names_a_file(text):
            return str(CRS.from_wkt(text).to_wkt())
    except CRSError:
        pass
    raise InputError(f"expected a reference system in the first line of {path}, found other text; delete that line")


def _table(path: Path, lines: list[str]) -> tuple[_Layout, list[tuple[int, Mapping[str, str]]]]:
    """Layout of a table, and its rows with their numbers, without the rows that QGIS disables."""
    header = lines[0] if lines else ""
    reader = csv.reader(lines, delimiter=max(",;\t", key=header.count))
    names = [name.strip().lower() for name in next(reader, [])]
    layout = next((one for one in _LAYOUTS if set(one.names) <= set(names)), None)
    if layout is None:
        shown = ", ".join(names)[:100] or "nothing"
        raise InputError(f"expected columns {_COLUMNS} in {path}, found {shown}")
    try:
        rows = [(reader.line_num, dict(zip(names, row, strict=False))) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise InputError(f"expected a table of control points in {path}, found damaged text ({error})") from error
    return layout, [(number, row) for number, row in rows if row.get("enable", "1").strip() != "0"]


def _point(path: Path, layout: _Layout, number: int, row: Mapping[str, str]) -> GroundControlPoint:
    try:
        pixel, line, x, y = map(float, _decimal_points([row[name] for name in layout.names]))
    except (KeyError, ValueError):
        raise InputError(f"expected four numbers in row {number} of {path}, found {_shown(row)}") from None
    if not all(map(math.isfinite, (pixel, line, x, y))):
        raise InputError(f"expected finite numbers in row {number} of {path}, found {_shown(row)}")
    if layout.degrees and not (abs(x) <= 360 and abs(y) <= 90):
        raise InputError(
            f"expected longitude and latitude in degrees in row {number} of {path}, found {x:g} and {y:g}; "
            "are they in the right order?"
        )
    return GroundControlPoint(pixel, -line if layout.qgis else line, x, y)


def _decimal_points(cells: list[str]) -> list[str]:
    """Cells with decimal points instead of the decimal commas of some spreadsheets."""
    with_commas = not any("." in cell for cell in cells)
    return [cell.replace(",", ".") for cell in cells] if with_commas else cells


def _shown(row: Mapping[str, str]) -> str:
    """Cells of a row for a message."""
    return " | ".join(row.values())[:100]


def _check(path: Path, points: list[GroundControlPoint], width: int, height: int) -> None:
    """Refuse points that cannot place a scene of this size."""
    if len(points) < _FEWEST:
        raise InputError(f"expected at least {_FEWEST} control points in {path}, found {len(points)}")
    pixels = np.array([(point.pixel, point.line) for point in points])
    size = np.array([width, height])
    if (pixels < -size).any() or (pixels > 2 * size).any():
        raise InputError(
            f"expected control points on the {width} x {height} pixels of the scene in {path}, found some far away; "
            "pixels and lines count from the outer edge of its first pixel, to the right and down"
        )
    spread = np.linalg.svd(pixels - pixels.mean(axis=0), compute_uv=False)
    if spread[1] <= _NARROW * spread[0]:
        raise InputError(f"expected control points in {path} that do not lie on one line, found some that do; add one")
