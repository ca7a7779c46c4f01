"""Chips cut from a simulated scene, in memory: ships, land and missing pixels that need no file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from refinedet.config import Radiometry
from refinedet.data.simulation.scene import simulate
from refinedet.data.simulation.spec import SceneSpec
from refinedet.stretch.stretching import stretch_whole

_SIDE_PX, _SHIPS, _SEED = 1024, 40, 20261125


def simulated_chips() -> list[NDArray[np.uint8]]:
    """Cut six 8-bit chips (H, W) from one simulated scene: four of 512 x 512, a strip and a small one.

    Every call returns the same chips.
    """
    pixels = simulate(SceneSpec(width_px=_SIDE_PX, height_px=_SIDE_PX, ships=_SHIPS, seed=_SEED)).pixels
    whole = stretch_whole(pixels, None, Radiometry())
    half = _SIDE_PX // 2
    corners = [whole[y : y + half, x : x + half] for y in (0, half) for x in (0, half)]
    return [*corners, whole[:300, :half], whole[half : half + 90, half : half + 120]]
