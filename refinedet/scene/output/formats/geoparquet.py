"""GeoParquet 1.1: the ships of a scene as a column store that GDAL, QGIS, DuckDB and geopandas read.

pyarrow writes the columns, and one entry of metadata makes the file GeoParquet
(https://geoparquet.org/releases/v1.1.0). A column `bbox` holds the bounds of each outline, so that a reader of a window
skips row groups outside of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from refinedet.files import atomic_path
from refinedet.scene.output.formats.packages import load_pyarrow
from refinedet.scene.result import SceneResult
from refinedet.scene.views.columns import Kind, ship_columns, ship_rows, ship_shapes

GEOMETRY = "geometry"
"""Name of the column of outlines, as WKB."""
BOUNDS = "bbox"
"""Name of the column of bounding boxes of the outlines."""
SCENE = "scene"
"""Name of the column with the scene of a ship."""

_LONLAT = "OGC:CRS84"
"""WGS 84 with longitude first, as the standard requires."""
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_GROUP_ROWS = 1024
"""Rows of a row group, which a reader reads or skips as a whole."""
_ORDER_BITS = 16


def write_geoparquet(result: SceneResult, path: Path) -> None:
    """Write polygons in OGC:CRS84, or in pixels (y down) without a reference system; equal results, equal bytes.

    Raises:
        OSError: the file cannot be written.
        MissingExtra: pyarrow is not installed.
    """
    shapes = ship_shapes(result)
    kinds = sorted({shape.geom_type for shape in shapes if shape is not None})
    write_table(_columns(result, shapes), geo_metadata(kinds, located=result.located), path)


def write_partition(result: SceneResult, path: Path) -> None:
    """Write the file of one scene in a data set of many: as `write_geoparquet`, with the scene name as first column.

    All such files have one schema and the same metadata. Polygons are in OGC:CRS84, and null if the scene has no
    position. Ships are sorted by place, so that a row group covers a small area.

    Raises:
        OSError, MissingExtra: as `write_geoparquet`.
    """
    shapes = ship_shapes(result) if result.located else [None] * len(result.detections)
    columns, order = _columns(result, shapes), order_by_place(result.places.centres_lonlat)
    columns = {name: values.take(order) for name, values in columns.items()}
    write_table({SCENE: columns.pop(SCENE), **columns}, geo_metadata([], located=True), path)


def order_by_place(lonlat: NDArray[np.float64]) -> NDArray[np.int64]:
    """Order (N,) of places (N, 2) along a Z-order curve, which keeps neighbours together; unknown places are last."""
    known = np.asarray(np.isfinite(lonlat).all(axis=1))
    if not known.any():
        return np.arange(len(lonlat))
    low, high = lonlat[known].min(axis=0), lonlat[known].max(axis=0)
    shares = (np.where(known[:, None], lonlat, low) - low) / np.maximum(high - low, np.finfo(np.float64).tiny)
    cells = (shares * (2**_ORDER_BITS - 1)).astype(np.int64)
    code = np.where(known, 0, np.int64(1) << (2 * _ORDER_BITS))
    for bit in range(_ORDER_BITS):
        for axis in (0, 1):
            code |= ((cells[:, axis] >> bit) & 1) << (2 * bit + axis)
    return np.argsort(code, kind="stable")


def geometry_columns(shapes: Sequence[shapely.Geometry | None]) -> dict[str, Any]:
    """Columns of pyarrow with the outlines and their bounding boxes; null for an unknown outline.

    The box of an outline that is cut at the antimeridian spans all longitudes.
    """
    pa = load_pyarrow()
    array = np.fromiter(shapes, object, len(shapes))
    unknown = pa.array(np.equal(array, None))  # type: ignore[call-overload]
    sides = [pa.array(side, pa.float64()) for side in shapely.bounds(array).reshape(-1, 4).T]
    bounds = pa.StructArray.from_arrays(sides, fields=list(pa.struct(_bounds_type())), mask=unknown)
    return {BOUNDS: bounds, GEOMETRY: pa.array(list(shapely.to_wkb(array)), pa.binary())}


def write_table(columns: dict[str, Any], geo: dict[str, Any], path: Path) -> None:
    """Write columns of pyarrow with the metadata of the standard."""
    pa = load_pyarrow()
    table = pa.table(columns).replace_schema_metadata({"geo": json.dumps(geo, sort_keys=True)})
    with atomic_path(path) as temporary:
        pa.parquet.write_table(table, temporary, row_group_size=_GROUP_ROWS)


def geo_metadata(geometry_types: list[str], *, located: bool) -> dict[str, Any]:
    """Metadata of the standard; an empty list of types stands for any type."""
    column = {
        "encoding": "WKB",
        "geometry_types": geometry_types,
        "crs": CRS.from_user_input(_LONLAT).to_json_dict() if located else None,
        "orientation": "counterclockwise",
        "edges": "planar",
        "covering": {"bbox": {side: [BOUNDS, side] for side in _SIDES}},
    }
    return {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}


def _columns(result: SceneResult, shapes: list[shapely.Geometry | None]) -> dict[str, Any]:
    pa = load_pyarrow()
    rows, types = ship_rows(result), _types()
    for row in rows:
        row["time"] = None if row["time"] is None else datetime.fromisoformat(row["time"])
    columns = {name: pa.array([row[name] for row in rows], types[kind]) for name, kind in ship_columns(result).items()}
    return columns | geometry_columns(shapes)


def _types() -> dict[Kind, Any]:
    pa = load_pyarrow()
    return {
        "number": pa.float64(),
        "whole": pa.int64(),
        "text": pa.string(),
        "words": pa.list_(pa.string()),
        "numbers": pa.list_(pa.float64()),
        "time": pa.timestamp("ms", "UTC"),
    }


def _bounds_type() -> list[tuple[str, Any]]:
    return [(side, load_pyarrow().float64()) for side in _SIDES]
