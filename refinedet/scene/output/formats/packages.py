"""Packages that some result formats need, loaded only for these formats."""

from __future__ import annotations

from typing import Any

from refinedet.extras import load_extra


def load_pyogrio(files: str = "GeoPackage files") -> Any:
    """Import pyogrio with its raw module; `files` names in the error the files that need it.

    Raises:
        MissingExtra: the package is not installed.
    """
    return load_extra("pyogrio", files, "raw")


def load_pyarrow() -> Any:
    """Import pyarrow with its parquet module.

    Raises:
        MissingExtra: the package is not installed.
    """
    return load_extra("pyarrow", "GeoParquet files", "parquet")
