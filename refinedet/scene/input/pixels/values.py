"""Kind of values of a raster: stated, or guessed from names, units, tags, and the values themselves. Pure.

Amplitude and power are both above zero and differ in their speckle (`speckle.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from refinedet.config import ValueKind
from refinedet.raster.decoding.values import DB_STEPS
from refinedet.scene.input.pixels.names import named_kind, names_backscatter
from refinedet.scene.input.pixels.speckle import (
    AMPLITUDE_ABOVE,
    CELL_PX,
    STRONG_EXPONENT,
    Blocks,
    amplitude_ratio,
    calm_cells,
    is_likely_power,
    is_surely_power,
    symmetric_exponent,
    varies_like_few_looks,
)

NAMES: dict[ValueKind, str] = {
    "amplitude": "amplitude",
    "power": "power",
    "db": "decibels",
    "db10": "tenths of decibels",
    "db100": "hundredths of decibels",
    "db1000": "thousandths of decibels",
    "iq": "the real and imaginary part of complex numbers",
}
"""Names of the kinds in sentences."""

_REASONS = {
    "name": "as its name or tags say",
    "range": "by their range",
    "speckle": "by their speckle",
    "usual": "as is usual for whole numbers above zero, though their speckle may be that of power",
    "none": "as nothing tells of another kind",
    "pair": "since two bands are as wide as each other about zero, or are named so",
}
"""Reasons of guesses in sentences; a guess by the pixel type or a setting needs none."""
_DB_SPAN = 150.0
"""Largest distance of decibels from zero, for any sensor."""
_LOWEST_DB = -40.0
"""Least median of decibels; lower integers are in a smaller unit, and so are floats that decibels never reach."""
_MOST_ABOVE = 0.25
"""Largest share of the lowest hundredth that floats in a small unit of decibels reach above zero; power without noise
reaches farther."""
_FLOOR_SHARE = 1e-3
"""Share of the lowest value from which it may be a floor, such as -200 dB for removed noise, and no measurement."""
_DB_MIDDLE = -1.0
"""Highest median of decibels. Power without noise, above zero in only one half of the sea, has a median nearer to 0."""
_EVEN = 0.1
"""Largest difference between the shares of values above and below zero that count as balanced."""
_AS_WIDE = 1.15
"""Largest ratio of both ends of balanced values; power from which noise was subtracted has 1.3 and more."""
_SURELY_AMPLITUDE = 0.42
"""Exponent from which values that are named as power are amplitude all the same; real power has up to 0.34."""
_MAYBE_AMPLITUDE = 0.35
"""Exponent from which values that are named as power may be amplitude, as amplitude of a rough sea has no more."""
_WIDE_BYTES = 4
"""Size of whole numbers that amplitude does not need, so that speckle and level decide."""
_LEAST_GREY = 4
"""Least median grey of calm parts whose speckle is not that of rounding or of a cut-off end."""
_STRETCHED_EXPONENT = 0.3
"""Exponent above which 8 bits vary much because a viewer subtracted a dark level from them, and not as power."""
_MOST_LOWEST = 0.1
"""Share of the lowest value from which noise was removed; rounding of power leaves fewer."""
_FARTHEST_LEVELS = (-4.5, 6.5)
"""Least and largest decimal logarithm of a level that says something; files beyond were scaled by some factor."""
_ALONE_EXPONENT = 0.28
"""Least exponent of amplitude if the level says nothing. Real scenes have 0.25 and more in amplitude, and up to 0.29 in
power."""
_LEAST_DB_SPAN = 3.0
"""Least distance between the lowest and the highest hundredth of decibels; speckle alone has more."""


_STANDARD, _NEAR_END = 0.02, 0.1
"""Largest deviation from mean 0 and deviation 1 in a sample of values that were scaled to these, and largest distance
of the highest from 1 if the lowest is -1: the brightest pixel may lie beside the sample."""


@dataclass(frozen=True, slots=True)
class ValueGuess:
    """Kind of values of a raster, and the evidence for it."""

    kind: ValueKind
    evidence: Literal["name", "type", "range", "speckle", "usual", "none", "pair", "setting"]
    rival: ValueKind | None = None
    """Another kind that the values may be of; None: the evidence excludes it, or does not tell."""
    says_db: bool = False
    """True if a name or the unit says decibels."""

    def note(self) -> str | None:
        """Sentence for the user; None if the pixel type or a setting gives the kind."""
        reason = _REASONS.get(self.evidence)
        if reason is None:
            return None
        doubt = "" if self.rival is None else f", though they may be {NAMES[self.rival]}"
        return f"its values are read as {NAMES[self.kind]}, {reason}{doubt}; set `values` to change this"


def has_doubt(dtype: str) -> bool:
    """True if values of a NumPy type, or complex_int16, may be of several kinds.

    Unsigned integers are amplitudes unless their name says otherwise, or those of 32 bits look like power.
    """
    return not dtype.startswith("complex") and np.dtype(dtype).kind != "u"


def guess_values(dtype: str, blocks: Blocks, words: Sequence[str], *, has_level: bool = True) -> ValueGuess:
    """Guess the kind of values of one band.

    Args:
        dtype: NumPy type of the stored values.
        blocks: blocks of stored values, NaN where not measured.
        words: text that may name the kind: band name, unit, tags, file name.
        has_level: False if the values were scaled to a fixed range, so that their level says nothing.
    """
    if has_doubt(dtype):
        guess = _guess_doubtful(np.dtype(dtype), blocks, words, has_level=has_level)
    else:
        guess = _guess_whole_numbers(np.dtype(dtype).itemsize, blocks, words)
    return replace(guess, says_db=named_kind(words) == "db")


def _guess_doubtful(dtype: np.dtype[Any], blocks: Blocks, words: Sequence[str], *, has_level: bool) -> ValueGuess:
    """Kind of floats or signed integers: as the words say unless the values contradict, else by the pixels."""
    values = _pooled(blocks)
    rest = values[values != 0]
    if rest.size and np.median(rest) < 0:
        values = rest  # exact zeros among decibels are no measurements
    named, is_backscatter = named_kind(words), names_backscatter(words)
    calm = calm_cells(blocks) if named in ("amplitude", "power") or is_backscatter else None
    if named is not None and _possible(named, values) and not _contradicts(named, calm, blocks):
        return ValueGuess(named, "name", _rival(named, calm))
    if values.size and is_backscatter and _possible("power", values) and not _contradicts("power", calm, blocks):
        return ValueGuess("power", "name", _rival("power", calm))
    if not values.size:
        return ValueGuess("amplitude", "type")
    return _guess_by_pixels(dtype, values, blocks, has_level=has_level)


def _guess_whole_numbers(size: int, blocks: Blocks, words: Sequence[str]) -> ValueGuess:
    """Kind of complex or unsigned values of `size` bytes: amplitude, unless the name or the evidence is against it."""
    named, calm = named_kind(words), calm_cells(blocks)
    if size == 1:
        return _guess_8_bits(None if named == "amplitude" else calm)
    if named == "power":
        return ValueGuess("power", "name")
    if calm is None or named == "amplitude":
        return ValueGuess("amplitude", "type")
    by_level = amplitude_ratio(calm) <= AMPLITUDE_ABOVE
    by_speckle = is_surely_power(calm) and not _lost_noise(blocks)
    if by_speckle or (by_level and size >= _WIDE_BYTES):
        return ValueGuess("power", "speckle")
    return ValueGuess("amplitude", "usual" if by_level or is_likely_power(calm) else "type")


def _lost_noise(blocks: Blocks) -> bool:
    """True if many pixels have the lowest value, as after the removal of noise, which makes amplitude vary more."""
    values = _pooled(blocks)
    return float(np.mean(values == values.min())) >= _MOST_LOWEST


def _guess_8_bits(calm: NDArray[np.float64] | None) -> ValueGuess:
    """Kind of 8 bits by their calm cells: power that a viewer's dark level does not explain, else amplitude."""
    if calm is None or np.median(calm) < np.log(_LEAST_GREY) or not is_surely_power(calm):
        return ValueGuess("amplitude", "type")
    is_power = symmetric_exponent(calm) <= _STRETCHED_EXPONENT
    return ValueGuess("power", "speckle") if is_power else ValueGuess("amplitude", "usual")


def is_one_part(blocks: Blocks) -> bool:
    """True if values are balanced around zero, as in the real or imaginary part of complex numbers."""
    values = _pooled(blocks)
    if values.size < CELL_PX**2:
        return False
    low, high = np.percentile(values, (1, 99))
    balanced = abs(float(np.mean(values > 0)) - float(np.mean(values < 0))) < _EVEN
    return bool(low < 0 < high and balanced and abs(np.log(high / -low)) < np.log(_AS_WIDE))


def are_no_decibels(blocks: Blocks) -> bool:
    """True if values lie so far above zero that they cannot be decibels without a scale of their own."""
    values = _pooled(blocks)
    return bool(values.size and np.median(values) > _DB_SPAN)


def lowest_of_scaled(sample: NDArray[Any]) -> float | None:
    """Lowest value of floats (h, w), NaN where not measured, that were scaled to mean 0 and deviation 1 or to -1 to 1.

    None for other values. Real and imaginary parts may look scaled, too.
    """
    values = sample[np.isfinite(sample)].astype(np.float64)
    if not values.size or not (low := float(values.min())) < 0 < (high := float(values.max())):
        return None
    is_standard = abs(values.mean()) < _STANDARD and abs(values.std() - 1) < _STANDARD
    return low if is_standard or (low == -1 and 1 - _NEAR_END < high <= 1) else None


def _guess_by_pixels(
    dtype: np.dtype[Any], values: NDArray[np.float64], blocks: Blocks, *, has_level: bool
) -> ValueGuess:
    """Kind of signed integers or floats by their range, sign and speckle."""
    low, middle = (float(level) for level in np.percentile(values, (1, 50)))
    if middle < 0:
        return _guess_below_zero(dtype.kind, _above_floor(values))
    if dtype.kind == "i":
        return _guess_whole_numbers(dtype.itemsize, blocks, ())
    return _guess_above_zero(low, blocks, has_level=has_level)


def _guess_above_zero(low: float, blocks: Blocks, *, has_level: bool) -> ValueGuess:
    """Kind of floats with a median at or above zero by their lowest hundredth, level and speckle."""
    if low < 0:  # noise was subtracted, which is done in power, never in amplitude
        return ValueGuess("power", "range")
    if (calm := calm_cells(blocks)) is None:
        return ValueGuess("amplitude", "none")
    if has_level and _FARTHEST_LEVELS[0] < float(np.median(calm)) / np.log(10) < _FARTHEST_LEVELS[1]:
        is_sure = is_surely_power(calm) and not _lost_noise(blocks)
        if is_sure or amplitude_ratio(calm) <= AMPLITUDE_ABOVE:
            return ValueGuess("power", "speckle")
        return ValueGuess("amplitude", "speckle", "power" if is_likely_power(calm) else None)
    if symmetric_exponent(calm) <= _ALONE_EXPONENT:
        return ValueGuess("power", "speckle")
    return ValueGuess("amplitude", "speckle", "power" if is_surely_power(calm) else None)


def _guess_below_zero(kind: str, values: NDArray[np.float64]) -> ValueGuess:
    low, middle, high = (float(level) for level in np.percentile(values, (1, 50, 99)))
    if kind == "f":
        if low > -_DB_SPAN and high < _DB_SPAN and (middle < _DB_MIDDLE or high < 0):
            return ValueGuess("db", "range")
        if middle >= _LOWEST_DB or high > -_MOST_ABOVE * low:
            return ValueGuess("power", "range")
    units = (name for name, n in DB_STEPS.items() if -n * _DB_SPAN < low and high < n * _DB_SPAN)
    return ValueGuess(next((name for name in units if middle > DB_STEPS[name] * _LOWEST_DB), "amplitude"), "range")


def _contradicts(named: ValueKind, calm: NDArray[np.float64] | None, blocks: Blocks) -> bool:
    """True if the speckle is surely that of the other of amplitude and power than a name says."""
    if calm is None or named not in ("amplitude", "power"):
        return False
    if named == "power":
        return symmetric_exponent(calm) >= _SURELY_AMPLITUDE
    is_power = is_surely_power(calm) and symmetric_exponent(calm) <= STRONG_EXPONENT
    return is_power and amplitude_ratio(calm) <= AMPLITUDE_ABOVE and not _lost_noise(blocks)


def _rival(named: ValueKind, calm: NDArray[np.float64] | None) -> ValueKind | None:
    """Amplitude if values that are named as power have a speckle and a level that amplitude has, too; else None."""
    if calm is None or named != "power" or symmetric_exponent(calm) < _MAYBE_AMPLITUDE or varies_like_few_looks(calm):
        return None
    return "amplitude" if amplitude_ratio(calm) > AMPLITUDE_ABOVE else None


def _possible(kind: ValueKind, values: NDArray[np.float64]) -> bool:
    """True if values can be of a named kind: a name may be left over from before a conversion."""
    if not values.size:
        return True
    low, middle, high = np.percentile(_above_floor(values) if kind == "db" else values, (1, 50, 99))
    if kind == "db":
        spread = high - low > _LEAST_DB_SPAN or middle < -_LEAST_DB_SPAN  # a word such as db may mean a database
        return bool(low > -_DB_SPAN and high < _DB_SPAN and low < 0 and spread)
    return bool(middle >= 0 or (kind == "power" and high > -low))  # power without noise reaches far above zero


def _above_floor(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values without a lowest one that is frequent, as decibels of removed noise have it; all if no other is left."""
    above = values[values > values.min()]
    return above if above.size and above.size <= (1 - _FLOOR_SHARE) * values.size else values


def _pooled(blocks: Blocks) -> NDArray[np.float64]:
    values = [block[np.isfinite(block)].astype(np.float64) for block in blocks]
    return np.concatenate(values) if values else np.zeros(0)
