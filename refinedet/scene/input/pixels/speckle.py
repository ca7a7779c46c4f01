"""Speckle of single-band values: the calmest parts of a scene, and what they say of amplitude and power. Pure.

Power of L looks has a gamma distribution, whose cube root is nearly symmetric about its middle (Wilson and Hilferty,
1931), so amplitude is symmetric at the exponent 2/3. Therefore the exponent that makes the calmest parts of a scene
symmetric distinguishes the two, for any number of looks. Texture lowers it, so the level counts too: calibrated values
and counts each have usual levels for each kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Blocks = Sequence[NDArray[Any]]
"""Full-resolution blocks (h, w) of stored values of one band, NaN where not measured."""

CELL_PX = 8
"""Side in pixels of a cell in which speckle is measured: so small that little else changes in it."""
_CALM = 0.25
"""Share of the calmest cells, in which speckle is measured."""
_CALMEST = 0.4
"""Share of the calm cells that are the calmest: a tenth of all."""
_LEAST_CELLS = 16
_EXPONENTS = np.linspace(0.02, 1.5, 149)
_PER_EXPONENT, _MIDDLE_EXPONENT = 20.7, 0.375
"""Log-likelihood ratio of amplitude to power per unit of the exponent, and the exponent at which both are equally
likely: real scenes have a mean of 0.50 in amplitude and 0.25 in power, each with a standard deviation of 0.11."""
_SURE_DEVIATION = 0.56
"""Relative deviation of calm parts from which they are power. Amplitude has 0.52 at most, with a single look."""
_STRONG_DEVIATION, STRONG_EXPONENT = 0.42, 0.24
"""Relative deviation from which, and exponent up to which, both together show power. Amplitude of such a deviation has
few looks, and an exponent of 0.28 and more in simulated scenes, 0.5 and more in real ones."""
_LIKELY_DEVIATION, _LIKELY_EXPONENT = 0.34, 0.36
"""Relative deviation from which, and exponent up to which, power is likely. Real Sentinel-1 power of four looks has
0.36 to 0.40 and 0.24 to 0.34, as a rough simulated sea has in amplitude, too."""
_TEXTURED = -2.3
"""Least ratio by the exponent: a lower one is due to texture, not power."""
_LEVELS = {"amplitude": ((-0.85, 0.35), (2.2, 0.45)), "power": ((-1.7, 0.6), (4.4, 0.7))}
"""Mean and standard deviation of the decimal logarithm of the level of calm parts, for calibrated values and counts."""
_LEVEL_MOST = 4.0
"""Largest log-likelihood ratio by the level, because files may be scaled by any factor."""
AMPLITUDE_ABOVE = -0.42
"""Least sum of both ratios for amplitude, the more usual kind. Real scenes have at least -0.3 in amplitude, and at most
-0.75 in power."""


def calm_cells(blocks: Blocks) -> NDArray[np.float64] | None:
    """Natural logarithms (N, 64) of the calmest cells of 8 x 8 pixels; None with too few whole cells above zero."""
    cells = np.concatenate([_cells(block) for block in blocks]) if blocks else np.zeros((0, CELL_PX**2))
    cells = cells[(np.isfinite(cells) & (cells > 0)).all(axis=1)]
    if len(cells) < _LEAST_CELLS:
        return None
    logs = np.log(cells.astype(np.float64))
    spread = logs.std(axis=1)
    return np.asarray(logs[spread <= np.quantile(spread, _CALM)])


def neighbour_correlation(calm: NDArray[np.float64]) -> tuple[float, float]:
    """Correlation of the logarithms of neighbours in calm cells: along the rows, and along the columns."""
    cells = (calm - calm.mean(axis=1, keepdims=True)).reshape(-1, CELL_PX, CELL_PX)
    whole = max(float((cells**2).mean()), 1e-30)
    along = ((cells[:, :, 1:], cells[:, :, :-1]), (cells[:, 1:], cells[:, :-1]))
    rows, columns = (float((one * other).mean()) / whole for one, other in along)
    return rows, columns


def symmetric_exponent(calm: NDArray[np.float64]) -> float:
    """Exponent that makes the speckle of calm cells symmetric: 1/3 for power, 2/3 for amplitude, less with texture."""
    low, middle, high = np.percentile(calm - calm.mean(axis=1, keepdims=True), (10, 50, 90))
    skew = np.exp(_EXPONENTS * high) + np.exp(_EXPONENTS * low) - 2 * np.exp(_EXPONENTS * middle)
    above = np.flatnonzero(skew > 0)
    return float(_EXPONENTS[above[0]] if len(above) else _EXPONENTS[-1])


def is_surely_power(calm: NDArray[np.float64]) -> bool:
    """True if calm cells vary more than amplitude of any number of looks can, whatever their scale."""
    few_looks = varies_like_few_looks(calm) and symmetric_exponent(calm) <= STRONG_EXPONENT
    return few_looks or _relative_deviation(calm) >= _SURE_DEVIATION


def varies_like_few_looks(calm: NDArray[np.float64]) -> bool:
    """True if calm cells vary as power of up to five looks does, and amplitude of a single one."""
    return _relative_deviation(calm) >= _STRONG_DEVIATION


def is_likely_power(calm: NDArray[np.float64]) -> bool:
    """True if calm cells vary like power of four looks and more, the calmest of them too.

    In amplitude, only rough sea does so. Where a city leaves little sea, less calm cells are among the calm ones.
    """
    spread = calm.std(axis=1)
    return _varies_like_power(calm) and _varies_like_power(calm[spread <= np.quantile(spread, _CALMEST)])


def _varies_like_power(calm: NDArray[np.float64]) -> bool:
    return _relative_deviation(calm) >= _LIKELY_DEVIATION and symmetric_exponent(calm) <= _LIKELY_EXPONENT


def _relative_deviation(calm: NDArray[np.float64]) -> float:
    """Median standard deviation of calm cells over their mean: 1 / sqrt(L) in power of L looks, half in amplitude."""
    values = np.exp(calm)
    return float(np.median(values.std(axis=1) / values.mean(axis=1)))


def amplitude_ratio(calm: NDArray[np.float64]) -> float:
    """Log-likelihood ratio of amplitude to power, by the symmetry of the speckle and by the level."""
    level = float(np.median(calm)) / np.log(10)
    amplitude, power = (
        np.logaddexp.reduce([-0.5 * ((level - mean) / std) ** 2 - np.log(std) for mean, std in _LEVELS[kind]])
        for kind in ("amplitude", "power")
    )
    by_level = float(np.clip(amplitude - power, -_LEVEL_MOST, _LEVEL_MOST))
    return max(_TEXTURED, _PER_EXPONENT * (symmetric_exponent(calm) - _MIDDLE_EXPONENT)) + by_level


def _cells(block: NDArray[Any]) -> NDArray[Any]:
    """(N, 64) cells of a block, without the remaining pixels at its right and lower edge."""
    high, wide = (side // CELL_PX for side in block.shape)
    cut = block[: high * CELL_PX, : wide * CELL_PX].reshape(high, CELL_PX, wide, CELL_PX)
    return cut.transpose(0, 2, 1, 3).reshape(-1, CELL_PX * CELL_PX)
