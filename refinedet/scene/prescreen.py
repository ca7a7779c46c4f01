"""Whether anything in a chip stands out from what surrounds it: a cheap CFAR test, so that calm sea is not looked at.

The chip is averaged over 2 x 2 pixels, then over 3 x 3 of those: a ship of any size keeps most of its contrast, speckle
loses most of its own. The background of a cell of 32 x 32 pixels has the median of the means, and of the standard
deviations, of that cell and its eight neighbours, so that a ship, or the shore, hides nothing beside it. Something
stands out where a mean lies more than `k` of those deviations above that background. Pure; RGB always stands out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from refinedet.tiling import Window

K = 6.0
"""In each of the 928 training images of SSDD, which all show ships, something exceeds this: benchmarks/prescreen.py."""

_MEAN_PX, _SMOOTH, _CELL = 2, 3, 16
_CALMEST = 0.5
"""Least standard deviation, in 8-bit steps: in a flat surrounding one step is no ship."""


def stands_out(chip: NDArray[np.uint8], part: Window, k: float = K) -> bool:
    """Whether anything stands out in one part of a chip; true where too little was measured to tell.

    Args:
        chip: (H, W) or (H, W, 3), 8 bits; 0: not measured.
        part: in the pixels of the chip.
        k: in standard deviations.
    """
    if chip.ndim == 3 or min(chip.shape) < _MEAN_PX:
        return True
    rows = slice(part.y // _MEAN_PX, -(-(part.y + part.height) // _MEAN_PX))
    columns = slice(part.x // _MEAN_PX, -(-(part.x + part.width) // _MEAN_PX))
    return bool((contrast(chip)[rows, columns] > k).any())


def contrast(chip: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How far each 2 x 2 pixels of a chip (H, W) stand out, in standard deviations: (H / 2, W / 2), rounded up."""
    means = np.asarray(Image.fromarray(chip).reduce(_MEAN_PX))
    height, width = means.shape
    fill = ((0, -height % _CELL), (0, -width % _CELL))
    full = np.pad(means, fill) if fill != ((0, 0), (0, 0)) else means
    cells = _smoothed(full).reshape(full.shape[0] // _CELL, _CELL, -1, _CELL)
    level, spread = _background(cells, (full > 0).reshape(cells.shape))
    apart = (cells - level[:, None, :, None]) * (1 / spread)[:, None, :, None]
    return np.asarray(apart.reshape(full.shape)[:height, :width])


def _smoothed(means: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Means over 3 x 3."""
    edged = np.pad(means.astype(np.uint16), 1, mode="edge")
    rows = edged[:-2] + edged[1:-1] + edged[2:]
    sums = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    return np.asarray(sums * np.float32(1 / _SMOOTH**2))


def _background(cells: NDArray[np.float32], measured: NDArray[np.bool_]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean and standard deviation around each cell; a cell less than half measured has those of the whole chip."""
    weight = measured.astype(np.float32)
    count = _sums(weight)
    known = count >= _CELL * _CELL / 2
    if not known.any():
        return np.zeros(count.shape, np.float32), np.ones(count.shape, np.float32)
    count = np.maximum(count, 1)
    values = cells * weight
    mean = _sums(values) / count
    spread = np.sqrt(np.maximum(_sums(values * values) / count - mean * mean, 0))
    mean, spread = (np.where(known, one, np.median(one[known])) for one in (mean, spread))
    return _middle(mean), np.maximum(_middle(spread), np.float32(_CALMEST))


def _sums(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """Over each cell: one axis after the other, which is eight times faster than both at once."""
    return np.asarray(cells.sum(axis=1).sum(axis=2))


def _middle(values: NDArray[Any]) -> NDArray[Any]:
    """The median of each cell and its eight neighbours; at the edge those within stand for those beyond it."""
    rows, columns = values.shape
    edged = np.pad(values, 1, mode="reflect")
    around = [edged[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    return np.asarray(np.partition(np.stack(around), 4, axis=0)[4])
