"""Bands of a raster by their pixels: images of speckle, complex pairs, ratios, coherences, phases; their levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

Blocks = Sequence[NDArray[Any]]
"""Full-resolution blocks (h, w) of one band."""

_SMOOTH = 0.03
"""Largest ratio of the steps between neighbours to the spread of a smooth band, such as angles; speckle has about 1."""
_LEAST_STEPS = 0.1
"""Least share of neighbours that differ; whole angles have less."""
_BRIGHT, _STANDS_OUT = 99.95, 2.5
"""Percentile of bright pixels, and the ratio by which they stand out less from the median in a coherence than in an
image beside it. In a coherence they reach 1, at most three times the median; in power, ships exceed it tenfold."""
FEW_VALUES = 8
"""Largest number of different values of a mask."""
_SAME_ORDER = 0.9995
"""Least rank correlation, without sign, of a band that follows from the ratio of two others, as indices such as RVI and
NDPI do, too. A polarisation has 0.998 with its sum with one 12 dB weaker, which is the ratio of that one to the RVI."""
_SAME_SCALED = 0.02
"""Largest median deviation from the ratio of two bands in another scale, as whole numbers that overflow have; speckle
has 0.1."""
_CIRCLE_PARTS, _MOST_UNEVEN, _LEAST_PHASES = 16, 1.25, 10_000
"""Parts of a full circle, and the largest ratio of the numbers of phases in them; fewer values are not judged."""
_ENDS, _LEAST_ACROSS = 0.05, 0.3
"""Parts of the circle at both of its ends, and the least share of neighbours within these that lie at opposite ones.
A phase goes on there, so it has 0.5; an image whose greys were equalised has less, as its neighbours are alike."""
_RANKED_PX = 20_000
"""Most pixels whose ranks are compared."""
SURELY_DB = -1.0
"""Highest median of a band that is surely in decibels."""


def is_ratio(blocks: Blocks, others: Sequence[Blocks]) -> bool:
    """True if a band follows from the ratio of two others, or from the difference of their decibels."""
    values, *rest = (flat(one) for one in (blocks, *others))
    step = -(-values.size // _RANKED_PX)
    for above, below in permutations(rest, 2):
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = above - below if min(np.nanmedian(above), np.nanmedian(below)) < 0 else above / below
            factor = values / ratio
            scaled = np.nanmedian(np.abs(factor / np.nanmedian(factor) - 1)) <= _SAME_SCALED
        known = np.isfinite(values) & np.isfinite(ratio)
        if scaled or abs(_rank_correlation(values[known][::step], ratio[known][::step])) >= _SAME_ORDER:
            return True
    return False


def _rank_correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Rank correlation of values (N,) in [-1, 1]; 0 if one of them is constant."""
    if first.size == 0 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    from scipy.stats import rankdata  # only here: it takes 0.4 s to import, and few scenes have three nameless bands

    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


def flat(blocks: Blocks) -> NDArray[np.float64]:
    """All values (N,) of a band."""
    return np.concatenate([block.ravel() for block in blocks]).astype(np.float64)


def is_image(blocks: Blocks) -> bool:
    """True if the pixels of a band are speckled, as no angle, mask or height is."""
    values = [block[np.isfinite(block)] for block in blocks]
    pooled = np.concatenate(values) if values else np.zeros(0)
    if len(np.unique(pooled)) <= FEW_VALUES:
        return False
    usual = float(np.median(np.abs(pooled[pooled != 0])))
    steps, spread = [], []
    for one in blocks:
        block = np.arcsinh(one.astype(np.float64) / usual)  # else the sea beside a city in power seems smooth
        step = np.diff(block, axis=1)
        steps.append(step[np.isfinite(step) & (block[:, 1:] != 0)])
        spread.append(block[np.isfinite(block) & (block != 0)])
    step, value = np.concatenate(steps), np.concatenate(spread)
    if step.size == 0 or value.size == 0 or np.mean(step != 0) < _LEAST_STEPS:
        return False
    step = step[step != 0]
    return bool(np.median(np.abs(step)) > _SMOOTH * (np.percentile(value, 84) - np.percentile(value, 16)))


def is_complex_pair(first: Blocks, second: Blocks) -> bool:
    """True if two bands look like real and imaginary part: centred on zero, of equal spread, and different."""
    a, b = (np.concatenate([block.ravel() for block in blocks]).astype(np.float64) for blocks in (first, second))
    valid = np.isfinite(a) & np.isfinite(b) & ((a != 0) | (b != 0))
    a, b = a[valid], b[valid]
    if a.size < FEW_VALUES**2:
        return False
    wide, other = (np.median(np.abs(part)) for part in (a, b))
    if not 0.5 < wide / max(other, 1e-30) < 2:
        return False
    balanced = all(0.4 < np.mean(part > 0) / max(np.mean(part != 0), 1e-30) < 0.6 for part in (a, b))
    return balanced and abs(float(np.corrcoef(a, b)[0, 1])) < 0.2


def is_phase(blocks: Blocks) -> bool:
    """True if the values of a band lie evenly on a full circle, and go on from its upper end at its lower one."""
    known = [np.where(block != 0, block, np.nan) for block in blocks]  # padding has no phase
    values = flat(known)
    values = values[np.isfinite(values)]
    if values.size < _LEAST_PHASES or (low := float(values.min())) == (high := float(values.max())):
        return False
    parts = np.histogram(values, _CIRCLE_PARTS, (low, high))[0]
    if parts.max() > _MOST_UNEVEN * parts.min():
        return False
    pairs = [(block[:, :-1].ravel(), block[:, 1:].ravel()) for block in ((one - low) / (high - low) for one in known)]
    first, second = (np.concatenate(side) for side in zip(*pairs, strict=True))
    at_ends = (np.abs(first - 0.5) > 0.5 - _ENDS) & (np.abs(second - 0.5) > 0.5 - _ENDS)
    return bool(at_ends.any() and np.mean((first[at_ends] > 0.5) != (second[at_ends] > 0.5)) >= _LEAST_ACROSS)


def without_contrast(looks: Mapping[int, Blocks]) -> set[int]:
    """Numbers of bands from 0 to 1 in which nothing stands out, unlike in another band: coherences and the like."""
    heights = {}
    for number, blocks in looks.items():
        values = flat(blocks)
        values = values[np.isfinite(values) & (values != 0)]
        if values.size and values.min() > 0:
            heights[number] = (float(values.max()), float(np.percentile(values, _BRIGHT) / np.median(values)))
    best = max((ratio for _, ratio in heights.values()), default=0.0)
    return {number for number, (top, ratio) in heights.items() if top <= 1 and ratio * _STANDS_OUT < best}


def level_db(blocks: Blocks) -> float:
    """Rough mean level of a band in decibels: mean of values that are decibels, else level of their magnitude."""
    middle = middle_of(blocks)
    return middle if middle < SURELY_DB else 20 * np.log10(max(abs(middle), 1e-30))


def middle_of(blocks: Blocks) -> float:
    """Median of the finite values of a band."""
    return float(np.nanmedian(np.where(np.isfinite(values := flat(blocks)), values, np.nan)))
