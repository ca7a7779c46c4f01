"""Two rasters in one folder that hold one polarisation of a scene each, such as scene_VV.tif and scene_VH.tif."""

from __future__ import annotations

import re
from pathlib import Path

from refinedet.cloud.scene import Scene
from refinedet.config.options.detect import Polarisation
from refinedet.raster import RasterFile, RasterReader
from refinedet.scene.input.pixels.bands import polarisation_of
from refinedet.scene.polarisations import pair_of, to_search_both


def raster_of(scene: Scene, polarisation: str | None) -> Scene:
    """Raster that holds a polarisation: the scene, or the file beside it whose name tells that polarisation.

    Args:
        scene: a scene of any kind; only a raster on disk whose name tells one polarisation has a file beside it.
        polarisation: the polarisation; None: any.
    """
    if polarisation is None or not isinstance(scene, Path):
        return scene
    own = polarisation_of(scene)
    if own is None or own == polarisation or not scene.is_file():
        return scene
    return _beside(scene, own, polarisation) or scene


def tell_pair(reader: RasterReader, raster: RasterFile) -> None:
    """Tell a reader which file holds the other polarisation, if there is one beside a raster."""
    own = polarisation_of(raster)
    if own is None or not isinstance(raster, Path):
        return
    first, second = pair_of(own)
    other = second if own == first else first
    if (beside := _beside(raster, own, other)) is not None:
        reader.tell(f"{own} is searched, not {other} in {beside.name}; {to_search_both(first, second)}")


def _beside(raster: Path, own: Polarisation, other: str) -> Path | None:
    """File with the name of a raster in which another polarisation stands; None if there is none."""

    def renamed(found: re.Match[str]) -> str:
        return other.upper() if found[0].isupper() else other

    name = re.sub(rf"(?<![A-Za-z]){own}(?![A-Za-z])", renamed, raster.stem, flags=re.IGNORECASE)
    path = raster.with_name(f"{name}{raster.suffix}")
    return path if path != raster and path.is_file() else None
