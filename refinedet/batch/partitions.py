"""Paths in the data set of many scenes: one file per scene, one folder per day. Reads no pixels.

The day comes from the name of a scene. So the path of a result is known before the scene is opened, and even if it
cannot be opened. Scenes whose name holds no time share one folder.
"""

from __future__ import annotations

from pathlib import Path

from refinedet.cloud.scene import Scene
from refinedet.scene.input.name_time import time_in_name
from refinedet.scene.naming import scene_name, scene_stem

UNKNOWN = "unknown"
"""Folder name of scenes whose day is not known."""

_COLUMN = "date"


def acquisition_day(scene: str | Scene) -> str:
    """Day in UTC on which the acquisition of a scene began, YYYY-MM-DD, by the time in its name; else UNKNOWN."""
    began = time_in_name(scene_name(scene))
    return began.date().isoformat() if began else UNKNOWN


def partition_path(dataset: Path, scene: str | Scene, day: str | None = None) -> Path:
    """Path of the GeoParquet file of a scene in the folder of a data set, `date=YYYY-MM-DD/<stem>.parquet`.

    Args:
        dataset: folder of the data set.
        scene: the scene.
        day: day of the acquisition; None: `acquisition_day`.
    """
    return dataset / f"{_COLUMN}={day or acquisition_day(scene)}" / f"{scene_stem(scene)}.parquet"
