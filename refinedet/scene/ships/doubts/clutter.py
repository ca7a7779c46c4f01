"""Detections amid bright uneven clutter that is no sea, such as a city. Pure.

Clutter has uneven cells, many of them with bright points, and many points about as bright as the detection.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.scene.ships.doubts.cells import HEAVY_TAIL, NEAR_PX, ROUGHEST, cells_of, measure_cells
from refinedet.scene.ships.measuring.crop import Box, Crop, area_px, touched, with_neighbours
from refinedet.scene.ships.measuring.resolution import Grey

CLUTTER = "clutter"
"""Flag: the box lies amid bright uneven clutter, such as a city, and not in water."""

_CELL_PX = 16
"""Side of cells that have enough pixels for a level and a tail."""
_BESIDE_PX = 8
"""Pixels beside a box in which no bright points are counted."""
_UNEVEN_DB, _TAILED_SHARE = 0.9, 0.07
"""Clutter: median step in level between neighbouring cells without bright points, and least share of cells with them.
Sea has steps of 0.3 dB, with few looks, wind and swell up to 1.4, and then bright points in at most 6 of 100 cells."""
_VERY_UNEVEN_DB = 1.7
"""Step in level that no sea has, whatever its tails."""
_AS_BRIGHT_DB, _AS_BRIGHT_PER_PX = (6.0, 10.0), 4e-4
"""Other bright points count that lie at most this far below the detection; clutter has at least so many per pixel,
four in a square kilometre of 10 m pixels. Ships at anchor have at most two."""
_LEAST_STEPS = 12


def amid_clutter(crops: Sequence[Crop], boxes: Sequence[Box]) -> list[bool]:
    """Tell boxes amid clutter from those at sea; crops and boxes are those of `backdrop.land_distance`."""
    found = [False] * len(crops)
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, (crop, box) in enumerate(zip(crops, boxes, strict=True)):
        if _may_have_points(crop, box):
            groups.setdefault(tuple(side // _CELL_PX for side in crop.power.shape), []).append(index)
    for members in groups.values():
        uneven = _are_uneven([crops[k] for k in members], [boxes[k] for k in members])
        for index in np.array(members)[uneven].tolist():
            found[index] = _points_around(crops[index].smooth, boxes[index]) >= _AS_BRIGHT_PER_PX
    return found


def _are_uneven(crops: Sequence[Crop], boxes: Sequence[Box]) -> NDArray[np.bool_]:
    """(N,) true for crops, as many cells in each, whose cells are as uneven as clutter."""
    cells = measure_cells(crops, _CELL_PX)
    around = cells.level > 0
    for grid, crop, box in zip(around, crops, boxes, strict=True):
        rows, columns = touched(crop.power.shape, box, NEAR_PX)
        grid[cells_of(rows, _CELL_PX), cells_of(columns, _CELL_PX)] = False
    calm = around & (cells.tail <= HEAVY_TAIL) & (cells.rough <= ROUGHEST)
    db = np.where(calm, 20 * np.log10(np.where(calm, cells.level, 1)), np.nan)
    steps = np.concatenate([np.abs(np.diff(db, axis=axis)).reshape(len(crops), -1) for axis in (1, 2)], axis=1)
    count = np.isfinite(steps).sum(axis=1)
    if not steps.shape[1]:
        return np.zeros(len(crops), np.bool_)
    ranked, middle = np.sort(steps, axis=1), np.maximum(count - 1, 0)  # unknown ones are last
    step = np.take_along_axis(ranked, np.stack([middle // 2, (middle + 1) // 2], axis=1), 1).mean(axis=1)
    tailed = (around & (cells.tail > HEAVY_TAIL)).sum(axis=(1, 2)) / np.maximum(around.sum(axis=(1, 2)), 1)
    uneven = (step > _UNEVEN_DB) & (tailed > _TAILED_SHARE) | (step > _VERY_UNEVEN_DB)
    return np.asarray((count >= _LEAST_STEPS) & uneven)


def _may_have_points(crop: Crop, box_xyxy: Box) -> bool:
    """Tell if there are as many pixels as bright as the points of clutter, as a quick test."""
    peak = crop.smooth_in(touched(crop.power.shape, box_xyxy, 0)).max(initial=0.0)
    bright = crop.most_smooth(peak * 10 ** (-max(_AS_BRIGHT_DB) / 10))
    return bright / max(_far_px(crop.power, box_xyxy), 1) >= _AS_BRIGHT_PER_PX


def _points_around(smooth: Grey, box_xyxy: Box) -> float:
    """Bright points around a box, per pixel."""
    peak = smooth[touched(smooth.shape, box_xyxy, 0)].max(initial=0.0)
    near = touched(smooth.shape, box_xyxy, _BESIDE_PX)
    most = 0
    for below in _AS_BRIGHT_DB:
        points = with_neighbours(smooth >= peak * 10 ** (-below / 10))
        labels, _ = ndimage.label(points, np.ones((3, 3)))
        labels[near] = 0
        most = max(most, int(np.count_nonzero(np.bincount(labels.ravel())[1:])))
    return most / max(_far_px(smooth, box_xyxy), 1)


def _far_px(smooth: Grey, box_xyxy: Box) -> int:
    """Pixels in which bright points are counted: all but those around the box."""
    return smooth.size - area_px(touched(smooth.shape, box_xyxy, _BESIDE_PX))
