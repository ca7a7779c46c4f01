"""Where the ships of a scene lie in a data set of many scenes: one file a scene, one folder a day. Opens nothing.

The day comes from the scene's name alone, as Sentinel-1 products and their rasters have it: so the place of a result is
known before its scene is opened, also of one that cannot be. Other scenes share a folder.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

UNKNOWN = "unknown"
"""Instead of a day."""

_COLUMN = "date"
# S1A_IW_GRDH_1SDV_20230101T170605_... and s1a-iw-grd-vv-20230101t170605-...: start of sensing, in UTC
_NAME = re.compile(r"s1[a-d][_-][a-z0-9_-]*?[_-](\d{4})(\d\d)(\d\d)t\d{6}(?!\d)", re.IGNORECASE)


def acquisition_day(scene: str | Path) -> str:
    """The day in UTC on which a Sentinel-1 scene was begun, YYYY-MM-DD, as its name tells; else UNKNOWN."""
    match = _NAME.match(Path(scene).name)
    try:
        return date(*map(int, match.groups())).isoformat() if match else UNKNOWN
    except ValueError:  # no day of the calendar
        return UNKNOWN


def partition_path(dataset: Path, scene: str | Path) -> Path:
    """The GeoParquet file of a scene in the folder of a data set, `date=YYYY-MM-DD/<stem>.parquet`."""
    return dataset / f"{_COLUMN}={acquisition_day(scene)}" / f"{Path(scene).stem}.parquet"
