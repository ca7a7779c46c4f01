"""Stretch of the pixel values of a scene to the 8 bits that a network sees. Pure NumPy, for training and detection.

`stretch_limits.py` measures the limits, and `stretching.py` lets them follow the sea. Values are amplitudes: other
kinds are turned into them while a scene is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from refinedet.errors import InputError

if TYPE_CHECKING:
    from refinedet.config import Radiometry, StretchChoice
    from refinedet.stretch.sea_level import SeaLevels

Pixels = NDArray[Any]
"""Pixels of any real type: (H, W) for one band, (H, W, 3) for RGB."""
Mask = NDArray[np.bool_]
Domain = Literal["amplitude", "decibel"]
"""Values that are stretched: the amplitudes of the scene, or decibels from them."""

_LEAST_AMPLITUDE = 1e-12


@dataclass(frozen=True, slots=True)
class StretchLimits:
    """Limits of a linear stretch: `low` becomes 1, `high` becomes 255."""

    low: float
    high: float
    domain: Domain = "amplitude"
    """Kind of both values; pixels are converted to it before they are stretched."""
    levels: SeaLevels | None = field(default=None, compare=False)
    """Levels of the sea. Both limits hold at the median level, and rise and fall with the level. None: the same limits
    everywhere."""
    note: str | None = field(default=None, compare=False)
    """Sentence for the user on how the limits were measured."""

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise InputError(f"expected finite limits with low < high, found {self.low} and {self.high}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for records: both limits, their domain, and the lowest and highest level of the sea in dB."""
        span = None if self.levels is None else [round(level, 2) for level in self.levels.span()]
        return {"low": self.low, "high": self.high, "domain": self.domain, "sea_db": span}


def valid_mask(pixels: Pixels, nodata: float | None) -> Mask:
    """True where a pixel was measured; shape (H, W), also for RGB (there a pixel is invalid if all channels are).

    NaN, infinity and the value `nodata` are invalid. Where no nodata is declared, 0 is invalid too, because SAR
    products pad with zero, except in 8-bit pictures and in signed integers (dB), where 0 is a value like any other.
    Masks and alpha bands of a file are already applied: `SceneReader.read` returns what they hide as `nodata`.
    """
    value = _nodata_value(pixels.dtype, nodata)
    if pixels.dtype.kind == "f":
        valid = np.isfinite(pixels)
        if value is not None:
            valid &= pixels != value
    else:
        valid = np.ones(pixels.shape, np.bool_) if value is None else pixels != int(value)
    return np.asarray(reduce(np.logical_or, np.moveaxis(valid, 2, 0)) if valid.ndim == 3 else valid, np.bool_)


def _nodata_value(dtype: np.dtype[Any], nodata: float | None) -> float | None:
    """Value that marks unmeasured pixels of `dtype` in a file that declares `nodata`; None: no value does."""
    if nodata is None:
        return 0.0 if _zero_is_padding(dtype) else None
    return nodata if dtype.kind == "f" or float(nodata).is_integer() else None


def to_uint8(pixels: Pixels, valid: Mask, limits: StretchLimits | None) -> NDArray[np.uint8]:
    """8-bit pixels of the same shape; a pixel outside the mask `valid` (H, W) becomes 0.

    With limits, valid pixels are stretched linearly to 1..255 and clipped. Without, they keep their values: uint8
    passes unchanged, other types are rounded and clipped to 0..255.
    """
    mask = valid[..., None] if pixels.ndim == 3 else valid
    if limits is None and pixels.dtype == np.uint8:
        return np.where(mask, pixels, np.uint8(0))
    low, high = (0.0, 255.0) if limits is None else (limits.low, limits.high)
    values = np.where(mask, pixels, 1)
    if limits is not None and limits.domain != "amplitude":
        values = in_domain(values.astype(np.float64), limits.domain)
    # Clipping comes first, so that an undeclared -3.4e38 does not overflow.
    values = np.clip(values, low, high).astype(np.float64)
    if limits is not None:
        values = 1 + (values - low) * (254 / (high - low))
    return np.where(mask, np.rint(values), 0).astype(np.uint8)


def in_domain(values: Pixels, domain: Domain) -> NDArray[Any]:
    """Convert amplitudes to a domain."""
    if domain == "decibel":
        return np.asarray(20 * np.log10(np.maximum(values, _LEAST_AMPLITUDE)))
    return values


def _zero_is_padding(dtype: np.dtype[Any]) -> bool:
    return dtype.kind == "f" or (dtype.kind == "u" and dtype.itemsize > 1)


def check_choice(choice: StretchChoice, radiometry: Radiometry) -> None:
    """Check that weights of this radiometry know the stretch that a user asks for.

    Raises:
        InputError: they were trained with another one.
    """
    trained = radiometry.stretch
    if choice.kind in ("percentile", "decibel") and choice.kind != trained:
        raise InputError(
            f"expected a `stretch` that the weights know ({trained} or auto), found {choice.kind}: "
            f"they were trained with {trained} and would miss ships; leave `stretch` out"
        )
