"""Ships as one layer of a file that GDAL writes: GeoPackage and FlatGeobuf."""

from __future__ import annotations

import io
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.geo.feature_files import fixed_date
from refinedet.scene.output.formats.packages import load_pyogrio
from refinedet.scene.result import SceneResult
from refinedet.scene.views.columns import Kind, flat_rows, ship_columns, ship_shapes
from refinedet.workarounds.pyogrio_messages import missing_crs_allowed

Driver = Literal["GPKG", "FlatGeobuf"]
_WGS84 = "EPSG:4326"
_GDAL_UTC = 100
"""Zone UTC of GDAL's times."""


def layer_bytes(result: SceneResult, driver: Driver, layer: str, **options: Any) -> bytes:
    """Content of a file with one layer of polygons, in EPSG:4326, or in pixels (y down) without a position.

    Equal results give equal bytes.

    Args:
        result: ships of the scene.
        driver: format.
        layer: name of the layer.
        options: further arguments of pyogrio, and creation options of the format in capitals.

    Raises:
        MissingExtra: pyogrio is not installed.
    """
    pyogrio = load_pyogrio(f"{driver.replace('GPKG', 'GeoPackage')} files")
    rows, shapes = flat_rows(result), ship_shapes(result)
    columns = {name: _column([row[name] for row in rows], kind) for name, kind in ship_columns(result).items()}
    split = any(isinstance(shape, shapely.MultiPolygon) for shape in shapes)
    content = io.BytesIO()  # no path for GDAL, which interprets some characters in paths
    with fixed_date(pyogrio), missing_crs_allowed():
        pyogrio.raw.write(
            content,
            np.array([shapely.to_wkb(shape) for shape in shapes], object),
            [values for values, _ in columns.values()],
            list(columns),
            field_mask=[mask for _, mask in columns.values()],
            layer=layer,
            driver=driver,
            geometry_type="MultiPolygon" if split else "Polygon",
            promote_to_multi=split,
            crs=_WGS84 if result.located else None,
            gdal_tz_offsets={"time": np.full(len(rows), _GDAL_UTC)},
            **options,
        )
    return content.getvalue()


def _column(values: list[Any], kind: Kind) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Values of a column, and a mask of nulls if the values themselves cannot be null."""
    if kind == "number":
        return np.array(values, np.float64), None  # None is NaN
    if kind == "whole":
        return np.array([one or 0 for one in values], np.int64), np.array([one is None for one in values], bool)
    if kind == "time":
        return np.array(["NaT" if one is None else one.removesuffix("Z") for one in values], "datetime64[ms]"), None
    return np.array(values, object), None
