"""Notes on a file whose places are not near a scene, cross themselves, or are land in place of its sea."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.geo.position import Points
from refinedet.geo.reference import WGS84, is_plain_degrees
from refinedet.geo.vectors import read_layers, rows_without_place
from refinedet.scene.land.coastline import coastline
from refinedet.scene.land.region import Region, cut
from refinedet.wording import counted

_POLE_DEG = 90.0
_MOST_SEA, _LEAST_SEA = 0.9, 0.05
"""Share of the charted sea of a scene that is land by a file of water, and least share of sea that says something."""


def absent_note(path: Path, what: str, region: Region) -> str:
    """Sentence that the file at `path` has no `what` in a region; mentions if it has some with x and y exchanged."""
    note = f"{path} holds no {what} within or near the scene"
    if abs(region.lon) <= _POLE_DEG and _has_any(path, replace(region, lon=region.lat, lat=region.lon)):
        return f"{note}: its latitude and longitude are swapped; exchange them in the file"
    return f"{note}, so it changes nothing; is it of this place, and is its reference system right?"


def crossed_note(path: Path, count: int) -> str:
    """Sentence that so many polygons of the file at `path` cross themselves."""
    crosses = counted(count, "polygon that crosses itself", "polygons that cross themselves")
    return (
        f"{path} holds {crosses} near the scene, as corners in a wrong order do: "
        "only the areas that are enclosed count; check the order of the corners"
    )


def unread_note(path: Path) -> str | None:
    """Sentence that rows of the table at `path` have no place; None if all have one, or it is no table."""
    count = rows_without_place(path)
    if not count:
        return None
    return (
        f"{counted(count, 'row')} of {path} {'has' if count == 1 else 'have'} no place that can be read and "
        f"{'is' if count == 1 else 'are'} left out; write degrees as 54.5, -7.25"
    )


def water_note(path: Path, on_land: NDArray[np.bool_], lonlat: Points, region: Region) -> str | None:
    """Sentence that the polygons of a file may be water; None if they are not.

    Args:
        path: the file.
        on_land: (N,) true for places of the scene that are land by the file.
        lonlat: (N, 2) those places.
        region: region of the scene.

    Raises:
        FileError: the coastline of the package cannot be read.
    """
    if not on_land.all():
        at_sea = np.ones(len(lonlat), np.bool_)
        charted = shapely.STRtree(shapely.points(lonlat)).query(coastline(region.cut_at(WGS84)), predicate="intersects")
        at_sea[charted[1]] = False
        if at_sea.mean() < _LEAST_SEA or on_land[at_sea].mean() < _MOST_SEA:
            return None
    what = "whole scene" if on_land.all() else "sea of the scene"
    return (
        f"the {what} is land by {path}, so all ships there count as on land; if the file holds water, as a layer of "
        "seas or oceans does, give one with polygons of land, or leave `land` out"
    )


def _has_any(path: Path, region: Region) -> bool:
    for shapes, crs in read_layers(path, region.looked_at):
        if is_plain_degrees(crs) and len(cut(shapes, region.looked_at(crs), degrees=True)):
            return True
    return False
