"""Packages that some result formats need, loaded only for these formats."""

from __future__ import annotations

from typing import Any

from refinedet.errors import MissingExtra


def load_pyogrio() -> Any:
    """Import pyogrio with its raw module.

    Raises:
        MissingExtra: the package is not installed.
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
    """Import pyarrow with its parquet module.

    Raises:
        MissingExtra: the package is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra(
            "expected pyarrow for GeoParquet files, found none; pip install 'refinedet[geoparquet]'"
        ) from error
    return pa
