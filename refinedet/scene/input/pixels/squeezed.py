"""Decibels above zero: shifted by a constant, or squeezed between 0 and 1 or the ends of 16 bits. Pure.

Their speckle identifies them as in 8-bit pictures (`eight_bit.py`), so values are examined in 8 bits. They are no
photographs, whose noise is constant too. So speckle that is the same at all levels, dark or bright, is enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.scene.input.pixels.eight_bit import CELL_PX, EightBit, guess_eight_bit

_ENDS = (0.05, 99.95)
"""Percentiles between which the values are examined."""
_STEPS = 251
_FIRST = 2
"""Grey step of the lower end: below it a pixel counts as black."""
_USUAL = (1.0, 0.1, 0.01, 0.001)
"""Usual decibels per unit."""
_NEAR = 1.6
"""Largest ratio of a slope estimated from the speckle to a usual slope, at which the usual one is used."""
_FEW_VALUES = 32
"""Largest number of different values of a picture that is no measurement, such as a drawing."""
_CUT_OFF = 0.01
"""Share of the lowest value from which values below it were cut off, so that it is no measurement."""
_LEAST_SPAN, _MOST_GROWTH, _MOST_SKEWNESS = 0.3, 0.2, 0.05
"""Least growth of the level on which the growth of the speckle is judged, and largest share of it and skewness in
decibels. Any power of amplitude has a share of 1; real scenes have 0.4 and more, in decibels -0.2 to 0.2."""


_LOGARITHMS = (10 / math.log(10), 20 / math.log(10), 10.0, 20.0)
"""Decibels per unit of the natural logarithm of power and of amplitude, and of the decimal logarithm of both."""
_USUAL_SEA_DB = -17.0
"""Usual level of the sea, by which one of the logarithms near the estimate is chosen."""
_LOWEST_SEA_DB = 40.0
"""Decibels below zero of the darkest sea."""
_FROM_ESTIMATE = (0.4, 3.2)
"""Range of the slope relative to its estimate: texture halves the estimate."""
_LEAST_LOGARITHM = 2.5
"""Least estimated decibels per unit of values that are no decibels; real decibels have 0.6 to 1.6."""
_LEAST_SKEWNESS = 0.25
"""Least negative skewness of a logarithm of speckle; filters leave less."""


AboveZero = tuple[EightBit, float]
"""Guess for values above zero in 8 bits, and the width of the range of the values."""


def logarithm_slope(blocks: Sequence[NDArray[Any]]) -> float | None:
    """Decibels per unit of values whose speckle is that of a natural or decimal logarithm; None for decibels.

    Args:
        blocks: full-resolution blocks (h, w) of values mostly below zero, NaN where not measured.
    """
    found = _guess_below_zero(blocks)
    if found is None:
        return None
    guess, width, middle = found
    slope = guess.db_per_step * _STEPS / width
    if guess.kind != "db" or -guess.skewness < _LEAST_SKEWNESS or slope < _LEAST_LOGARITHM:
        return None
    near = [usual for usual in _LOGARITHMS if _FROM_ESTIMATE[0] < usual / slope < _FROM_ESTIMATE[1]]
    return min(near, key=lambda usual: abs(usual * middle - _USUAL_SEA_DB), default=None)


def decimal_slope(blocks: Sequence[NDArray[Any]]) -> float | None:
    """Decibels per unit of numbers below zero that are decibels in a small unit, such as a millionth; else None.

    It is the power of ten that puts the median between -40 and -4 dB.

    Args:
        blocks: full-resolution blocks (h, w) of values mostly below zero, NaN where not measured.
    """
    found = _guess_below_zero(blocks)
    if found is None or found[0].kind != "db":
        return None
    return float(10.0 ** -np.ceil(np.log10(-found[2] / _LOWEST_SEA_DB)))


def _guess_below_zero(blocks: Sequence[NDArray[Any]]) -> tuple[EightBit, float, float] | None:
    """Guess for blocks in 8 bits, the width of the range of their values, and their median; None if they are none."""
    measured = [block[np.isfinite(block)].astype(np.float64) for block in blocks]
    pooled = np.concatenate(measured) if measured else np.zeros(0)
    if len(np.unique(pooled)) <= _FEW_VALUES:
        return None
    low, high = (float(end) for end in np.percentile(pooled, _ENDS))
    if high <= low:
        return None
    zero = float(pooled.min()) - 1
    guess = guess_eight_bit([_in_eight_bits(block - zero, 0.0, low - zero, high - zero) for block in blocks])
    return guess, high - low, float(np.median(pooled))


def slope_above_zero(found: AboveZero | None, *, sure: bool = False, named: bool = False) -> float | None:
    """Decibels per unit of values that look like decibels above zero; None if they do not.

    Args:
        found: result of `guess_above_zero`.
        sure: the values are known to be decibels.
        named: a name or a unit says decibels, so that one is one decibel, if the speckle may be of this slope.
    """
    if found is None:
        return None
    guess, width = found
    may_be = _is_decibels(guess) or (named and guess.has_constant_speckle)
    if not sure and (not may_be or guess.is_inverted):
        return None
    slope = guess.db_per_step * _STEPS / width
    return 1.0 if named and _FROM_ESTIMATE[0] < 1 / slope < _FROM_ESTIMATE[1] else _usual(slope)


def guess_above_zero(blocks: Sequence[NDArray[Any]]) -> AboveZero | None:
    """Guess for blocks in 8 bits, and the width of the range of their values; None if they are no measurement.

    Args:
        blocks: full-resolution blocks (h, w) of stored values, NaN where not measured.
    """
    measured = [block[np.isfinite(block) & (block > 0)].astype(np.float64) for block in blocks]
    pooled = np.concatenate(measured) if measured else np.zeros(0)
    if len(np.unique(pooled)) <= _FEW_VALUES:
        return None
    least = float(pooled.min())
    least = least if (pooled == least).mean() > _CUT_OFF else 0.0
    pooled = pooled[pooled > least]
    low, high = (float(end) for end in np.percentile(pooled, _ENDS))
    if high <= low:
        return None
    return guess_eight_bit([_in_eight_bits(block, least, low, high) for block in blocks]), high - low


def _is_decibels(guess: EightBit) -> bool:
    constant = guess.span >= _LEAST_SPAN and guess.growth <= _MOST_GROWTH * guess.span
    return guess.kind == "db" or (constant and guess.skewness < _MOST_SKEWNESS)


def _usual(slope: float) -> float:
    """Nearby usual slope, else the slope to three digits, so that rounding errors of a sum never change a result."""
    near = next((one for one in _USUAL if one / _NEAR < slope < one * _NEAR), None)
    return float(f"{slope:.3g}") if near is None else near


def _in_eight_bits(block: NDArray[Any], least: float, low: float, high: float) -> NDArray[np.uint8]:
    """8-bit block (h, w) between both ends, in whole cells; cells with a pixel that is missing or zero are black.

    Pixels up to `least` were cut off, and are black, too.
    """
    rows, columns = (side // CELL_PX * CELL_PX for side in block.shape)
    cut = block[:rows, :columns].astype(np.float64)
    bad = ~(np.isfinite(cut) & (cut > 0))
    grid = bad.reshape(rows // CELL_PX, CELL_PX, columns // CELL_PX, CELL_PX).any(axis=(1, 3))
    grey = np.rint((np.where(bad, low, cut) - low) * (_STEPS / (high - low))) + _FIRST
    grey[cut <= least] = 0
    grey[np.kron(grid, np.ones((CELL_PX, CELL_PX), np.bool_))] = 0
    return np.asarray(np.clip(grey, 0, 255), np.uint8)
