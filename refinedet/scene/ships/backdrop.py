"""Backdrop of a detection: land that the image itself shows near it, and clutter that is no sea. Pure.

Water is told from land by the law of speckle, cell by cell. Wherever the sea is brighter, its roughness (standard
deviation over mean) stays that of the speckle. Land is brighter than the sea and rougher too. In pictures that were cut
off it is brighter and far smoother. The side lobes of bright ships are left out, because they follow neither law.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.scene.ships.blocks import Span
from refinedet.scene.ships.crop import Box, Crop, area_px, quantile, touched, with_neighbours
from refinedet.scene.ships.discs import may_hold_disc, opened
from refinedet.scene.ships.resolution import Grey, Mask
from refinedet.sea_level import least_level, speckle_law

_FINE_PX, _COARSE_PX = 8, 16
"""Sides of cells: the first follow a shore, the second have enough pixels for a level and a tail."""
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
_NEAR_PX = 3
"""Pixels beside a box that may hold side lobes."""
_HEAVY_TAIL, _ROUGHEST = 0.25, 0.8
"""Tail and roughness beyond which a cell has bright points or a ship in it. Speckle of a single look has 0.52."""
_UNEVEN_DB, _TAILED_SHARE = 0.9, 0.07
"""Clutter: median step in level between neighbouring cells without bright points, and least share of cells with them.
Sea has steps of 0.3 dB, with few looks, wind and swell up to 1.4, and then bright points in at most 6 of 100 cells."""
_VERY_UNEVEN_DB = 1.7
"""Step in level that no sea has, whatever its tails."""
_AS_BRIGHT_DB, _AS_BRIGHT_PER_PX = (6.0, 10.0), 4e-4
"""Other bright points count that lie at most this far below the detection; clutter has at least so many per pixel,
four in a square kilometre of 10 m pixels. Ships at anchor have at most two."""
_LEAST_STEPS = 12


class Sizes(NamedTuple):
    """Sizes in pixels that tell land from ships."""

    breadth: float
    """Breadth of the broadest ship as the sensor shows it."""
    area: float
    """Area of the largest ship as the sensor shows it."""


class Cells(NamedTuple):
    """Statistics of square cells (R, C); NaN where a pixel of the cell was not measured."""

    level: Grey
    """Mean amplitude of the body of a cell: all but its brightest pixels."""
    rough: Grey
    """Standard deviation of the body over its mean."""
    tail: Grey
    """Height of the mean of all pixels above that of the body, in standard deviations of the body."""


def land_distance(crop: Crop, box_xyxy: Box, ship: Sizes) -> float:
    """Distance in pixels from a box to the nearest land that the image shows; 0 if they touch, infinite without any.

    Args:
        crop: pixels around the box.
        box_xyxy: the box, in pixels of the crop.
        ship: sizes that land exceeds.
    """
    bright = crop.may_be_smoother(_BRIGHT * _least_dark(crop))
    if not (_may_be_land(bright, None, ship) and may_hold_disc(bright, ship.breadth)):
        return np.inf  # as a rule
    cells = measure_cells(crop, _FINE_PX)
    known = cells.level > 0
    if not known.any():
        return np.inf
    level = quantile(cells.level[known], _DARK_SHARE)
    dark = level**2
    if quantile(cells.rough[known & (cells.level <= level)], 0.5) > _ROUGHEST:
        return np.inf  # a picture that was cut off below: its dark parts follow no law
    bright = crop.valid & (crop.smoother > _BRIGHT * dark)
    if not _may_be_land(bright, known, ship):  # as a rule, and what follows takes long
        return np.inf
    lobes = _SIDE_LOBES * _cross(_highest(crop.smooth, _FINE_PX))
    bright &= crop.smoother > _enlarged(np.maximum(lobes, _BRIGHT * dark), bright.shape)
    if not _may_be_land(bright, known, ship):
        return np.inf
    labels, count = ndimage.label(opened(bright, ship.breadth))
    beyond = labels.copy()
    beyond[touched(labels.shape, box_xyxy, _NEAR_PX)] = 0
    sizes = np.bincount(beyond.ravel(), minlength=count + 1)[1:]
    sea = (_shares(bright, _FINE_PX) <= _WITHOUT) & known
    land = [
        one
        for one in 1 + np.flatnonzero(sizes >= ship.area)
        if _is_land(cells, _shares(labels == one, _FINE_PX) >= _WITHIN, sea, dark)
    ]
    if not land:
        return np.inf
    return _distance(np.isin(labels, land), touched(labels.shape, box_xyxy, 0))


def _least_dark(crop: Crop) -> float:
    """Power of the darkest cells, or less; quick."""
    rows, columns = (length // _FINE_PX for length in crop.power.shape)
    if not (rows and columns):
        return 0.0
    cut = slice(rows * _FINE_PX), slice(columns * _FINE_PX)
    lines = crop.amplitude[cut].reshape(rows, _FINE_PX, -1)
    total = lines.sum(axis=1).reshape(rows, columns, _FINE_PX).sum(axis=2)
    highest = lines.max(axis=1).reshape(rows, columns, _FINE_PX).max(axis=2)
    level = np.maximum(least_level(total, highest, _FINE_PX**2), 0)
    if not crop.is_whole:
        level[_shares(crop.valid, _FINE_PX) < 1] = 0
    return quantile(level.ravel(), _DARK_SHARE) ** 2


def _may_be_land(bright: Mask, known: Mask | None, ship: Sizes) -> bool:
    """Tell if so many pixels are bright, and so many cells filled with them, as a quick test; None: all are known."""
    if np.count_nonzero(bright) < ship.area:
        return False
    filled = _shares(bright, _FINE_PX) >= _WITHIN
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


def is_clutter(crop: Crop, box_xyxy: Box) -> bool:
    """Tell a box amid bright uneven clutter, such as a city, from one at sea; the arguments are of `land_distance`.

    Clutter has uneven cells, many of them with bright points, and many points about as bright as the detection.
    """
    if not _may_have_points(crop, box_xyxy):
        return False
    cells = measure_cells(crop, _COARSE_PX)
    around = cells.level > 0
    rows, columns = touched(crop.power.shape, box_xyxy, _NEAR_PX)
    around[_cells_of(rows, _COARSE_PX), _cells_of(columns, _COARSE_PX)] = False
    calm = around & (cells.tail <= _HEAVY_TAIL) & (cells.rough <= _ROUGHEST)
    db = np.where(calm, 20 * np.log10(np.where(calm, cells.level, 1)), np.nan)
    steps = np.concatenate([np.abs(np.diff(db, axis=axis)).ravel() for axis in (0, 1)])
    steps = steps[np.isfinite(steps)]
    if len(steps) < _LEAST_STEPS:
        return False
    step, tailed = quantile(steps, 0.5), float((cells.tail[around] > _HEAVY_TAIL).mean())
    uneven = step > _UNEVEN_DB and tailed > _TAILED_SHARE
    return (uneven or step > _VERY_UNEVEN_DB) and _points_around(crop.smooth, box_xyxy) >= _AS_BRIGHT_PER_PX


def _may_have_points(crop: Crop, box_xyxy: Box) -> bool:
    """Tell if there are as many pixels as bright as the points of clutter, as a quick test."""
    peak = crop.smooth_in(touched(crop.power.shape, box_xyxy, 0)).max(initial=0.0)
    bright = crop.most_smooth(peak * 10 ** (-max(_AS_BRIGHT_DB) / 10))
    return bright / max(_far_px(crop.power, box_xyxy), 1) >= _AS_BRIGHT_PER_PX


def _points_around(smooth: Grey, box_xyxy: Box) -> float:
    """Bright points around a box, per pixel."""
    peak = smooth[touched(smooth.shape, box_xyxy, 0)].max(initial=0.0)
    near = touched(smooth.shape, box_xyxy, _FINE_PX)
    most = 0
    for below in _AS_BRIGHT_DB:
        points = with_neighbours(smooth >= peak * 10 ** (-below / 10))
        labels, _ = ndimage.label(points, np.ones((3, 3)))
        labels[near] = 0
        most = max(most, int(np.count_nonzero(np.bincount(labels.ravel())[1:])))
    return most / max(_far_px(smooth, box_xyxy), 1)


def _far_px(smooth: Grey, box_xyxy: Box) -> int:
    """Pixels in which bright points are counted: all but those around the box."""
    return smooth.size - area_px(touched(smooth.shape, box_xyxy, _FINE_PX))


def measure_cells(crop: Crop, side: int) -> Cells:
    """Statistics of the cells of that side that fit into a crop."""
    amplitude = _blocks(crop.amplitude, side)
    if crop.is_whole:
        flat = speckle_law(amplitude.reshape(-1, side**2), side**2)
        return Cells(*(values.astype(np.float64).reshape(amplitude.shape[:2]) for values in flat))
    whole = _blocks(crop.valid, side).all(axis=2)
    found = Cells(*np.full((3, *whole.shape), np.nan))
    if whole.any():
        for grid, values in zip(found, speckle_law(amplitude[whole], side**2), strict=True):
            grid[whole] = values
    return found


def _cells_of(pixels: slice, side: int) -> slice:
    """Cells that hold some of these pixels."""
    return slice(pixels.start // side, -(-pixels.stop // side))


def _cross(peaks: Grey) -> Grey:
    """Largest value along each cell's row and column."""
    filters = ((3, _LOBE_CELLS), (_LOBE_CELLS, 3))
    along = [ndimage.maximum_filter(peaks, size, mode="constant") for size in filters]
    return np.asarray(np.maximum(*along))


def _blocks(pixels: NDArray[Any], side: int) -> NDArray[Any]:
    """(R, C, side * side) pixels of the cells that fit."""
    rows, columns = (length // side for length in pixels.shape)
    cut = pixels[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return cut.swapaxes(1, 2).reshape(rows, columns, side * side)


def _shares(mask: Mask, side: int) -> Grey:
    """(R, C) share of true pixels in the cells that fit."""
    rows, columns = (length // side for length in mask.shape)
    lines = mask[: rows * side, : columns * side].reshape(rows, side, columns * side).sum(axis=1, dtype=np.uint8)
    return np.asarray(lines.reshape(rows, columns, side).sum(axis=2) / side**2)


def _highest(pixels: Grey, side: int) -> Grey:
    """(R, C) highest value in the cells that fit."""
    rows, columns = (length // side for length in pixels.shape)
    lines = pixels[: rows * side, : columns * side].reshape(rows, side, columns * side).max(axis=1)
    return np.asarray(lines.reshape(rows, columns, side).max(axis=2))


def _enlarged(cells: Grey, shape: tuple[int, ...]) -> Grey:
    """(H, W) value of each pixel's cell; of the nearest cell beyond the last one."""
    rows, columns = (np.minimum(np.arange(n) // _FINE_PX, m - 1) for n, m in zip(shape, cells.shape, strict=True))
    return np.asarray(cells[rows[:, None], columns])
