"""Fill of a scene: the value where nothing was measured, found in a sample of stored values. Pure.

Two properties identify undeclared fill. Only a fill repeats one exact value over a whole area, because speckle varies
from pixel to pixel. And a fill lies apart from the measured values, unlike values that were cut off at a limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.raster.decoding.areas import grown, holds, opened, share

Flags = NDArray[np.bool_]

MARKERS = (
    *(-9999.0, -32768.0, -32767.0, -99999.0, -999.0, -999999.0, 1e20, -1e20, 1e30, -1e30, 9.969209968386869e36),
    *(-3.4028234663852886e38, 3.4028234663852886e38, -1.7976931348623157e308),
)
"""Values that programs use as fill and that no radar measures, so-called markers."""
_FAR = 3.0
"""Distance of a marker from the measured values, as a multiple of their range."""
_APART = 0.5
"""Least gap between a fill and the measured values, as a share of the distance from those to their median."""
_TINY = 1e-6
"""Largest fill above zero, as a share of the measured values, that programs put in place of zero, such as 1e-30."""
_SOLID, _MOSTLY_SOLID = 0.9, 0.5
"""Least share of a value's pixels that lie in areas: for a high value, which ships may also have, and for a low one."""
_HIGH_SHARE, _LOW_SHARE = 0.02, 0.005
"""Least share of a scene that a high or low fill covers. A high fill must also touch the border, unlike a ship, or
fill one large piece far above all else."""
_FAR_ABOVE, _LARGE = 2.0, 4
"""Least gap between a high fill inside a scene and the measured values, relative to the distance of those from their
median, and least side of its largest piece, in sides of an area. Saturated ships are smaller."""
_THINNED = 7
"""Distance of the pixels that are counted to find the most frequent value."""
_MOST_FILLS = 3
_NOTABLE = 0.001
"""Least share of zeros in areas that count as padding, for types in which zero may be a measurement."""
_DARKEST, _NEAR_ZERO, _FAR_BELOW_DB = 0.1, 0.3, 10.5
"""Low percentile of a sea from which noise was removed: at most this share of the median, or at least so many decibels
below it. The sea of a product of four looks has 0.37 in amplitude (9 decibels); without noise, its counts have 0.14 to
0.27 (11.5 to 17 decibels)."""
_TOP_DB, _LEAST_BELOW_TOP = 3.0, 0.2
"""Decibels below the top of a range that was cut off, and the least number of pixels there relative to those at the
top."""


@dataclass(frozen=True, slots=True)
class Fill:
    """Value that stands for missing pixels."""

    value: float
    share: float
    """Share of the sample that is missing, in [0, 1]."""
    pieces: int
    """Number of separate areas in the sample; 0 if the value lies in single pixels."""
    areas: bool = False
    """True if single pixels of this value may be measurements, so that only its areas are missing."""


@dataclass(frozen=True, slots=True)
class Zeros:
    """Zeros in a sample."""

    areas: float
    """Share of the sample that is zero and lies in areas."""
    scattered: float
    """Share of the sample that is zero outside of areas, among measured values."""


def count_zeros(sample: NDArray[Any], side: int) -> Zeros:
    """Shares of zeros in a sample (h, w), or (h, w, n) where a pixel is zero if all bands are; areas have `side`."""
    zero = _equal(sample, 0.0)
    if not zero.any():
        return Zeros(0.0, 0.0)
    solid = opened(zero, side)
    return Zeros(share(solid), share(zero) - share(solid))


def is_top(sample: NDArray[Any], scattered: float) -> bool:
    """True if zero is the upper end of decibels that were cut off there, and not what noise removal leaves.

    Then no value is above it, and the brightest pixels continue below it.

    Args:
        sample: stored values (h, w).
        scattered: share of zeros outside of areas, above 0.
    """
    if np.iscomplexobj(sample):  # no decibels
        return False
    values = _measured(sample, np.ones(sample.shape[:2], np.bool_))
    if not values.size or values.max() > 0 or np.median(values) >= 0:
        return False
    return bool((values > -_TOP_DB).sum() >= _LEAST_BELOW_TOP * scattered * sample.size)


def gaps(sample: NDArray[Any], values: Iterable[float], side: int) -> dict[float, float]:
    """Shares of scattered pixels of some values in a sample of floats (h, w), far from any area of the value.

    Only notable shares are listed; NaN stands for all that is not finite. The result is empty if the sea is not as dark
    as after the removal of noise, because then the pixels were lost. `side` is the side of an area in pixels.
    """
    found: dict[float, float] = {}
    if sample.dtype.kind != "f" or sample.ndim != 2 or not is_dark(_measured(sample, ~np.isin(sample, [*values]))):
        return found
    for value in values:
        share = scattered(holds(sample[None], value), side)
        if share >= _NOTABLE:
            found[value] = share
    return found


def scattered_top(sample: NDArray[Any], value: float, side: int) -> float:
    """Share of scattered pixels of the highest value of integers (h, w), as bright ships have; 0 for other values."""
    if sample.dtype.kind not in "iu" or sample.ndim != 2 or value != _top(sample.dtype):
        return 0.0
    return scattered(_equal(sample, value), side)


def scattered(flags: Flags, side: int) -> float:
    """Share of a sample (h, w) that is true far from any area; `side` is the side of an area in pixels."""
    if not flags.any():
        return 0.0
    return share(flags & ~grown(opened(flags, side), 2 * side))


def is_dark(values: NDArray[np.float64]) -> bool:
    """True if values (n,) reach down to almost zero, in amplitude and power or in decibels, as without noise."""
    if not values.size:
        return False
    low, middle = (float(level) for level in np.percentile(values, (_DARKEST, 50)))
    return low < middle - _FAR_BELOW_DB if middle < 0 else low < _NEAR_ZERO * middle


def share_of(sample: NDArray[Any], value: float) -> float:
    """Share of a sample that holds a value, in all bands; NaN counts as equal to itself."""
    return share(_equal(sample, value))


def without_markers(block: NDArray[Any]) -> NDArray[Any]:
    """Block of values with NaN in place of MARKERS, to examine a band whose fill is not known yet."""
    if block.dtype.kind != "f":
        return block
    marked = np.isin(block, [_stored(value, block.dtype) for value in MARKERS])
    return np.where(marked, block.dtype.type(np.nan), block)


def find_fills(sample: NDArray[Any], side: int) -> list[Fill]:
    """Undeclared fills of a scene other than zero, largest first.

    Args:
        sample: stored values (h, w), or (h, w, n) of n bands that share a fill.
        side: side of an area, in pixels of the sample.
    """
    fills: list[Fill] = []
    if np.iscomplexobj(sample):
        return fills
    open_ = np.ones(sample.shape[:2], np.bool_)
    for _ in range(_MOST_FILLS):  # a second fill may lie below the first, such as the decibels of padding zeros
        values = _candidates(sample if open_.all() else sample[open_])
        found = [fill for value in values if (fill := _judged(sample, open_, value, side))]
        found += [] if found else _amid(sample, open_, side)
        if not found:
            break
        largest = max(found, key=lambda fill: (fill.share, fill.value))
        if any(largest.value == fill.value for fill in fills):  # in one band alone
            break
        fills.append(largest)
        open_ &= ~_equal(sample, fills[-1].value)
    return sorted(fills, key=lambda fill: -fill.share)


def zero_fill(sample: NDArray[Any], side: int, *, alone: bool = True) -> Fill | None:
    """Zero as fill, in types where it may be a measurement too, such as signed integers; None if it covers no area.

    With `alone`, most zeros must lie in areas, because scattered zeros are measurements.
    """
    zero = _equal(sample, 0.0)
    if share(zero) < _NOTABLE:
        return None
    solid = opened(zero, side)
    if share(solid) < _NOTABLE or (alone and share(solid) < _MOSTLY_SOLID * share(zero)):
        return None
    return Fill(0.0, share(solid), _pieces(solid), areas=True)


def _amid(sample: NDArray[Any], open_: Flags, side: int) -> list[Fill]:
    """Fill amid the measured values, such as 1 for land: the most frequent value, if it lies in whole areas alone."""
    if sample.dtype == np.uint8 or sample.ndim != 2:
        return []
    values, counts = np.unique(sample[open_][::_THINNED], return_counts=True)
    if len(values) <= 2 or not np.isfinite(value := float(values[np.argmax(counts)])) or value == 0:
        return []
    equal = _equal(sample, value)
    if share(equal) < _HIGH_SHARE or value in (values[0], values[-1]):  # at an end it may have been cut off
        return []
    solid = opened(equal, side)
    if share(solid) < _SOLID * share(equal):
        return []
    return [Fill(value, share(solid), _pieces(solid), areas=True)]


def _candidates(sample: NDArray[Any]) -> Iterator[float]:
    """Markers in the sample, and its lowest and highest value, without zero."""
    finite = sample[np.isfinite(sample)] if sample.dtype.kind == "f" else sample
    if finite.size == 0:
        return
    ends = [float(finite.min()), float(finite.max())]
    if sample.dtype == np.uint8:
        ends = [value for value in ends if value == _top(sample.dtype)]  # in pictures, black and grey values are sea
    inner = [value for value in MARKERS if ends and ends[0] < _stored(value, sample.dtype) < ends[-1]]
    for value in dict.fromkeys([*ends, *(_stored(value, sample.dtype) for value in inner)]):
        if value != 0:
            yield value


def _stored(value: float, dtype: np.dtype[Any]) -> float:
    """Value converted to a pixel type; NaN if the type cannot hold it."""
    if dtype.kind != "f":
        limits = np.iinfo(dtype)
        return value if limits.min <= value <= limits.max and value.is_integer() else np.nan
    with np.errstate(over="ignore"):
        return float(dtype.type(value))


def _judged(sample: NDArray[Any], open_: Flags, value: float, side: int) -> Fill | None:
    """Fill with this value among the pixels `open_`; None if the value may be a measurement."""
    equal = _equal(sample, value)
    covered = share(equal)
    end = sample.dtype.kind in "iu" and value == _top(sample.dtype)
    marker = not end and value in [_stored(one, sample.dtype) for one in MARKERS]
    if covered == 0 or not (marker or covered >= (_HIGH_SHARE if end else _LOW_SHARE)):
        return None
    rest = _measured(sample, open_ & ~equal)
    if rest.size == 0:
        return None
    solid = opened(equal, side)
    whole = share(solid) / covered
    low, middle, high = (float(v) for v in np.percentile(rest, (1, 50, 99)))
    gap = low - value if value < low else value - high
    if marker and gap > _FAR * max(high - low, float(np.finfo(np.float32).tiny)):
        return Fill(value, covered, _pieces(solid))
    apart = gap >= _APART * (middle - low) or 0 < value <= _TINY * low
    if value < low and apart and whole >= _MOSTLY_SOLID and covered >= _LOW_SHARE:
        return Fill(value, covered, _pieces(solid))
    apart = end or gap >= _APART * (high - middle) > 0
    no_ship = _touches_border(solid) or (gap >= _FAR_ABOVE * (high - middle) > 0 and _has_large_piece(solid, side))
    if value >= high and apart and whole >= _SOLID and covered >= _HIGH_SHARE and no_ship:
        return Fill(value, share(solid), _pieces(solid), areas=True)
    return None


def _equal(sample: NDArray[Any], value: float) -> Flags:
    equal = np.isnan(sample) if np.isnan(value) else sample == value
    return np.asarray(reduce(np.logical_and, np.moveaxis(equal, 2, 0)) if equal.ndim == 3 else equal, np.bool_)


def _measured(sample: NDArray[Any], chosen: Flags) -> NDArray[np.float64]:
    """Finite values of chosen pixels of a sample that are neither zero nor a marker."""
    rest = sample[chosen].astype(np.float64).ravel()
    rest = rest[np.isfinite(rest) & (rest != 0)]
    markers = [value for one in MARKERS if not np.isnan(value := _stored(one, sample.dtype))]
    return np.asarray(rest[~np.isin(rest, markers)] if markers else rest)


def _top(dtype: np.dtype[Any]) -> float:
    return float(np.iinfo(dtype).max)


def _pieces(solid: Flags) -> int:
    return int(ndimage.label(solid, np.ones((3, 3)))[1])


def _has_large_piece(solid: Flags, side: int) -> bool:
    sizes = np.bincount(ndimage.label(solid, np.ones((3, 3)))[0].ravel())[1:]
    return bool(sizes.max(initial=0) >= max(_HIGH_SHARE * solid.size, (_LARGE * side) ** 2))


def _touches_border(solid: Flags) -> bool:
    return bool(solid[0].any() or solid[-1].any() or solid[:, 0].any() or solid[:, -1].any())
