"""Artefacts of Sentinel-1's images: seams between swaths and bursts, and stripes of foreign radio transmitters."""

from __future__ import annotations

import numpy as np

from refinedet.data.simulation.fields import Field
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges

_BURST_ROWS = 1_300
"""Rows of one burst of TOPS, in pixels of 10 m along azimuth less the overlap."""


def seams(shape: tuple[int, int], ranges: Sentinel1Ranges, rng: np.random.Generator) -> Field:
    """Factor of the intensity (H, W): a step at the seam of two swaths, and at the ends of the bursts of each."""
    decibels = np.zeros(shape, np.float32)
    column = int(rng.uniform(0.1, 0.9) * shape[1])
    decibels[:, column:] += rng.uniform(*ranges.seam_db) * rng.choice((-1, 1))
    for part in (slice(0, column), slice(column, None)):
        at = (np.arange(shape[0]) + rng.integers(_BURST_ROWS)) % _BURST_ROWS / _BURST_ROWS - 0.5
        scallop = (
            rng.uniform(*ranges.seam_db) * (4 * at**2) + rng.uniform(-0.5, 0.5) * rng.uniform(*ranges.seam_db) * at
        )
        decibels[:, part] += scallop.astype(np.float32)[:, None]
    return np.asarray(10 ** (decibels / 10), np.float32)


def interference(shape: tuple[int, int], ranges: Sentinel1Ranges, rng: np.random.Generator) -> Field:
    """Intensity (H, W) over the mean sea that foreign transmitters add: stripes along range, whole or dashed."""
    added = np.zeros(shape, np.float32)
    for _ in range(int(rng.integers(1, 5))):
        top, thick = int(rng.uniform(0, shape[0])), int(rng.integers(2, 40))
        left, right = np.sort(rng.uniform(-0.3, 1.3, 2)) * shape[1]
        x = np.arange(shape[1])
        profile = ((x > left) & (x < right)).astype(np.float32)
        if rng.random() < 0.5:
            profile *= np.sin(2 * np.pi * x / rng.uniform(8, 80) + rng.uniform(0, 6)) > rng.uniform(-0.8, 0.8)
        power = 10 ** (rng.uniform(*ranges.interference_db) / 10)
        added[top : top + thick] += np.float32(power) * profile
    return added
