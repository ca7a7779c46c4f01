"""Places of labels in scenes: boxes in pixels, from coordinates in any system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from pipeline.datasets.scene_labels.labels import Label, Labels, scene_name
from refinedet.errors import InputError
from refinedet.geo.features import System
from refinedet.geo.pixels import pixels_of
from refinedet.geo.position import Position, locate
from refinedet.geo.reference import WGS84
from refinedet.raster import RasterInfo
from refinedet.scene.windows.pixel_size import has_pixel_size, pixel_size_m

_POINT_PX = 6.0
"""Side of the box around a point, in pixels, in a scene of unknown pixel size."""
_LONGEST_M = 1000.0
"""Longest polygon of a ship; longer ones are areas of interest, land or footprints of scenes."""
_Boxes = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LabelledScene:
    """One scene, with the boxes of all labels in its own pixels."""

    path: Path
    info: RasterInfo
    boxes: _Boxes
    """(N, 4) boxes of all labels; NaN for a label that is far from this scene or belongs to another."""
    inside: NDArray[np.bool_]
    """(N,) true if the middle of the box lies in the scene."""
    too_long: NDArray[np.bool_]
    """(N,) true for a polygon that is too long for a ship."""


def place_labels(
    labels: Labels, scenes: Sequence[tuple[Path, RasterInfo]], point_m: float
) -> tuple[list[LabelledScene], tuple[str, ...]]:
    """Place all labels in all scenes; a point becomes a square of its length, or of `point_m` metres.

    Returns:
        The scenes, and sentences on guesses.

    Raises:
        InputError: no label lies in any scene, or the system of the coordinates is unknown.
    """
    notes: list[str] = []
    unknown = [label for label in labels.found if label.system is None]
    guessed = _guess(unknown, scenes, point_m) if unknown else None
    if unknown and guessed is not None:
        name = guessed if isinstance(guessed, str) else guessed.name
        what = "pixels of the scene" if guessed == "pixels" else name
        notes.append(
            f"{labels.path} does not say what its coordinates are: taken for {what}, in which {len(unknown)} labels "
            "are; `labels_crs` names another system"
        )
    found = [_placed(labels.found, path, info, guessed, point_m) for path, info in scenes]
    if not any(scene.inside.any() for scene in found):
        raise InputError(_nowhere(labels, scenes, point_m))
    return found, tuple(notes)


def _guess(unknown: list[Label], scenes: Sequence[tuple[Path, RasterInfo]], point_m: float) -> System | None:
    """System of coordinates in which most labels lie in a scene; None if none lies in a scene."""
    own = dict.fromkeys(info.crs for _, info in scenes if info.crs)
    candidates: list[System] = [*(CRS.from_user_input(crs) for crs in own), "pixels", WGS84]
    hits = [
        np.logical_or.reduce([_placed(unknown, path, info, one, point_m).inside for path, info in scenes]).sum()
        for one in candidates
    ]
    best = int(np.argmax(hits))
    return candidates[best] if hits[best] else None


def _placed(
    found: list[Label], path: Path, info: RasterInfo, guessed: System | None, point_m: float, *, swapped: bool = False
) -> LabelledScene:
    position = locate(info)
    low, high = np.full((len(found), 2), np.inf), np.full((len(found), 2), -np.inf)
    systems = [label.system or guessed for label in found]
    mine = [label.scene is None or label.scene == scene_name(path) for label in found]
    for system in {id(one): one for one in systems if one is not None}.values():
        rows = [i for i, one in enumerate(systems) if one is system and mine[i]]
        corners, owner = shapely.get_coordinates([found[i].shape for i in rows], return_index=True)
        pixels = _pixels(corners[:, ::-1] if swapped else corners, system, position, info)
        of = np.array(rows, np.intp)[owner]
        np.minimum.at(low, of, pixels)  # NaN, a corner without a pixel, stays
        np.maximum.at(high, of, pixels)
    nowhere = ~(np.isfinite(low) & np.isfinite(high)).all(axis=1)
    low[nowhere], high[nowhere] = np.nan, np.nan
    metres = np.array(pixel_size_m(info) if has_pixel_size(info) else (point_m / _POINT_PX,) * 2)
    polygons = np.array([label.shape.geom_type == "Polygon" for label in found], bool)
    too_long = polygons & (np.max((high - low) * metres, axis=1, initial=0) > _LONGEST_M)
    side = np.array([0.0 if p else label.length_m or point_m for p, label in zip(polygons, found, strict=True)])
    half = side[:, None] / metres / 2
    middle = (low + high) / 2
    inside = ((middle >= 0) & (middle < (info.width, info.height))).all(axis=1)
    return LabelledScene(path, info, np.concatenate([low - half, high + half], axis=1), inside, too_long)


def _pixels(corners: _Boxes, system: System, position: Position | None, info: RasterInfo) -> _Boxes:
    """Pixels (M, 2) of coordinates (M, 2); NaN for coordinates without a pixel."""
    if system == "pixels":
        return corners
    if position is None or not len(corners):
        return np.full_like(corners, np.nan)
    lonlat = corners
    if system != WGS84:
        lonlat = np.stack(Transformer.from_crs(system, WGS84, always_xy=True).transform(*corners.T), axis=1)
    return pixels_of(position, info.width, info.height, lonlat)


def _nowhere(labels: Labels, scenes: Sequence[tuple[Path, RasterInfo]], point_m: float) -> str:
    """Sentence for the error that no label lies in a scene."""
    if not labels.found:
        left = ", ".join(f"{count} {reason}" for reason, count in labels.left_out.items()) or "no features"
        return f"expected labels in {labels.path}, points or polygons, found none ({left})"
    path, info = scenes[0]
    others = f", or in the {len(scenes) - 1} other scenes" if len(scenes) > 1 else ""
    position, bounds = locate(info), shapely.total_bounds([label.shape for label in labels.found])
    if position is None:
        where = f"{info.width} x {info.height} pixels, no position"
    else:
        at = np.array([(x, y) for x in (0, info.width) for y in (0, info.height)], np.float64)
        where = _span(shapely.total_bounds(shapely.points(position.lonlat(at))), degrees=True)
    degrees = all(isinstance(one.system, CRS) and one.system.is_geographic for one in labels.found)
    hint = "is the reference system right? `labels_crs` names one for files that do not"
    if any(_placed(labels.found, *scene, None, point_m, swapped=True).inside.any() for scene in scenes):
        hint = "x and y (longitude and latitude) are swapped: exchange them in the file"
    return (
        f"expected labels within {path} ({where}){others}, found all {len(labels.found)} of {labels.path} at "
        f"{_span(bounds, degrees=degrees)}; {hint}"
    )


def _span(bounds: _Boxes, *, degrees: bool) -> str:
    x1, y1, x2, y2 = bounds
    if degrees:
        return f"longitude {x1:.3f} to {x2:.3f}, latitude {y1:.3f} to {y2:.3f}"
    return f"x {x1:.0f} to {x2:.0f}, y {y1:.0f} to {y2:.0f}"
