"""How much neighbouring windows of a scene share: enough for the longest ship, and no more. Pure."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from refinedet.config import TileConfig

LONGEST_SHIP_M = 500.0
"""No ship was ever longer than 458 m (Seawise Giant). Pixels are measured amid a scene: elsewhere they may be a little
smaller."""
_LEAST_PX = 96
"""Shared in any case, so that a window sees 48 pixels around all that it owns."""


def shrink_overlap(
    tile: TileConfig, axes: NDArray[np.float64] | None, factors: tuple[float, float], ship_m: float | None
) -> TileConfig:
    """Windows that share no more than a ship of `ship_m` metres takes; as they are where a pixel's size is not known.

    Args:
        tile: windows, with the most that they share.
        axes: metres of a pixel of the scene, as `compass.ground_axes` gives them.
        factors: pixels that are looked at per pixel of the scene.
        ship_m: None: the windows stay as they are.
    """
    if axes is None or ship_m is None:
        return tile
    pixel_m = float((np.hypot(*axes) / factors).min())
    return replace(tile, overlap_px=min(tile.overlap_px, max(_LEAST_PX, math.ceil(round(ship_m / pixel_m, 3)))))
