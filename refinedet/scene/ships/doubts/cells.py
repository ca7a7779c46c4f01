"""Square cells of a crop, which tell water from other things by the law of speckle. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from refinedet.scene.ships.measuring.crop import Crop
from refinedet.scene.ships.measuring.resolution import Grey, Mask
from refinedet.stretch.sea_level import speckle_law

NEAR_PX = 3
"""Pixels beside a box that may hold side lobes."""
HEAVY_TAIL, ROUGHEST = 0.25, 0.8
"""Tail and roughness beyond which a cell has bright points or a ship in it. Speckle of a single look has 0.52."""


class Cells(NamedTuple):
    """Statistics of square cells, (N, R, C) of N crops or (R, C) of one; NaN where a pixel was not measured."""

    level: Grey
    """Mean amplitude of the body of a cell: all but its brightest pixels."""
    rough: Grey
    """Standard deviation of the body over its mean."""
    tail: Grey
    """Height of the mean of all pixels above that of the body, in standard deviations of the body."""


def measure_cells(crops: Sequence[Crop], side: int) -> Cells:
    """Statistics (N, R, C) of the cells of that side that fit into crops, as many into each."""
    amplitude = np.stack([_blocks(crop.amplitude, side) for crop in crops])
    if all(crop.is_whole for crop in crops):
        flat = speckle_law(amplitude.reshape(-1, side**2), side**2)
        return Cells(*(values.astype(np.float64).reshape(amplitude.shape[:3]) for values in flat))
    whole = np.stack([_blocks(crop.valid, side).all(axis=2) for crop in crops])
    found = Cells(*np.full((3, *whole.shape), np.nan))
    if whole.any():
        for grid, values in zip(found, speckle_law(amplitude[whole], side**2), strict=True):
            grid[whole] = values
    return found


def cells_of(pixels: slice, side: int) -> slice:
    """Cells that hold some of these pixels."""
    return slice(pixels.start // side, -(-pixels.stop // side))


def _blocks(pixels: NDArray[Any], side: int) -> NDArray[Any]:
    """(R, C, side * side) pixels of the cells that fit."""
    rows, columns = (length // side for length in pixels.shape)
    cut = pixels[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return cut.swapaxes(1, 2).reshape(rows, columns, side * side)


def shares(mask: Mask, side: int) -> Grey:
    """(R, C) share of true pixels in the cells that fit."""
    lines, cells = _lines(mask, side)
    return np.asarray(lines.sum(axis=1, dtype=np.uint8).reshape(cells).sum(axis=2) / side**2)


def totals(pixels: NDArray[Any], side: int) -> NDArray[Any]:
    """(R, C) sum of the values in the cells that fit."""
    lines, cells = _lines(pixels, side)
    return np.asarray(lines.sum(axis=1).reshape(cells).sum(axis=2))


def highest(pixels: NDArray[Any], side: int) -> NDArray[Any]:
    """(R, C) highest value in the cells that fit."""
    lines, cells = _lines(pixels, side)
    return np.asarray(lines.max(axis=1).reshape(cells).max(axis=2))


def _lines(pixels: NDArray[Any], side: int) -> tuple[NDArray[Any], tuple[int, int, int]]:
    """(R, side, C * side) pixels of the cells that fit, and the shape (R, C, side) of one line of each cell."""
    rows, columns = (length // side for length in pixels.shape)
    return pixels[: rows * side, : columns * side].reshape(rows, side, columns * side), (rows, columns, side)


def enlarged(cells: Grey, side: int, shape: tuple[int, ...]) -> Grey:
    """(H, W) value of each pixel's cell; of the nearest cell beyond the last one."""
    rows, columns = (np.minimum(np.arange(n) // side, m - 1) for n, m in zip(shape, cells.shape, strict=True))
    return np.asarray(cells[rows[:, None], columns])
