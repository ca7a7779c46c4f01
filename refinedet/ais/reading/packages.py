"""Packages that read AIS files, imported when a file needs them."""

from __future__ import annotations

from typing import Any

from refinedet.extras import load_extra


def load_pyarrow() -> Any:
    """Import pyarrow with its CSV, compute and Parquet modules.

    Raises:
        MissingExtra: the package is not installed.
    """
    return load_extra("pyarrow", "tables of AIS", "compute", "csv", "parquet", extra="ais")


def load_pyais() -> Any:
    """Import pyais.

    Raises:
        MissingExtra: the package is not installed.
    """
    return load_extra("pyais", "NMEA logs", "exceptions")
