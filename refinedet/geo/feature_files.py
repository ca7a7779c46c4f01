"""Writing of features with any columns as GeoJSON, CSV or GeoPackage: atomic; equal rows give equal bytes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.errors import FileError
from refinedet.extras import load_extra
from refinedet.files import atomic_path, cannot_write, write_text
from refinedet.utc import utc_text
from refinedet.workarounds.pyogrio_messages import missing_crs_allowed

Shapes = NDArray[Any]
Rows = Sequence[Mapping[str, Any]]
FileFormat = Literal["geojson", "csv", "gpkg"]

SUFFIXES: dict[FileFormat, str] = {"geojson": ".geojson", "csv": ".csv", "gpkg": ".gpkg"}

FIXED_DATE = "1970-01-01T00:00:00.000Z"
"""Date of the last change in a GeoPackage, fixed so that equal rows give equal bytes."""
_DATE_OPTION = "OGR_CURRENT_DATE"


def write_features(path: Path, kind: FileFormat, shapes: Shapes, rows: Rows, columns: Iterable[str] = ()) -> None:
    """Write features in degrees: geometries (N,) or None, and a row of plain values for each; all rows have equal keys.

    `columns` are the names in the first line of a CSV file without rows.

    Raises:
        FileError: the file cannot be written.
        MissingExtra: GeoPackage without pyogrio.
    """
    plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
    try:
        if kind == "geojson":
            _geojson(path, shapes, plain)
        elif kind == "csv":
            _csv(path, plain, list(rows[0] if rows else columns))
        else:
            _gpkg(path, shapes, plain)
    except FileError:
        raise
    except OSError as error:
        raise cannot_write(path, error, path) from error


@contextmanager
def fixed_date(pyogrio: Any) -> Iterator[None]:
    """Make GDAL write FIXED_DATE as the date of the last change in the block."""
    before = pyogrio.get_gdal_config_option(_DATE_OPTION)
    pyogrio.set_gdal_config_options({_DATE_OPTION: FIXED_DATE})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({_DATE_OPTION: before})


def _plain(value: Any) -> Any:
    """Value for JSON: text for times, None for NaN and infinity."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _geojson(path: Path, shapes: Shapes, rows: Sequence[dict[str, Any]]) -> None:
    lines = []
    for number, (shape, row) in enumerate(zip(shapes, rows, strict=True), start=1):
        geometry = None if shape is None else shapely.geometry.mapping(shape)
        lines.append(_compact({"type": "Feature", "id": number, "geometry": geometry, "properties": row}))
    head = _compact({"name": path.name.removesuffix(".geojson"), "type": "FeatureCollection"})
    body = ",\n".join(lines)
    write_text(path, head[:-1] + ',"features":[\n' + (body + "\n" if body else "") + "]}\n")


def _csv(path: Path, rows: Sequence[dict[str, Any]], names: list[str]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in names])
    write_text(path, text.getvalue())


def _gpkg(path: Path, shapes: Shapes, rows: Sequence[dict[str, Any]]) -> None:
    pyogrio = load_extra("pyogrio", "GeoPackage files", "raw")
    names = list(rows[0]) if rows else []
    columns = [_column([row[name] for row in rows]) for name in names]
    kinds = {shape.geom_type for shape in shapes if shape is not None}
    content = io.BytesIO()
    with fixed_date(pyogrio), missing_crs_allowed():
        pyogrio.raw.write(
            content,
            np.array([None if shape is None else shapely.to_wkb(shape) for shape in shapes], object),
            columns,
            names,
            layer="ships",
            driver="GPKG",
            geometry_type=kinds.pop() if len(kinds) == 1 else "Unknown",
            crs="EPSG:4326",
            VERSION="1.2",
        )
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.getbuffer())


def _column(values: list[Any]) -> NDArray[Any]:
    """Column of a GeoPackage: numbers if all known values are numbers, else text."""
    known = [one for one in values if one is not None]
    if known and all(isinstance(one, int) and not isinstance(one, bool) for one in known) and len(known) == len(values):
        return np.array(values, np.int64)
    if all(isinstance(one, int | float) and not isinstance(one, bool) for one in known):
        return np.array([np.nan if one is None else one for one in values], np.float64)
    return np.array([None if one is None else _cell(one) for one in values], object)


def _cell(value: Any) -> Any:
    """Value as a cell of a table: lists of words with semicolons, other lists as JSON, None as an empty cell."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        words = all(isinstance(one, str) for one in value)
        return ";".join(value) if words else _compact(value)
    return value


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False, ensure_ascii=False)
