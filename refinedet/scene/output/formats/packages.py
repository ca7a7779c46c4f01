"""Packages that some result formats need, loaded only for these formats."""

from __future__ import annotations

from typing import Any

from refinedet.extras import missing_extra


def load_pyogrio(files: str = "GeoPackage files") -> Any:
    """Import pyogrio with its raw module; `files` says in the error what needs it.

    Raises:
        MissingExtra: the package is not installed.
    """
    try:
        import pyogrio
        import pyogrio.raw
    except ImportError as error:
        raise missing_extra("pyogrio", files) from error
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
        raise missing_extra("pyarrow", "GeoParquet files") from error
    return pa


def load_geopandas() -> Any:
    """Import geopandas.

    Raises:
        MissingExtra: the package is not installed.
    """
    try:
        import geopandas as gpd
    except ImportError as error:
        raise missing_extra("geopandas", "tables of ships with their outlines") from error
    return gpd
