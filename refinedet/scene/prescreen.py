"""Whether anything in a chip stands out from what surrounds it: a cheap CFAR test, so that calm sea is not looked at.

The chip is averaged over 2 x 2 pixels, then over 3 x 3 of those: a ship of any size keeps most of its contrast, speckle
loses most of its own. The background of a cell of 16 x 16 pixels is that of the calmer cells among the 5 x 5 around it:
the third part from below of their means, and of their standard deviations, so that neither a large ship, nor others
beside it, nor the shore hides anything. Something stands out where a mean lies more than `k` of those deviations above
that background. Pure; RGB always stands out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image

from refinedet.tiling import Window

K = 8.0
"""A seventh less than the least that stands out in any of SSDD's 928 images of train and val, which all show ships:
benchmarks/prescreen.py."""

_MEAN_PX, _SMOOTH, _CELL, _REACH, _RANK = 2, 3, 8, 2, 8
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
    # whole rows at a time: NumPy is slow on runs of eight values
    bands = cells.reshape(len(cells), _CELL, -1)
    level, scale = (np.repeat(one, _CELL, axis=1)[:, None] for one in (level, 1 / spread))
    return np.asarray(((bands - level) * scale).reshape(full.shape)[:height, :width])


def _smoothed(means: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Means over 3 x 3."""
    edged = np.pad(means, 1, mode="edge").astype(np.uint16)
    rows = edged[:-2] + edged[1:-1] + edged[2:]
    sums = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    return np.asarray(sums.astype(np.float32) / np.float32(_SMOOTH**2))


def _background(cells: NDArray[np.float32], measured: NDArray[np.bool_]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean and standard deviation around each cell; a cell less than half measured has those of the whole chip."""
    size = np.float32(_CELL * _CELL)
    known = None
    if measured.all():
        count: Any = size
    else:
        count = _sums(measured.astype(np.float32))
        known = count >= size / 2
        if not known.any():
            return np.zeros(count.shape, np.float32), np.ones(count.shape, np.float32)
        count, cells = np.maximum(count, 1), cells * measured
    mean = _sums(cells) / count
    spread = np.sqrt(np.maximum(_sums(cells * cells) / count - mean * mean, 0))
    if known is not None:
        mean, spread = (np.where(known, one, np.median(one[known])) for one in (mean, spread))
    return _calm(mean), np.maximum(_calm(spread), np.float32(_CALMEST))


def _sums(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """Over each cell: one axis after the other, which is eight times faster than both at once."""
    return np.asarray(cells.sum(axis=1).sum(axis=2))


def _calm(values: NDArray[Any]) -> NDArray[Any]:
    """The ninth from below of the 25 around each cell; at the edge those within stand for those beyond it."""
    side = 2 * _REACH + 1
    around = sliding_window_view(np.pad(values, _REACH, mode="reflect"), (side, side))
    return np.asarray(np.partition(around.reshape(*values.shape, side * side), _RANK)[..., _RANK])
