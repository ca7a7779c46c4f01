"""Statements on the stored pixels of a file that overrule its own: which are missing, and what their numbers mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.raster.decoding.areas import Flags, holds


@dataclass(frozen=True, slots=True)
class Missing:
    """Stored values of pixels that were not measured, in place of the declaration and the masks of the file.

    If there are none, every finite value is measured.
    """

    values: tuple[float, ...] = ()
    """Values that are missing everywhere."""
    areas: tuple[float, ...] = ()
    """Values that are missing where they fill areas (`raster.areas`); single pixels of these values are measured. NaN
    means any value that is not finite."""
    zero_is_top: bool = False
    """True if 0 is the upper end of decibels that were cut off there, so that single pixels of 0 are bright."""

    @property
    def main(self) -> float | None:
        """Value of missing pixels in integers; None: no pixels are missing."""
        return next(iter((*self.values, *self.areas)), None)

    @property
    def everywhere(self) -> Missing:
        """Missing pixels for statistics of measured values: single pixels are missing too, except zeros."""
        zeros = tuple(value for value in self.areas if value == 0)
        return Missing((*self.values, *(value for value in self.areas if value != 0)), zeros, self.zero_is_top)

    @property
    def is_plain(self) -> bool:
        """True if pixels of only one value are missing, everywhere."""
        return len(self.values) == 1 and not self.areas


@dataclass(frozen=True, slots=True)
class StoredAs:
    """Meaning of stored numbers where it differs from what the file says."""

    shift: float = 0.0
    """Number that is added to the values, such as those of a picture with mean 0."""
    inverted: bool | None = None
    """True if low values are bright; None: as the file says."""
    top: float | None = None
    """Value that is black if values are inverted, except in 8 bits, where 255 is; None: values have the wrong sign."""
    swapped: bool = False
    """True if the bytes of each pixel are in the other order."""
    dtype: str | None = None
    """Type that the bits of the pixels have in truth, such as signed integers; None: as the file says."""


AS_STATED = StoredAs()
"""Numbers that mean what the file says."""


def measured(bands: NDArray[Any], missing: Missing, areas: Callable[[Flags], Flags]) -> Flags:
    """(h, w) true where stored bands (n, h, w) hold none of the missing values; `areas` finds areas in flags."""
    hidden = np.zeros(bands.shape[1:], np.bool_)
    for value in missing.values:
        hidden |= holds(bands, value)
    for value in missing.areas:
        hidden |= areas(holds(bands, value))
    return ~hidden
