"""Single lost pixels amid measured ones, interpolated from the pixels around them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinedet.tiling import Window, enlarged

_PASSES = 6
"""Number of times that pixels are interpolated, each time from those of the time before too."""
_LEAST_AROUND = 4
"""Least number of known pixels among the eight around a hole. A straight border of padding has three."""


@dataclass(frozen=True, slots=True)
class Holes:
    """Rule for lost pixels that lie single or in small groups."""

    def around(self, window: Window, height: int, width: int) -> Window:
        """Window with all pixels from which those of `window` follow, cut at the borders of the scene."""
        return enlarged(window, _PASSES, _PASSES, height, width)

    def filled(self, pixels: NDArray[np.generic], valid: NDArray[np.bool_]) -> NDArray[np.generic]:
        """Pixels (h, w) with the mean of the known pixels around in each hole; areas of padding stay as they are.

        Args:
            pixels: decoded pixels (h, w) of any real type.
            valid: (h, w) true where a pixel was measured.
        """
        known = valid
        values = np.where(valid, pixels, 0).astype(np.float64)
        for _ in range(_PASSES):
            number = sum_around(known.astype(np.float64))
            new = ~known & (number >= _LEAST_AROUND)
            if not new.any():
                break
            values = np.where(new, sum_around(values) / np.maximum(number, 1), values)
            known = known | new
        means = np.rint(values) if pixels.dtype.kind in "iu" else values
        return np.where(known & ~valid, means.astype(pixels.dtype), pixels)


def sum_around(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums (h, w) of the eight pixels around each pixel of (h, w); pixels beyond the border count as 0."""
    padded = np.pad(values, 1)
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return np.asarray(rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:] - values)
