"""Tables of points, boxes or WKT (CSV), whose columns are found by name."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import shapely
from pyproj import CRS

from refinedet.errors import FileError, InputError
from refinedet.geo.reference import WGS84
from refinedet.text_encoding import encoding_of

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
_SRID = re.compile(r"SRID=([0-9]+);", re.IGNORECASE)
"""Reference system before a WKT, as PostGIS writes it."""
_WKT = ("wkt", "wkt_geom", "geometry", "geom", "the_geom")
_DELIMITERS = ",;\t"
_WITH_COMMA = ";\t"
"""Delimiters beside which numbers may have a decimal comma."""
_NOTE = "sep="
"""First line that tells a spreadsheet the delimiter."""
_HEAD_BYTES = 1 << 16
_SHOWN = 8
"""Most column names that a message shows."""


def is_table(path: Path) -> bool:
    """True if a file begins with a line of several columns, or with the name of a column of WKT."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    text = head.decode(encoding_of(head), "replace")
    first = text.split("\n", 1)[0].strip()
    several = any(one in first for one in _DELIMITERS) and not first.startswith("<")
    return "\0" not in text and (several or first.strip('"').lower() in _WKT)


def read_table(
    path: Path, *, in_pixels: bool
) -> tuple[list[Any], CRS | Literal["pixels"] | None, dict[str, list[str | None]]]:
    """Read geometries, their system of coordinates (None: unknown) and all columns of a table.

    A row that lacks a number has no geometry. With `in_pixels`, places in pixels take precedence over degrees.

    Raises:
        FileError: the file cannot be read.
        InputError: it has no columns of places.
    """
    names, rows, delimiter = _rows(path)
    plain = {name.strip().lower(): i for i, name in reversed(list(enumerate(names)))}
    columns = {name: [row[i] if i < len(row) else None for row in rows] for i, name in enumerate(names)}
    values = {name: list(columns.values())[i] for name, i in plain.items() if i < len(columns)}

    def numbers(name: str) -> list[float | None]:
        comma = delimiter in _WITH_COMMA or name in _POINTS["degrees"][0] + _POINTS["degrees"][1]
        return [cell_number(text, comma=comma) for text in values[name]]

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
        texts = [text or "" for text in values[wkt]]
        codes = {code[1] if (code := _SRID.match(text)) else None for text in texts if text}
        known = codes.pop() if len(codes) == 1 else None
        shapes = [shapely.from_wkt(_SRID.sub("", text)) if text else None for text in texts]
        return shapes, None if known is None else CRS.from_epsg(int(known)), dict(columns)
    raise InputError(
        f"expected columns such as lon and lat, x and y, or row and col in {path}, found {', '.join(names[:_SHOWN])}"
    )


def _rows(path: Path) -> tuple[list[str], list[list[str]], str]:
    """Names of the columns, the rows that are not empty, and the delimiter."""
    try:
        with path.open("rb") as raw:
            encoding = encoding_of(raw.read(2))
        with path.open(encoding=encoding, errors="replace", newline="") as stream:
            lines = stream.read()
            noted = lines.removeprefix(_NOTE)[:1] if lines.startswith(_NOTE) else ""
            lines = lines.partition("\n")[2] if noted else lines
            first = lines.split("\n", 1)[0]
            delimiter = noted if noted in {*_DELIMITERS} else max(_DELIMITERS, key=first.count)
            reader = csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter, skipinitialspace=True)
            names = next(reader, [])
            return names, [row for row in reader if any(cell.strip() for cell in row)], delimiter
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


def cell_number(text: str | None, *, comma: bool = True) -> float | None:
    """Number of a cell, which may have a decimal comma if `comma` is true; None if it holds no number."""
    try:
        value = float((text or "").strip().replace(",", "." if comma else ","))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
