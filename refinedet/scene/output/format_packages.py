"""Packages that some formats of results need, loaded where those are asked for."""

from __future__ import annotations

from typing import Any

from refinedet.errors import MissingExtra


def load_pyogrio() -> Any:
    """The package pyogrio with its raw module.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import pyogrio
        import pyogrio.raw
    except ImportError as error:
        raise MissingExtra(
            "expected pyogrio for GeoPackage files, found none; pip install 'refinedet[gpkg]'"
        ) from error
    return pyogrio


def load_pyarrow() -> Any:
    """The package pyarrow with its parquet module.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra(
            "expected pyarrow for GeoParquet files, found none; pip install 'refinedet[geoparquet]'"
        ) from error
    return pa
