"""Limits of the stretch of a scene, measured once on a sample: on the sea if there is enough of it. Pure NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike, NDArray

from refinedet.config import Radiometry, StretchChoice
from refinedet.errors import InputError
from refinedet.radiometry import Domain, Mask, Pixels, StretchLimits, in_domain, valid_mask
from refinedet.stretch.sea_level import Sea, measure_sea

NO_SEA = (
    "too little open water was found to measure the stretch on, so it is measured on all pixels; if ships look dark in "
    "the picture, set `stretch` to fixed:LOW:HIGH"
)
"""Note on a scene without enough water."""
SEA_HEADROOM = 1.2
"""Factor on the headroom above the sea alone. The high percentile of a whole scene lies this much higher, because of
wind, ships and coasts, and weights were trained with a sea as dark as that (median of simulated scenes)."""

SEA_SPAN = 6.5
"""Least ratio of the upper limit to the mean amplitude of the sea. The high percentile of an averaged or resampled sea
is so low that neighbouring ships would merge. From 5 to 8 the weights find the same ships (sea_levels.py)."""
_AUTO = StretchChoice()
_PILED_UP, _CUT_OFF = 3, 1e-5
"""Number and share of pixels at the highest value; only pictures that were cut off have more."""
_HIGHEST = 255


def scene_limits(
    sample: Pixels,
    dtype: DTypeLike,
    nodata: float | None,
    radiometry: Radiometry,
    choice: StretchChoice = _AUTO,
    land: Mask | None = None,
) -> StretchLimits | None:
    """Stretch limits of a scene with pixels of `dtype`; None if its values count as 8-bit values already.

    None is returned for the stretch "none", and for uint8 unless `choice` names a stretch.

    Args:
        sample: thinned pixels of the whole scene, (H, W) or (H, W, 3).
        dtype: type of the scene's pixels.
        nodata: value of pixels that were not measured, as for `valid_mask`.
        radiometry: stretch that the weights were trained with.
        choice: stretch that the user asks for; a fixed stretch has its ends as amplitudes.
        land: (H, W) true where the sample is known to be land; None: unknown.

    Raises:
        InputError: the choice does not fit the values of the scene.
    """
    stretch = radiometry.stretch if choice.kind == "auto" else choice.kind
    eight_bit = np.dtype(dtype) == np.uint8
    valid = valid_mask(sample, nodata)
    if choice.kind == "none" and not eight_bit:
        _check_eight_bit_values(sample[valid])
    if stretch == "none" or (eight_bit and choice.kind == "auto"):
        return None
    if stretch == "fixed":
        return _fixed(choice, radiometry)
    domain: Domain = "decibel" if stretch == "decibel" else "amplitude"
    values = sample[valid]
    if sample.ndim == 3 or _had_eight_bits(values):
        return measure_limits(values, radiometry, domain)
    sea = measure_sea(sample, valid, land)
    if sea is None and land is not None:  # a coastline shows no rivers, and may be displaced
        sea = measure_sea(sample, valid)
    return measure_limits(values, radiometry, domain, sea, None if sea else NO_SEA)


def measure_limits(
    values: Pixels,
    radiometry: Radiometry,
    domain: Domain = "amplitude",
    sea: Sea | None = None,
    note: str | None = None,
) -> StretchLimits:
    """Stretch limits of a scene from its valid `values` (N,), by the percentiles of `radiometry`.

    The percentiles are those of the sea at its median level, or of all values without a sea. Every sample gives usable
    limits. Without a valid pixel they are 0 and 1. If both percentiles are equal, the highest value is the upper limit.
    A constant sample gets an upper limit one unit above it. No limit lies above the highest value, because values that
    were cut off before, such as 8-bit values in a wider type, need no headroom.
    """
    every = _in_logs(values) if domain == "decibel" else values
    if every.size == 0:
        return StretchLimits(0.0, 1.0, domain)
    seen = every if sea is None else _in_logs(sea.amplitudes) if domain == "decibel" else sea.amplitudes
    levels = None if sea is None else sea.levels
    low, high = (float(v) for v in np.percentile(seen, (radiometry.low_percentile, radiometry.high_percentile)))
    highest = float(every.max())
    if high <= low:
        high = highest
    if high <= low:
        return StretchLimits(low, low + max(1.0, abs(low) * 1e-3), domain, levels, note)
    high = low + radiometry.headroom * (high - low)
    if sea is not None:
        high = _above_sea(low, high, float(sea.amplitudes.mean()), domain)
    return StretchLimits(low, min(high, highest), domain, levels, note)


def _above_sea(low: float, high: float, level: float, domain: Domain) -> float:
    """Upper limit above a sea of mean amplitude `level`, from the limits that its percentiles give."""
    high = low + SEA_HEADROOM * (high - low)
    return max(high, 20 * float(np.log10(SEA_SPAN * level)) if domain == "decibel" else SEA_SPAN * level)


def _fixed(choice: StretchChoice, radiometry: Radiometry) -> StretchLimits:
    """Limits that the user names, in the domain of the weights."""
    low, high = choice.low, choice.high
    if radiometry.stretch != "decibel":
        return StretchLimits(low, high)
    if low <= 0:
        raise InputError(
            f"expected a fixed `stretch` from above 0, because the weights see decibels, found one from {low:g}"
        )
    return StretchLimits(20 * float(np.log10(low)), 20 * float(np.log10(high)), "decibel")


def _check_eight_bit_values(values: Pixels) -> None:
    if values.size and not (values.min() >= 0 and values.max() <= _HIGHEST and (values == np.rint(values)).all()):
        raise InputError(
            f"expected whole numbers from 0 to {_HIGHEST} for `stretch` none, found {values.min():g} to "
            f"{values.max():g}; leave `stretch` out"
        )


def _had_eight_bits(values: Pixels) -> bool:
    """True if values (N,) are an 8-bit picture in another type or scale: few even steps, cut off at the top."""
    if values.size == 0:
        return False
    highest = values.max()
    if int((values == highest).sum()) <= max(_PILED_UP, _CUT_OFF * values.size):
        return False
    steps = np.diff(np.unique(values).astype(np.float64))
    return steps.size < _HIGHEST + 1 and steps.sum() <= (_HIGHEST + 0.5) * steps.min(initial=np.inf)


def _in_logs(amplitudes: Pixels) -> NDArray[np.float64]:
    return in_domain(amplitudes[amplitudes > 0], "decibel")
