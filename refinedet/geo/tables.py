"""Tables of points, boxes or WKT (CSV), whose columns are found by name."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import shapely
from pyproj import CRS

from refinedet.errors import FileError, InputError
from refinedet.geo.reference import WGS84

_Kind = Literal["degrees", "pixels", "plain"]
_POINTS: Mapping[_Kind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "degrees": (
        ("lon", "longitude", "long", "lng", "detect_lon", "lon_deg", "center_lon", "centre_lon"),
        ("lat", "latitude", "detect_lat", "lat_deg", "center_lat", "centre_lat"),
    ),
    "pixels": (
        ("detect_scene_column", "col", "column", "pixel", "pixel_x", "x_px", "px"),
        ("detect_scene_row", "row", "line", "pixel_y", "y_px", "py"),
    ),
    "plain": (("x", "easting", "x_m", "coord_x"), ("y", "northing", "y_m", "coord_y")),
}
"""Names of the columns of x and y, the clearest first. "plain" coordinates state no system."""
_BOXES = (
    ("left", "top", "right", "bottom"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("x1", "y1", "x2", "y2"),
)
_WKT = ("wkt", "wkt_geom", "geometry", "geom", "the_geom")
_DELIMITERS = ",;\t"
_HEAD_BYTES = 1 << 16
_SHOWN = 8
"""Most column names that a message shows."""


def is_table(path: Path) -> bool:
    """True if a file begins with a line of several columns."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    first = head.split(b"\n", 1)[0]
    return b"\0" not in head and not first.lstrip().startswith(b"<") and any(c.encode() in first for c in _DELIMITERS)


def read_table(
    path: Path, *, in_pixels: bool
) -> tuple[list[Any], CRS | Literal["pixels"] | None, dict[str, list[str | None]]]:
    """Read geometries, their system of coordinates (None: unknown) and all columns of a table.

    A row that lacks a number has no geometry. With `in_pixels`, places in pixels take precedence over degrees.

    Raises:
        FileError: the file cannot be read.
        InputError: it has no columns of places.
    """
    names, rows, comma = _rows(path)
    plain = {name.strip().lower(): i for i, name in reversed(list(enumerate(names)))}
    columns = {name: [row[i] if i < len(row) else None for row in rows] for i, name in enumerate(names)}
    values = {name: list(columns.values())[i] for name, i in plain.items() if i < len(columns)}

    def numbers(name: str) -> list[float | None]:
        return [_number(text, comma=comma) for text in values[name]]

    points = {kind: found for kind, (xs, ys) in _POINTS.items() if (found := _both(xs, ys, values))}
    box = next((sides for sides in _BOXES if all(side in values for side in sides)), None)
    wkt = next((name for name in _WKT if name in values), None)
    of_box: _Kind = "pixels" if box == _BOXES[0] or len(points) > 0 else "plain"
    order: Sequence[_Kind] = ("pixels", "degrees", "plain") if in_pixels else ("degrees", "pixels", "plain")
    for kind in order:
        corners = [numbers(side) for side in box] if box is not None and kind == of_box else []
        if kind in points or corners:
            xy = [numbers(name) for name in points.get(kind, ())]
            shapes = [_shape(i, corners, xy) for i in range(len(rows))]
            others = len(points) > 1 or (box is not None and kind != of_box)
            if others and rows and all(shape is None for shape in shapes):  # a scene without position has no degrees
                continue
            return shapes, WGS84 if kind == "degrees" else "pixels" if kind == "pixels" else None, dict(columns)
    if wkt is not None:
        return [shapely.from_wkt(text) if text else None for text in values[wkt]], None, dict(columns)
    raise InputError(
        f"expected columns such as lon and lat, x and y, or row and col in {path}, found {', '.join(names[:_SHOWN])}"
    )


def _rows(path: Path) -> tuple[list[str], list[list[str]], bool]:
    """Names of the columns, the rows that are not empty, and true if numbers may have a decimal comma."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            first = stream.readline()
            stream.seek(0)
            reader = csv.reader(stream, delimiter=max(_DELIMITERS, key=first.count), skipinitialspace=True)
            names = next(reader, [])
            return names, [row for row in reader if any(cell.strip() for cell in row)], ";" in first
    except OSError as error:
        raise FileError(f"expected a table at {path}, but it cannot be read ({error.strerror})") from error
    except csv.Error as error:
        raise InputError(f"expected a table in {path}, found something else ({error})") from error


def _both(xs: Sequence[str], ys: Sequence[str], values: Mapping[str, Any]) -> tuple[str, str] | None:
    x, y = (next((name for name in names if name in values), None) for names in (xs, ys))
    return None if x is None or y is None else (x, y)


def _shape(i: int, corners: list[list[float | None]], xy: list[list[float | None]]) -> Any:
    """Geometry of a row: its box, else its point."""
    box, point = ([column[i] for column in columns] for columns in (corners, xy))
    if box and None not in box:
        x1, y1, x2, y2 = (value for value in box if value is not None)
        return shapely.box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
    return shapely.Point(point) if point and None not in point else None


def _number(text: str | None, *, comma: bool) -> float | None:
    """Number of a cell, with a decimal comma if `comma` is true; None if it holds no number."""
    try:
        value = float((text or "").strip().replace(",", "." if comma else ","))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
