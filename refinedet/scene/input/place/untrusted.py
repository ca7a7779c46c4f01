"""Numbers and reference systems in the text of untrusted files beside a raster. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable

from pyproj import CRS
from pyproj.exceptions import CRSError

from refinedet.raster.gdal import names_a_file


def finite_numbers(texts: Iterable[str | None]) -> list[float]:
    """Numbers of texts; empty if one of them is no finite number."""
    try:
        numbers = [float(text or "") for text in texts]
    except ValueError:
        return []
    return numbers if all(map(math.isfinite, numbers)) else []


def safe_wkt(text: str | None) -> str | None:
    """WKT of a reference system; None if the text is none, or names files."""
    if not text or names_a_file(text):
        return None
    try:
        return str(CRS.from_wkt(text).to_wkt())
    except CRSError:
        return None
