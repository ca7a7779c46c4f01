"""Numbers that a file stores in another way than it says: with exchanged bytes, signed as unsigned, inverted, ..."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.config.options.detect import SceneSettings
from refinedet.errors import InputError
from refinedet.radiometry import valid_mask
from refinedet.raster import RasterFile, SceneReader
from refinedet.raster.decoding.areas import share
from refinedet.raster.decoding.values import DB_STEPS
from refinedet.scene.input.pixels.band_pixels import is_complex_pair
from refinedet.scene.input.pixels.speckle import Blocks
from refinedet.scene.input.pixels.squeezed import guess_above_zero, slope_above_zero
from refinedet.scene.input.pixels.values import is_one_part

_UNSIGNED = ("amplitude", "power")
"""Stated kinds of values whose whole numbers are what the file says."""
_PAIRS = (2, 4)
"""Numbers of bands of one or two complex images."""
_FEW_VALUES = 8
"""Number of values that may be fill or saturated pixels."""
_MOST_BETWEEN, _LEAST_HIGH = 0.01, 0.2
"""Largest share of signed numbers, stored as unsigned ones, that are far from both ends of the range, and the least
share of negative ones, at the upper end. Bright pixels of amplitude are rarer, and more lie between."""
_UPPER_QUARTER = 3 * 2**14
"""Least of the 16-bit numbers that are negative ones down to -16384, stored as unsigned."""
_SMALL_BYTE, _MOST_SMALL, _FEWEST_SMALL, _GREYS = 16, 0.9, 16, 256
"""Largest lower byte that is small, and least share and number of small ones, of numbers whose bytes are exchanged; and
the largest number of different values that 8 bits have. Of real amplitudes 7 % have a small lower byte, with exchanged
bytes 99 %."""
_OVERRULE = "set `values` to amplitude to change this"


def tell_storage(reader: SceneReader, settings: SceneSettings) -> None:
    """Put exchanged bytes in order, and read unsigned integers as signed ones or about their middle; report it.

    Raises:
        FileError: the pixels cannot be read.
    """
    own, count = list(reader.bands), len(reader.band_names)
    if settings.values in _UNSIGNED or len(own) > 1:
        return
    if reader.stored_dtype in ("uint16", "int16") and _are_swapped(reader.stored_sample()):
        reader.store_as(replace(reader.stored_as, swapped=True))
        reader.tell(
            "the two bytes of its whole numbers look exchanged, as where raw pixels are read in the wrong byte order: "
            f"they are put in the other order; {_OVERRULE}",
            swapped=True,
        )
        return
    if reader.stored_dtype not in ("uint8", "uint16"):
        return
    dtype = np.dtype(reader.stored_dtype)
    if dtype == np.uint16 and (_are_signed(reader.stored_sample()) or _are_negative_decibels(reader)):
        reader.store_as(replace(reader.stored_as, dtype="int16"))
        reader.tell(
            "its whole numbers look like signed ones that were stored as unsigned ones: from 32768 up they are read as "
            f"negative; {_OVERRULE}",
            signed=True,
        )
        return
    middle = float(2 ** (8 * dtype.itemsize - 1))
    about = count in _PAIRS and all(is_one_part(_about(reader, k, middle)) for k in range(1, count + 1))
    if about and is_complex_pair(_about(reader, 1, middle), _about(reader, 2, middle)):
        reader.store_as(replace(reader.stored_as, shift=-middle))
        reader.tell(
            f"its bands lie evenly about {middle:.0f}, as parts of complex numbers that were moved above zero: "
            f"{middle:.0f} is taken for zero; {_OVERRULE}",
            shift=-middle,
        )
    reader.use(own)


def settle_inversion(reader: SceneReader, path: RasterFile, settings: SceneSettings) -> None:
    """Decide whether low values are bright, as the user or else the file states, and report it.

    Raises:
        InputError: the pixels have colours, or are complex.
    """
    if settings.inverted is None:
        if reader.is_inverted:
            reader.tell("the file states that its lowest value is white, so its greys are inverted", inverted=True)
        return
    wanted = settings.inverted == "on"
    if wanted and (len(reader.bands) > 1 or reader.stored_dtype.startswith("complex")):
        found = "colours or complex numbers" if settings.values != "iq" else "complex numbers"
        raise InputError(f"expected grey pixels for `inverted` in {path}, found {found}; name one band by `band`")
    top = None
    if wanted and settings.values not in DB_STEPS and reader.stored_dtype != "uint8":
        sample = reader.sample()
        top = float(np.max(sample[valid_mask(sample, reader.info.nodata)], initial=0))
    reader.store_as(replace(reader.stored_as, inverted=wanted, top=top))
    reader.tell(inverted=wanted)


def _are_swapped(sample: NDArray[Any]) -> bool:
    """True if nearly all lower bytes of a sample of 16-bit integers are small, and less than the upper ones.

    Zero and the highest value, which may be fill, do not count, nor do scaled greys of 8 bits.
    """
    bits = sample.view(np.uint16)
    bits = bits[(bits != 0) & (bits != np.iinfo(np.uint16).max)]
    lower = bits & 0xFF
    is_small = (lower <= _SMALL_BYTE) & (lower < bits >> 8)
    if share(is_small) < _MOST_SMALL or np.count_nonzero(lower[is_small]) < _FEWEST_SMALL:
        return False
    return len(np.unique(bits)) > _GREYS


def _are_signed(sample: NDArray[Any]) -> bool:
    """True if a sample of unsigned 16-bit integers fills both ends of the range and nothing between."""
    if sample.ndim != 2:
        return False
    high, low = sample >= _UPPER_QUARTER, sample < 2**14
    if share(high) < _LEAST_HIGH or share(~high & ~low) > _MOST_BETWEEN:
        return False
    return min(len(np.unique(sample[high])), len(np.unique(sample[low]))) > _FEW_VALUES


def _are_negative_decibels(reader: SceneReader) -> bool:
    """True if unsigned 16-bit integers lie at the upper end of the range alone and have the speckle of decibels."""
    sample = reader.stored_sample()
    if len(reader.band_names) > 1 or sample.ndim != 2:
        return False
    if not sample.any() or ((sample > 0) & (sample < _UPPER_QUARTER)).any():
        return False
    return slope_above_zero(guess_above_zero([block.astype(np.float64) for block in reader.blocks()])) is not None


def _about(reader: SceneReader, number: int, middle: float) -> Blocks:
    """Blocks of a band, relative to the middle of its range."""
    reader.use([number])
    return [block.astype(np.float64) - middle for block in reader.blocks()]
