"""Overlap of neighbouring windows of a scene: enough for the longest ship, and no more. Pure."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from refinedet.config import TileConfig

LONGEST_SHIP_M = 500.0
"""Length of the longest ship, with a margin: the longest ever built had 458 m (Seawise Giant). Pixel sizes are measured
in the middle of a scene, and may be slightly smaller elsewhere."""
_LEAST_PX = 96
"""Least overlap, so that a window sees 48 pixels around its owned area."""


def shrink_overlap(
    tile: TileConfig, axes: NDArray[np.float64] | None, factors: tuple[float, float], ship_m: float | None
) -> TileConfig:
    """Shrink the overlap to the length of a ship of `ship_m` metres; keep it if the pixel size is not known.

    Args:
        tile: size of the windows, and their largest overlap.
        axes: metres of a pixel of the scene, from `compass.ground_axes`.
        factors: pixels of the network per pixel of the scene, along x and y.
        ship_m: length of the longest ship; None: the overlap stays as it is.
    """
    if axes is None or ship_m is None:
        return tile
    pixel_m = float((np.hypot(*axes) / factors).min())
    return replace(tile, overlap_px=min(tile.overlap_px, max(_LEAST_PX, math.ceil(round(ship_m / pixel_m, 3)))))
