"""Missing rows or columns amid measured ones, interpolated from the lines beside them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinedet.tiling import Window, enlarged

_WIDEST = 2
"""Most missing lines side by side that are interpolated."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Direction of the missing lines of a scene."""

    are_rows: bool
    """True for rows, False for columns."""

    def around(self, window: Window, height: int, width: int) -> Window:
        """Window with the lines on both sides from which pixels of `window` follow, cut at the borders of the scene."""
        down, right = (_WIDEST, 0) if self.are_rows else (0, _WIDEST)
        return enlarged(window, down, right, height, width)

    def filled(self, pixels: NDArray[np.generic], valid: NDArray[np.bool_]) -> NDArray[np.generic]:
        """Pixels (h, w) with gaps across the lines of at most two pixels interpolated linearly.

        Args:
            pixels: decoded pixels (h, w) of any real type.
            valid: (h, w) true where a pixel was measured.
        """
        across = np.moveaxis(pixels, 0 if self.are_rows else 1, 0)
        known = np.moveaxis(valid, 0 if self.are_rows else 1, 0)
        result = across.copy()
        for gap in range(1, _WIDEST + 1):
            for before in range(1, gap + 1):
                after = gap + 1 - before
                middle = slice(before, max(before, len(across) - after))
                first, second = across[: -gap - 1], across[gap + 1 :]
                ends = known[: -gap - 1] & known[gap + 1 :]
                hidden = ~known[middle]
                if gap > 1:
                    other = before + (1 if before == 1 else -1)
                    hidden &= ~known[other : other + len(first)]
                mean = (first.astype(np.float64) * after + second.astype(np.float64) * before) / (gap + 1)
                mean = np.rint(mean) if pixels.dtype.kind in "iu" else mean
                result[middle] = np.where(ends & hidden, mean, result[middle])
        return np.moveaxis(result, 0, 0 if self.are_rows else 1)
