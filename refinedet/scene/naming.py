"""Name of a scene in its result files and tables."""

from __future__ import annotations

from pathlib import Path

from refinedet.cloud.scene import Scene, scene_of
from refinedet.raster.stores import is_store
from refinedet.scene.sentinel1.naming import product_name

_ZIP = ".zarr.zip"


def scene_name(path: str | Scene) -> str:
    """Name of a scene: its file name, or the name of the Sentinel-1 product that it is or lies in.

    The stem of the name names the result files. A product that cannot be read has the name of its file or folder.
    """
    path = scene_of(path)
    if isinstance(path, Path) and is_store(path):
        name = path.name or path.resolve().name
        return name[: -len(".zip")] if name.lower().endswith(_ZIP) else name
    return product_name(path) or path.name


def scene_stem(path: str | Scene) -> str:
    """Stem of the names of a scene's result files."""
    return Path(scene_name(path)).stem
