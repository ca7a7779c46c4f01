"""Notes on a file that holds no places near a scene, or land all over it, each with a possible reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from refinedet.geo.reference import is_plain_degrees
from refinedet.geo.vectors import read_layers
from refinedet.scene.land.region import Region, cut

_POLE_DEG = 90.0


def absent_note(path: Path, what: str, region: Region) -> str:
    """Sentence that the file at `path` has no `what` in a region; mentions if it has some with x and y exchanged."""
    note = f"{path} holds no {what} within or near the scene"
    if abs(region.lon) <= _POLE_DEG and _has_any(path, replace(region, lon=region.lat, lat=region.lon)):
        return f"{note}: its latitude and longitude are swapped; exchange them in the file"
    return f"{note}, so it changes nothing; is it of this place, and is its reference system right?"


def all_land_note(path: Path) -> str:
    """Sentence that a whole scene is land by the file at `path`, as where its polygons are water."""
    return (
        f"the whole scene is land by {path}, so all its ships count as on land; if the file holds water, as a layer of "
        "seas or oceans does, give one with polygons of land, or leave `land` out"
    )


def _has_any(path: Path, region: Region) -> bool:
    for shapes, crs in read_layers(path, region.looked_at):
        if is_plain_degrees(crs) and len(cut(shapes, region.looked_at(crs), degrees=True)):
            return True
    return False
