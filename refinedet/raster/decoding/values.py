"""Amplitude from the values that a file stores: amplitude, power, decibels, or the parts of a complex number. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.config import ValueKind

LEAST_AMPLITUDE = 1e-20
"""Amplitude for measured power at or below zero, which the removal of noise can leave: dark, but not missing."""
DB_STEPS: dict[ValueKind, int] = {"db": 1, "db10": 10, "db100": 100, "db1000": 1000}
"""Kinds of decibels, with their number of steps per decibel."""
_FARTHEST_DB = 300.0
"""Decibels are clipped to this distance from zero, so that their amplitude and power are finite and above zero."""


def darkest(kind: ValueKind) -> float:
    """Least value of a kind of decibels whose amplitude is above zero."""
    return -_FARTHEST_DB * DB_STEPS[kind]


def to_amplitude(stored: NDArray[Any], kind: ValueKind, slope: float = 1.0) -> NDArray[np.float64]:
    """Amplitude (H, W) of finite stored values times `slope`.

    Stored values have the shape (H, W), or (2, H, W) for the two parts of complex numbers (`iq`).
    """
    values = stored.astype(np.float64)
    if slope != 1:
        values *= slope
    if kind == "iq":
        return np.asarray(np.hypot(values[0], values[1]))
    if kind == "power":
        return np.asarray(np.sqrt(np.maximum(values, LEAST_AMPLITUDE**2)))
    if kind in DB_STEPS:
        return np.asarray(10 ** (np.clip(values / DB_STEPS[kind], -_FARTHEST_DB, _FARTHEST_DB) / 20))
    return np.asarray(values)
