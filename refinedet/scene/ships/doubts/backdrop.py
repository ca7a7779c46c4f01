"""Land near a detection that the image itself shows. Pure.

Water is told from land by the law of speckle, cell by cell. Wherever the sea is brighter, its roughness (standard
deviation over mean) stays that of the speckle. Land is brighter than the sea and rougher too. In pictures that were cut
off it is brighter and far smoother. The side lobes of bright ships are left out, because they follow neither law.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from refinedet.scene.ships.doubts.cells import (
    NEAR_PX,
    ROUGHEST,
    Cells,
    enlarged,
    highest,
    measure_cells,
    shares,
    totals,
)
from refinedet.scene.ships.doubts.discs import most_opened, opened
from refinedet.scene.ships.measuring.blocks import Span
from refinedet.scene.ships.measuring.crop import Box, Crop, quantile, touched
from refinedet.scene.ships.measuring.resolution import Grey, Mask
from refinedet.stretch.sea_level import least_level

_FINE_PX = 8
"""Side of cells that follow a shore."""
_DARK_SHARE = 0.2
"""Share of the cells that are the darkest: water, if there is any."""
_BRIGHT = 3.0
"""Least power of land over the darkest cells."""
_SIDE_LOBES, _LOBE_CELLS = 10**-2.5, 11
"""Power of side lobes against their ship, and the length of the cross that they draw, in fine cells."""
_ROUGHER, _SMOOTHER = 1.2, 0.55
"""Ratios of the roughness of land to that of the sea: at least and at most. Bright and dark sea differ by a tenth."""
_SURELY_LAND = 10**1.2
"""Power of land over the darkest cells beyond which its roughness is not asked: no wind changes the sea that much."""
_WITHIN, _WITHOUT = 0.9, 0.05
"""Least share of a cell of land that is land, and largest one of a cell of sea that is bright."""
_LEAST_CELLS = 3


class Sizes(NamedTuple):
    """Sizes in pixels that tell land from ships."""

    breadth: float
    """Breadth of the broadest ship as the sensor shows it."""
    area: float
    """Area of the largest ship as the sensor shows it."""


def land_distance(crop: Crop, box_xyxy: Box, ship: Sizes, within_px: float = np.inf) -> float:
    """Distance in pixels from a box to the nearest land that the image shows; 0 if they touch, infinite without any.

    Args:
        crop: pixels around the box.
        box_xyxy: the box, in pixels of the crop.
        ship: sizes that land exceeds.
        within_px: distance beyond which land does not matter, so that it may be overlooked.
    """
    if not _may_have_land(crop, box_xyxy, ship, within_px):
        return np.inf  # as a rule
    return _land_distance(crop, box_xyxy, ship)


def _land_distance(crop: Crop, box_xyxy: Box, ship: Sizes) -> float:
    cells = Cells(*(values[0] for values in measure_cells([crop], _FINE_PX)))
    known = cells.level > 0
    if not known.any():
        return np.inf
    level = quantile(cells.level[known], _DARK_SHARE)
    dark = level**2
    if quantile(cells.rough[known & (cells.level <= level)], 0.5) > ROUGHEST:
        return np.inf  # a picture that was cut off below: its dark parts follow no law
    bright = crop.valid & (crop.smoother > _BRIGHT * dark)
    if not _may_be_land(bright, known, ship):  # as a rule, and what follows takes long
        return np.inf
    lobes = _SIDE_LOBES * _cross(highest(crop.smooth, _FINE_PX))
    bright &= crop.smoother > enlarged(np.maximum(lobes, _BRIGHT * dark), _FINE_PX, bright.shape)
    if not _may_be_land(bright, known, ship):
        return np.inf
    labels, count = ndimage.label(opened(bright, ship.breadth))
    beyond = labels.copy()
    beyond[touched(labels.shape, box_xyxy, NEAR_PX)] = 0
    sizes = np.bincount(beyond.ravel(), minlength=count + 1)[1:]
    sea = (shares(bright, _FINE_PX) <= _WITHOUT) & known
    land = [
        one
        for one in 1 + np.flatnonzero(sizes >= ship.area)
        if _is_land(cells, shares(labels == one, _FINE_PX) >= _WITHIN, sea, dark)
    ]
    if not land:
        return np.inf
    return _distance(np.isin(labels, land), touched(labels.shape, box_xyxy, 0))


def _may_have_land(crop: Crop, box_xyxy: Box, ship: Sizes, within_px: float) -> bool:
    """Tell if there may be an area of land that near, as a quick test."""
    bright = crop.may_be_smoother(_BRIGHT * _least_dark(crop))
    if not _may_be_land(bright, None, ship):
        return False
    broad = most_opened(bright, ship.breadth)
    near = broad[touched(broad.shape, box_xyxy, min(within_px, max(broad.shape)) + 1)]
    return bool(near.any() and np.count_nonzero(broad) >= ship.area)


def _least_dark(crop: Crop) -> float:
    """Power of the darkest cells, or less; quick."""
    if min(crop.power.shape) < _FINE_PX:
        return 0.0
    total, most = totals(crop.amplitude, _FINE_PX), highest(crop.amplitude, _FINE_PX)
    level = np.maximum(least_level(total, most, _FINE_PX**2), 0)
    if not crop.is_whole:
        level[shares(crop.valid, _FINE_PX) < 1] = 0
    return quantile(level.ravel(), _DARK_SHARE) ** 2


def _may_be_land(bright: Mask, known: Mask | None, ship: Sizes) -> bool:
    """Tell if so many pixels are bright, and so many cells filled with them, as a quick test; None: all are known."""
    if np.count_nonzero(bright) < ship.area:
        return False
    filled = shares(bright, _FINE_PX) >= _WITHIN
    return int(np.count_nonzero(filled if known is None else known & filled)) >= _LEAST_CELLS


def _distance(mask: Mask, span: Span) -> float:
    """Least distance in pixels between true pixels, one at least, and those of a span; infinite if that is empty."""
    apart = []
    for pixels, length in zip(span, mask.shape, strict=True):
        if pixels.start >= pixels.stop:
            return np.inf
        place = np.arange(length)
        apart.append(np.maximum(np.maximum(pixels.start - place, place - pixels.stop + 1), 0) ** 2)
    return float(np.sqrt(np.add.outer(*apart)[mask].min()))


def _is_land(cells: Cells, within: Mask, sea: Mask, dark: float) -> bool:
    """Tell a bright area with the cells `within` it from a bright part of the sea."""
    within = within & (cells.level > 0)
    if within.sum() < _LEAST_CELLS:
        return False
    if float(np.median(cells.level[within])) ** 2 > _SURELY_LAND * dark:
        return True
    if sea.sum() < _LEAST_CELLS:
        return False
    land, water = float(np.median(cells.rough[within])), float(np.median(cells.rough[sea]))
    return water > 0 and not _SMOOTHER * water < land < _ROUGHER * water


def _cross(peaks: Grey) -> Grey:
    """Largest value along each cell's row and column."""
    filters = ((3, _LOBE_CELLS), (_LOBE_CELLS, 3))
    along = [ndimage.maximum_filter(peaks, size, mode="constant") for size in filters]
    return np.asarray(np.maximum(*along))
