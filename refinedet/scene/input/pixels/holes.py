"""Single pixels of one value amid others: lost ones, such as gaps of a geocoding, and measured ones.

Removed noise leaves gaps too, but in dark sea.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.raster.decoding.areas import holds, share
from refinedet.raster.decoding.holes import sum_around
from refinedet.scene.input.pixels.fill import is_dark, scattered, share_of

_NOTABLE, _FEW_BEGIN = 0.003, 0.2
"""Least share of lost pixels that hide ships, and the least share of them that begin a run of such pixels in a row."""
_LEAST_KNOWN = 4
"""Least number of known pixels among the eight around a pixel that is judged by them; at a straight border of padding
there are three."""
_CORRELATED, _APART_PX = 0.85, 4
"""Largest difference of neighbouring pixels that correlate, relative to that of pixels so far apart; 1 without any
correlation. Pixels of 10 m of a detected product have 0.63."""
_BEYOND = 0.01
"""Largest share of the measured values on one side of the value of lost pixels."""
_INSIDE = 0.001
"""Least share of a sample on each side of a declared value that the sea or its ships have."""
_STEPS = 4
"""Most lost pixels side by side that are replaced for the search of fill."""
_LEAST_SEEN = 200
"""Least number of missing pixels from which their surroundings tell something."""
_AS_BRIGHT = (0.45, 0.75)
"""Probability that the surroundings of a lost pixel are brighter than those of a measured one: least and greatest.
Without any relation it is 0.5. It is below 0.4 where noise was removed, because neighbouring pixels correlate, and near
1 around bright pixels that were cut off."""


def lost_share(sample: NDArray[Any], value: float, side: int) -> float:
    """Share of a sample (h, w) that holds a value in single pixels, far from any area of it; 0 below a notable share.

    Args:
        sample: stored values.
        value: value of missing pixels; NaN means any value that is not finite.
        side: side of an area in pixels of the sample.
    """
    missing = holds(sample[None], value)
    begins = missing[:, 1:] & ~missing[:, :-1]  # areas have few such pixels, as a quick test
    if share(begins) < _FEW_BEGIN * _NOTABLE:
        return 0.0
    single = scattered(missing, side)
    return single if single >= _NOTABLE else 0.0


def are_lost(blocks: Iterable[NDArray[Any]], value: float) -> bool:
    """True if pixels of `value` are missing wherever it is bright or dark, not only in dark sea or in bright ships.

    Their surroundings tell it where neighbouring pixels correlate, or else values that do not reach down to zero.

    Args:
        blocks: blocks (h, w) of neighbouring stored values.
        value: value of missing pixels; NaN means any value that is not finite.
    """
    empty, full, values, near, far = (np.concatenate(parts) for parts in zip(*_seen(blocks, value), strict=True))
    if min(len(empty), len(full)) < _LEAST_SEEN or _fewer(values, value) > _BEYOND:
        return False
    full.sort()
    below = np.searchsorted(full, empty, "left") + np.searchsorted(full, empty, "right")
    least, greatest = _AS_BRIGHT
    if not least <= below.mean() / (2 * len(full)) <= greatest:
        return False
    return bool(np.median(near) < _CORRELATED * np.median(far)) or not is_dark(values[values != 0])


def _seen(blocks: Iterable[NDArray[Any]], value: float) -> Iterator[tuple[NDArray[np.float64], ...]]:
    """Means around missing and around known pixels of each block, its values, and how far they differ near and far."""
    nothing = np.zeros(0)
    yield nothing, nothing, nothing, nothing, nothing
    for block in blocks:
        missing = holds(block[None], value)
        known = ~missing & np.isfinite(block)
        number = sum_around(known.astype(np.float64))
        values = np.where(known, block, 0).astype(np.float64)
        mean = sum_around(values) / np.maximum(number, 1)
        judged = number >= _LEAST_KNOWN
        near, far = (
            np.abs(values[:, apart:] - values[:, :-apart])[known[:, apart:] & known[:, :-apart]]
            for apart in (1, _APART_PX)
        )
        yield mean[missing & judged], mean[known & judged], values[known], near, far


def scattered_amid(sample: NDArray[Any], value: float, side: int) -> float:
    """Share of single pixels of a value of integers (h, w) that is as frequent as the two beside it, as in sea; else 0.

    Args:
        sample: stored values.
        value: a whole number; it counts only if it lies amid the others.
        side: side of an area in pixels of the sample.
    """
    if sample.dtype.kind not in "iu" or sample.ndim != 2 or _fewer(sample, value) < _INSIDE:
        return 0.0
    found = scattered(sample == value, side)
    return found if found <= share_of(sample, value - 1) + share_of(sample, value + 1) else 0.0


def _fewer(values: NDArray[Any], value: float) -> float:
    """Share of values that lie on that side of a value where fewer do."""
    return min(share(values < value), share(values > value))


def without_lost(sample: NDArray[Any], values: Iterable[float]) -> NDArray[Any]:
    """Sample (h, w) with the pixel to the left, or the one before, in place of each lost one, to find areas of fill."""
    values, whole = tuple(values), sample.copy()
    for _ in range(_STEPS):
        lost = np.any([holds(whole[None], value) for value in values], axis=0)
        whole = np.where(lost, np.roll(whole, 1, axis=1), whole)
    return whole
