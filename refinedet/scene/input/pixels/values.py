"""Kind of values of a raster: stated, or guessed from names, units, tags, and the values themselves. Pure.

Amplitude and power are both above zero and differ in their speckle (`speckle.py`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from refinedet.config import ValueKind
from refinedet.raster.decoding.values import DB_STEPS
from refinedet.scene.input.pixels.speckle import (
    AMPLITUDE_ABOVE,
    CELL_PX,
    Blocks,
    amplitude_ratio,
    calm_cells,
    is_likely_power,
    is_surely_power,
    symmetric_exponent,
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
"""Least median of integers in decibels; lower values are in a smaller unit."""
_DB_MIDDLE = -1.0
"""Highest median of decibels. Power without noise, above zero in only one half of the sea, has a median nearer to 0."""
_WORDS: tuple[tuple[ValueKind, str], ...] = (
    ("db", r"(?<![a-z])(db|decibels?)(?![a-z])"),
    ("amplitude", r"(?<![a-z])(amp|amplitude|magnitude)(?![a-z])"),
    ("power", r"(?<![a-z])(power|intensity|pwr)(?![a-z])"),
)
_CALIBRATED = re.compile(r"(?<![a-z])(sigma|gamma|beta) ?(0|zero|nought|naught)")
"""Names of calibrated backscatter, which is power unless another word or the sign of the values says otherwise."""
_HYP3: dict[str, ValueKind] = {"p": "power", "a": "amplitude", "d": "db"}
_HYP3_NAME = re.compile(r"_rtc\d+_g_[gs](?P<scale>[pad])[uw][nf][ec][dm]_", re.IGNORECASE)
"""Name of a product of ASF's HyP3 service, such as S1A_IW_20200101T000000_DVP_RTC30_G_gpuned_1A2B_VV: after the
radiometry g (gamma) or s (sigma) stands its scale: p, a or d."""
_EVEN = 0.1
"""Largest difference between the shares of values above and below zero that count as balanced."""
_AS_WIDE = 1.15
"""Largest ratio of both ends of balanced values; power from which noise was subtracted has 1.3 and more."""
_SURELY_AMPLITUDE = 0.42
"""Exponent from which values that are named as power are amplitude all the same; real power has up to 0.34."""
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

    def note(self) -> str | None:
        """Sentence for the user; None if the pixel type or a setting gives the kind."""
        reason = _REASONS.get(self.evidence)
        if reason is None:
            return None
        return f"its values are read as {NAMES[self.kind]}, {reason}; set `values` to change this"


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
    if not has_doubt(dtype):
        return _guess_whole_numbers(np.dtype(dtype).itemsize, blocks, words)
    values = _pooled(blocks)
    rest = values[values != 0]
    if rest.size and np.median(rest) < 0:
        values = rest  # exact zeros among decibels are no measurements
    named = _named(words)
    if named is not None and _possible(named, values) and not (named == "power" and _is_surely_amplitude(blocks)):
        return ValueGuess(named, "name")
    if values.size and _is_calibrated_power(words, values, blocks):
        return ValueGuess("power", "name")
    if not values.size:
        return ValueGuess("amplitude", "type")
    return _guess_by_pixels(np.dtype(dtype), values, blocks, has_level=has_level)


def _guess_whole_numbers(size: int, blocks: Blocks, words: Sequence[str]) -> ValueGuess:
    """Kind of complex or unsigned values of `size` bytes: amplitude, unless the name or the evidence is against it."""
    named, calm = _named(words), calm_cells(blocks)
    if size == 1:
        is_power = named != "amplitude" and calm is not None and _is_power_in_8_bits(calm)
        return ValueGuess("power", "speckle") if is_power else ValueGuess("amplitude", "type")
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


def _is_power_in_8_bits(calm: NDArray[np.float64]) -> bool:
    is_bright = float(np.median(calm)) >= np.log(_LEAST_GREY)
    return is_bright and is_surely_power(calm) and symmetric_exponent(calm) <= _STRETCHED_EXPONENT


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
    low, middle, high = (float(level) for level in np.percentile(values, (1, 50, 99)))
    if middle < 0:
        return _guess_below_zero(dtype.kind, low, middle, high)
    if dtype.kind == "i":
        return _guess_whole_numbers(dtype.itemsize, blocks, ())
    if low < 0:  # noise was subtracted, which is done in power, never in amplitude
        return ValueGuess("power", "range")
    if (calm := calm_cells(blocks)) is None:
        return ValueGuess("amplitude", "none")
    if has_level and _FARTHEST_LEVELS[0] < float(np.median(calm)) / np.log(10) < _FARTHEST_LEVELS[1]:
        return ValueGuess("amplitude" if amplitude_ratio(calm) > AMPLITUDE_ABOVE else "power", "speckle")
    return ValueGuess("amplitude" if symmetric_exponent(calm) > _ALONE_EXPONENT else "power", "speckle")


def _guess_below_zero(kind: str, low: float, middle: float, high: float) -> ValueGuess:
    if kind == "i":
        units = (name for name, n in DB_STEPS.items() if -n * _DB_SPAN < low and high < n * _DB_SPAN)
        return ValueGuess(next((name for name in units if middle > DB_STEPS[name] * _LOWEST_DB), "amplitude"), "range")
    decibels = low > -_DB_SPAN and high < _DB_SPAN and (middle < _DB_MIDDLE or high < 0)
    return ValueGuess("db" if decibels else "power", "range")


def _named(words: Sequence[str]) -> ValueKind | None:
    """Kind that the words name; None if they name no kind, or several."""
    scales = {_HYP3[match["scale"].lower()] for word in words if (match := _HYP3_NAME.search(word))}
    found = scales or _kinds_in(_plain(words))
    return found.pop() if len(found) == 1 else None


def _plain(words: Sequence[str]) -> list[str]:
    return [word.lower().replace("_", " ") for word in words]


def _kinds_in(plain: Sequence[str]) -> set[ValueKind]:
    """Kinds that occur in plain words."""
    return {kind for kind, pattern in _WORDS for word in plain if re.search(pattern, word)}


def _is_calibrated_power(words: Sequence[str], values: NDArray[np.float64], blocks: Blocks) -> bool:
    """True if words name calibrated backscatter, and neither sign nor speckle of the values contradicts."""
    plain = _plain(words)
    if _kinds_in(plain) or not any(_CALIBRATED.search(word) for word in plain) or not _possible("power", values):
        return False
    return not _is_surely_amplitude(blocks)


def _is_surely_amplitude(blocks: Blocks) -> bool:
    """True if the speckle is that of amplitude, in spite of a name that says power."""
    calm = calm_cells(blocks)
    return calm is not None and symmetric_exponent(calm) >= _SURELY_AMPLITUDE


def _possible(kind: ValueKind, values: NDArray[np.float64]) -> bool:
    """True if values can be of a named kind: a name may be left over from before a conversion."""
    if not values.size:
        return True
    low, middle, high = np.percentile(values, (1, 50, 99))
    if kind == "db":
        spread = high - low > _LEAST_DB_SPAN or middle < -_LEAST_DB_SPAN  # a word such as db may mean a database
        return bool(low > -_DB_SPAN and high < _DB_SPAN and low < 0 and spread)
    return bool(middle >= 0 or (kind == "power" and high > -low))  # power without noise reaches far above zero


def _pooled(blocks: Blocks) -> NDArray[np.float64]:
    values = [block[np.isfinite(block)].astype(np.float64) for block in blocks]
    return np.concatenate(values) if values else np.zeros(0)
