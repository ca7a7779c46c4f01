"""Overlap of neighbouring windows of a scene: enough for the longest ship, and no more. Pure."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from refinedet.config import TileConfig

LONGEST_SHIP_M = 500.0
"""Length of the longest ship, with a margin: none was longer than 458 m (Seawise Giant). Pixels are measured in the
middle of a scene, and may be a little smaller elsewhere."""
_LEAST_PX = 96
"""Least overlap, so that a window sees 48 pixels around all that it owns."""


def shrink_overlap(
    tile: TileConfig, axes: NDArray[np.float64] | None, factors: tuple[float, float], ship_m: float | None
) -> TileConfig:
    """Shrink the overlap to the length of a ship of `ship_m` metres; keep it if the size of a pixel is not known.

    Args:
        tile: size of the windows, and their largest overlap.
        axes: metres of a pixel of the scene, from `compass.ground_axes`.
        factors: pixels that the network sees per pixel of the scene.
        ship_m: length of the longest ship; None: the overlap stays as it is.
    """
    if axes is None or ship_m is None:
        return tile
    pixel_m = float((np.hypot(*axes) / factors).min())
    return replace(tile, overlap_px=min(tile.overlap_px, max(_LEAST_PX, math.ceil(round(ship_m / pixel_m, 3)))))
