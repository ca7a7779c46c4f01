"""Coastline of a region, from the GSHHG data in the package `roaring-landmask`.

The whole earth takes several hundred megabytes, a region of it a few. So a child process unpacks the earth, cuts out
the region, and ends. The cut is kept in the user's cache folder. The child runs this module.

Source: Wessel and Smith, A global self-consistent, hierarchical, high-resolution shoreline database, J. Geophys. Res.
101 (1996). This copy holds its first level: land against the ocean. Lakes, the Caspian Sea among them, are land.
"""

from __future__ import annotations

import hashlib
import json
import logging
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import shapely

from refinedet.child import last_words, run_module
from refinedet.errors import FileError
from refinedet.files import atomic_path
from refinedet.geo.reference import Box, Shapes
from refinedet.scene.land.region import cut_land
from refinedet.user_cache import cache_folder

_LOGGER = logging.getLogger(__name__)
_PACKAGE = "roaring-landmask"
_LAYOUT = 1
"""Version of the cuts in the cache; raise it when the same region would be cut differently."""
_KEPT = 100
"""Most cuts in the cache; beyond that, the least recently used ones are removed."""
_CHILD_S = 300


def coastline_version() -> str | None:
    """Version of the installed coastline; None if there is none."""
    try:
        return metadata.version(_PACKAGE)
    except metadata.PackageNotFoundError:
        return None


def coastline(boxes: list[Box], cache: Path | None = None) -> Shapes:
    """Land polygons in degrees within the boxes; from the folder `cache` (None: the user's own) if they are in it.

    Raises:
        FileError: the coastline cannot be cut.
    """
    kept = _kept_at(boxes, cache)
    if kept is None:
        return _polygons(_cut_in_child(boxes))
    try:
        found = _polygons(kept.read_bytes())
        kept.touch()
    except FileNotFoundError:
        pass
    except (OSError, shapely.errors.GEOSException) as error:
        _LOGGER.info("the coastline kept at %s cannot be read (%s); it is cut anew", kept, error)
    else:
        return found
    wkb = _cut_in_child(boxes)
    _keep(wkb, kept)
    return _polygons(wkb)


def _kept_at(boxes: list[Box], cache: Path | None) -> Path | None:
    """File of the cut of these boxes; None where there is no folder to keep it in."""
    if cache is None:
        try:
            cache = cache_folder("coastline")
        except FileError:
            return None
    version = coastline_version()
    key = hashlib.sha256(json.dumps([boxes, version, _LAYOUT]).encode()).hexdigest()[:20]
    return cache / f"gshhg-{version}-{key}.wkb"


def _keep(wkb: bytes, kept: Path) -> None:
    try:
        with atomic_path(kept) as temporary:
            temporary.write_bytes(wkb)
        newest_last = sorted((path.stat().st_mtime, path) for path in kept.parent.glob("gshhg-*.wkb"))
        for _, path in newest_last[:-_KEPT]:
            path.unlink(missing_ok=True)
    except OSError as error:  # a full or read-only disk, or another process that tidies up too
        _LOGGER.info("the coastline cannot be kept at %s (%s); the next scene cuts it again", kept, error)


def _cut_in_child(boxes: list[Box]) -> bytes:
    try:
        done = run_module(__name__, json.dumps(boxes), timeout_s=_CHILD_S)
        done.check_returncode()
    except (OSError, subprocess.SubprocessError) as error:
        reason = last_words(getattr(error, "stderr", None)) or f"{type(error).__name__}: {error}"
        raise FileError(
            f"expected to cut the coastline out of {_PACKAGE}, but that failed ({reason}); "
            'is there a gigabyte of memory? `land` takes a file of polygons, `land_mask="off"` does without'
        ) from error
    return done.stdout


def _polygons(wkb: bytes) -> Shapes:
    return np.asarray(shapely.get_parts(shapely.from_wkb(wkb)), object)


def _cut_here(boxes: list[Box]) -> bytes:
    """Cut the region out of the whole earth; runs in the child."""
    from roaring_landmask import LandmaskProvider
    from roaring_landmask import Shapes as Packed

    earth = shapely.get_parts(shapely.from_wkb(Packed.wkb(LandmaskProvider.Gshhg)))
    return bytes(shapely.to_wkb(shapely.MultiPolygon(list(cut_land(earth, boxes, degrees=True)))))


if __name__ == "__main__":
    sys.stdout.buffer.write(_cut_here([tuple(box) for box in json.loads(sys.argv[1])]))
