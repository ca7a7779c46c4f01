"""GeoParquet 1.1: the ships of a scene as a column store that GDAL, QGIS, DuckDB and geopandas read.

pyarrow writes the columns, and one entry of metadata makes it GeoParquet (https://geoparquet.org/releases/v1.1.0).
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from refinedet.files import atomic_path
from refinedet.scene.output.columns import MEASURES, ais_columns, score_columns, ship_rows, ship_shapes
from refinedet.scene.output.format_packages import load_pyarrow
from refinedet.scene.result import SceneResult

GEOMETRY = "geometry"
"""Name of the column of outlines, as WKB."""
SCENE = "scene"
"""Name of the column with the scene of a ship."""

_LONLAT = "OGC:CRS84"
"""WGS 84 with longitude first, as the standard requires."""


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
    """Write the file of one scene in a data set of many: as `write_geoparquet`, with the name of the scene in front.

    All such files have one schema and the same metadata, whatever they hold: polygons are in OGC:CRS84, and null
    if the scene has no position.

    Raises:
        OSError, MissingExtra: as `write_geoparquet`.
    """
    shapes = ship_shapes(result) if result.located else [None] * len(result.detections)
    columns = _columns(result, shapes)
    write_table({SCENE: columns.pop(SCENE), **columns}, geo_metadata([], located=True), path)


def _columns(result: SceneResult, shapes: list[shapely.Geometry | None]) -> dict[str, Any]:
    pa = load_pyarrow()
    rows, plain = ship_rows(result), {str: pa.string(), int: pa.int64(), float: pa.float64()}
    types = {
        "score": pa.float64(),
        "class": pa.string(),
        "lon": pa.float64(),
        "lat": pa.float64(),
        "bbox_px": pa.list_(pa.float64()),
        **dict.fromkeys(MEASURES, pa.float64()),
        "outline": pa.string(),
        "flags": pa.list_(pa.string()),
        "time": pa.timestamp("ms", "UTC"),
        SCENE: pa.string(),
        **dict.fromkeys(score_columns(result), pa.float64()),
        **{name: plain[kind] for name, kind in ais_columns(result).items()},
    }
    for row in rows:
        row["time"] = None if row["time"] is None else datetime.fromisoformat(row["time"])
    columns = {name: pa.array([row[name] for row in rows], kind) for name, kind in types.items()}
    columns[GEOMETRY] = pa.array(list(shapely.to_wkb(np.array(shapes, object))), pa.binary())
    return columns


def write_table(columns: dict[str, Any], geo: dict[str, Any], path: Path) -> None:
    """Write columns of pyarrow with the metadata of the standard."""
    pa = load_pyarrow()
    table = pa.table(columns).replace_schema_metadata({"geo": json.dumps(geo, sort_keys=True)})
    with atomic_path(path) as temporary:
        pa.parquet.write_table(table, temporary)


def geo_metadata(geometry_types: list[str], *, located: bool) -> dict[str, Any]:
    """Metadata of the standard; an empty list of types stands for any type."""
    column = {
        "encoding": "WKB",
        "geometry_types": geometry_types,
        "crs": CRS.from_user_input(_LONLAT).to_json_dict() if located else None,
        "orientation": "counterclockwise",
        "edges": "planar",
    }
    return {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
