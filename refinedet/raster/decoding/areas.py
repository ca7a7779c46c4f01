"""Areas of one value in a scene, as opposed to scattered single pixels. Pure.

A scene is divided into cells of 16 x 16 pixels from its first pixel. Pixels of the value lie in an area if their cell,
or one of the eight cells around it, holds nothing else. So the result for a pixel does not depend on the window. Even
if noise removal leaves three quarters of the sea as zeros, they hardly ever fill a cell.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.tiling import Window

Flags = NDArray[np.bool_]

CELL_PX = 16
"""Side of a cell in pixels."""


def holds(bands: NDArray[Any], value: float) -> Flags:
    """(h, w) true where all bands (n, h, w) hold `value`; NaN means any value that is not finite."""
    return np.asarray((~np.isfinite(bands) if np.isnan(value) else bands == value).all(axis=0))


def share(flags: Flags) -> float:
    """Share of true ones, in [0, 1]; for none at all 0. Many times as fast as their mean."""
    return np.count_nonzero(flags) / max(flags.size, 1)


def around(window: Window, height: int, width: int) -> Window:
    """Window of the cells of `window` and the cells beside them, cut at the borders of a scene of that size."""
    (y, bottom), (x, right) = (
        (max(0, (first // CELL_PX - 1) * CELL_PX), min(size, (-(-(first + count) // CELL_PX) + 1) * CELL_PX))
        for first, count, size in ((window.y, window.height, height), (window.x, window.width, width))
    )
    return Window(y, x, bottom - y, right - x)


def in_areas(flags: Flags) -> Flags:
    """(H, W) true where true pixels lie in an area; `flags` (H, W) are those of a window from `around`."""
    if not flags.any():
        return flags
    height, width = flags.shape
    rows, columns = height // CELL_PX, width // CELL_PX
    full = np.zeros((-(-height // CELL_PX), -(-width // CELL_PX)), np.bool_)
    whole = flags[: rows * CELL_PX, : columns * CELL_PX].reshape(rows, CELL_PX, columns, CELL_PX)
    full[:rows, :columns] = np.all(np.all(whole, axis=1), axis=2)
    spread = np.repeat(np.repeat(grown(full, 1), CELL_PX, axis=0)[:height], CELL_PX, axis=1)[:, :width]
    return np.asarray(flags & spread)


def opened(flags: Flags, side: int) -> Flags:
    """True where true pixels fill a square of `side` pixels; pixels beyond the border count. For thinned scenes."""
    padded = framed(flags, side, fill=True)
    kept = squares(framed(squares(padded, side, np.logical_and), side - 1, fill=False), side, np.logical_or)
    return np.asarray(kept[side:-side, side:-side])


def grown(flags: Flags, reach: int) -> Flags:
    """True within `reach` pixels of a true one, along rows, columns and diagonals."""
    return squares(framed(flags, reach, fill=False), 2 * reach + 1, np.logical_or)


def framed(flags: Flags, width: int, *, fill: bool) -> Flags:
    """Flags (H, W) with a frame of that width around them; `np.pad` takes five to eight times as long."""
    height, length = flags.shape
    found = np.full((height + 2 * width, length + 2 * width), fill)
    found[width : width + height, width : width + length] = flags
    return found


def runs(flags: Flags, length: int, join: np.ufunc, axis: int) -> Flags:
    """All (`np.logical_and`) or any (`np.logical_or`) of `length` flags from each one on, as far as so many follow.

    The runs double in length step by step, which is many times faster than a filter of the whole length.
    """
    lines, have = flags if axis == 0 else flags.T, 1
    while have < length:
        step = min(have, length - have)
        lines, have = join(lines[: len(lines) - step], lines[step:]), have + step
    return lines if axis == 0 else lines.T


def squares(flags: Flags, side: int, join: np.ufunc) -> Flags:
    """All or any of the flags in each square of `side` pixels inside: (h - side + 1, w - side + 1)."""
    return runs(runs(flags, side, join, 0), side, join, 1)
