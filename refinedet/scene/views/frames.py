"""Ships of a scene as a table of geopandas."""

from __future__ import annotations

from typing import Any

from refinedet.extras import load_extra
from refinedet.scene.scene_ships import SceneShips
from refinedet.scene.views.columns import ship_columns, ship_rows, ship_shapes

_WGS84 = "EPSG:4326"


def ship_frame(result: SceneShips) -> Any:
    """GeoDataFrame with a row for each ship, strongest first: columns of `ship_rows`, with time type, and outline.

    Raises:
        MissingExtra: geopandas is not installed.
    """
    geopandas = load_extra("geopandas", "tables of ships with their outlines")
    import pandas as pd

    rows, kinds = ship_rows(result), ship_columns(result)
    columns = {name: _series([row[name] for row in rows], kind) for name, kind in kinds.items()}
    shapes = geopandas.GeoSeries(ship_shapes(result), crs=_WGS84 if result.located else None)
    return geopandas.GeoDataFrame(pd.DataFrame(columns), geometry=shapes)


def _series(values: list[Any], kind: str) -> Any:
    import pandas as pd

    if kind == "time":
        return pd.to_datetime(pd.Series(values, dtype="object"), utc=True)
    return pd.Series(values, dtype={"number": "float64", "whole": "Int64"}.get(kind, "object"))
