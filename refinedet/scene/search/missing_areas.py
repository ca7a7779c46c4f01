"""Areas of a scene that were not measured, as outlines in degrees for its record: borders, gaps, cut corners.

The areas are found in the preview. So their accuracy is one pixel of the preview, and small holes are omitted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.boxes import covering
from refinedet.geo.position import Position
from refinedet.radiometry import Mask, valid_mask
from refinedet.raster import RasterInfo

_LEAST_PX = 3
"""Side of the smallest area, in pixels of the preview."""
_SMOOTH_PX = 1.0
_MOST = 100
"""Largest number of areas; the largest areas are kept."""
_STEPS = 16
"""Points along a side of the scene, so that the edges of an area follow the curvature of the scene in degrees."""
_DIGITS = 5


def missing_areas(
    preview: NDArray[Any], info: RasterInfo, position: Position | None
) -> list[list[list[list[float]]]] | None:
    """Polygons of the areas that were not measured: rings of [longitude, latitude], the outer one first.

    Returns None if there are no such areas, or the scene has no position.
    """
    if position is None:
        return None
    gone = ~valid_mask(preview, info.nodata)
    if not gone.any():
        return None
    wide = np.pad(gone, _LEAST_PX, mode="edge")  # an area at the border continues beyond it
    gone &= _opened(wide)[_LEAST_PX:-_LEAST_PX, _LEAST_PX:-_LEAST_PX]
    scale = np.array([info.width / gone.shape[1], info.height / gone.shape[0]])
    covered = shapely.union_all(shapely.box(*covering(gone).astype(np.float64).T))
    polygons = shapely.get_parts(shapely.simplify(covered, _SMOOTH_PX))
    largest = np.argsort(-shapely.area(polygons), kind="stable")[:_MOST]
    found = [_degrees(polygons[k], scale, max(gone.shape) / _STEPS, position) for k in sorted(largest.tolist())]
    return [rings for rings in found if rings] or None


def _opened(mask: Mask) -> Mask:
    """Morphological opening of a mask by a square of side `_LEAST_PX`; faster than SciPy's."""
    steps = range(_LEAST_PX)
    height, width = mask.shape[0] - _LEAST_PX + 1, mask.shape[1] - _LEAST_PX + 1
    down = np.logical_and.reduce([mask[k : k + height] for k in steps])
    fits = np.logical_and.reduce([down[:, k : k + width] for k in steps])
    found = np.zeros_like(mask)
    for y in steps:
        for x in steps:
            found[y : y + height, x : x + width] |= fits
    return found


def _degrees(area: shapely.Geometry, scale: NDArray[np.float64], step: float, position: Position) -> list[Any]:
    """Rings of an area of the preview in degrees; empty if a corner is not on the earth."""
    dense = shapely.segmentize(area, step)
    rings = [shapely.get_coordinates(one) for one in (dense.exterior, *dense.interiors)]
    placed = [position.lonlat(ring * scale) for ring in rings]
    if not all(np.isfinite(ring).all() for ring in placed):
        return []
    return [ring.round(_DIGITS).tolist() for ring in placed]
