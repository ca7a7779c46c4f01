"""Straight lines that are drawn on a grey picture in 8 bits: frames, graticules and axes of one grey. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_REACH_PX = 3
"""Distance at which a line is compared with what lies on both sides of it: lines are at most this wide."""
_CLEAR_STEPS, _EVEN_STEPS = 48, 12
"""Least difference in grey of a line from both sides, and largest one between its neighbouring pixels."""
_LEAST_PX = 20
"""Least length of a line: a frame around a ship has such sides. Speckle is never so even."""
_LEAST_LINES = 2
"""Least number of lines along the rows and along the columns: side lobes of a bright ship are one of each."""


def has_drawn_lines(grey: NDArray[np.uint8]) -> bool:
    """True if straight lines of even grey lie along rows and along columns of a picture (h, w)."""
    values = grey.astype(np.int16)
    return all(_lines(along) >= _LEAST_LINES for along in (values, values.T))


def _lines(values: NDArray[np.int16]) -> int:
    """Number of straight lines along the rows."""
    if min(values.shape) <= max(2 * _REACH_PX, _LEAST_PX):
        return 0
    line, above, below = values[_REACH_PX:-_REACH_PX], values[: -2 * _REACH_PX], values[2 * _REACH_PX :]
    is_bright = line - np.maximum(above, below) >= _CLEAR_STEPS
    is_dark = np.minimum(above, below) - line >= _CLEAR_STEPS
    even = np.abs(np.diff(line, axis=1)) <= _EVEN_STEPS
    rows = [_has_run(clear[:, 1:] & clear[:, :-1] & even) for clear in (is_bright, is_dark)]
    at = np.flatnonzero(rows[0] | rows[1])
    return int(np.count_nonzero(np.diff(at) > _REACH_PX)) + bool(at.size)


def _has_run(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(h,) true for rows of flags (h, w) with enough true ones side by side."""
    sums = np.cumsum(flags, axis=1, dtype=np.int32)
    return np.asarray((sums[:, _LEAST_PX:] - sums[:, :-_LEAST_PX] == _LEAST_PX).any(axis=1))
