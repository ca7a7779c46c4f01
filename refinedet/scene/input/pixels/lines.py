"""Whole lines of missing pixels amid measured ones, as in a raster whose pixels were spread without interpolation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.raster.decoding.areas import Flags, holds, opened, share
from refinedet.raster.decoding.lines import Lines

_WHOLE = 0.9
"""Least share of a line outside of areas that is missing."""
_MOSTLY = 0.8
"""Least share of the scattered missing pixels that lie in such lines."""
_NOTABLE = 0.005
"""Least share of missing pixels that hide ships."""


def find_lines(sample: NDArray[Any], value: float, side: int) -> tuple[Lines, float] | None:
    """Direction and share of the pixels of rows or columns that are missing; None if single pixels or none are.

    Args:
        sample: stored values (h, w) of a scene.
        value: value of missing pixels; NaN means any value that is not finite.
        side: side of an area in pixels of the sample.
    """
    if sample.ndim != 2:
        return None
    missing = holds(sample[None], value)
    if share(missing) < _NOTABLE or not _has_line(missing):
        return None
    areas = opened(missing, side)
    single = missing & ~areas
    if share(single) < _NOTABLE:
        return None
    for axis, are_rows in ((1, True), (0, False)):
        open_ = _counts(~areas, axis)
        count = _counts(single, axis)
        whole = (open_ > 0) & (count >= _WHOLE * open_)
        if count[whole].sum() >= _MOSTLY * np.count_nonzero(single):
            return Lines(are_rows), share(single)
    return None


def _has_line(missing: Flags) -> bool:
    """True if most pixels of some row or column are missing, as a quick test."""
    return any(_counts(missing, axis).max() >= _WHOLE * missing.shape[axis] for axis in (0, 1))


def _counts(flags: Flags, axis: int) -> NDArray[np.uint16]:
    """Number of true ones along an axis of a sample."""
    return np.asarray(flags.sum(axis=axis, dtype=np.uint16))
