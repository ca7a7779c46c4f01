"""Paths in the data set of many scenes: one file per scene, one folder per day. Reads no pixels.

The day comes from the name of a Sentinel-1 product or raster. So the path of a result is known before the scene is
opened, and even if it cannot be opened. Scenes with other names share one folder.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from refinedet.cloud.scene import Scene
from refinedet.scene.naming import scene_name, scene_stem

UNKNOWN = "unknown"
"""Folder name of scenes whose day is not known."""

_COLUMN = "date"
# S1A_IW_GRDH_1SDV_20230101T170605_... and s1a-iw-grd-vv-20230101t170605-...: start of sensing, in UTC
_NAME = re.compile(r"s1[a-d][_-][a-z0-9_-]*?[_-](\d{4})(\d\d)(\d\d)t\d{6}(?!\d)", re.IGNORECASE)


def acquisition_day(scene: str | Scene) -> str:
    """Day in UTC on which sensing of a Sentinel-1 scene began, YYYY-MM-DD, from its name; else UNKNOWN."""
    match = _NAME.match(scene_name(scene))
    try:
        return date(*map(int, match.groups())).isoformat() if match else UNKNOWN
    except ValueError:  # not a calendar day
        return UNKNOWN


def partition_path(dataset: Path, scene: str | Scene) -> Path:
    """Path of the GeoParquet file of a scene in the folder of a data set, `date=YYYY-MM-DD/<stem>.parquet`."""
    return dataset / f"{_COLUMN}={acquisition_day(scene)}" / f"{scene_stem(scene)}.parquet"
