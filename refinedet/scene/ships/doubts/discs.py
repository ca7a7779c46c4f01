"""Parts of an area into which a disc fits. Pure."""

from __future__ import annotations

import numpy as np

from refinedet.raster.decoding.areas import framed, grown, runs, squares
from refinedet.scene.ships.measuring.resolution import Mask


def most_opened(bright: Mask, breadth: float) -> Mask:
    """Pixels that `opened` leaves, and perhaps some more; quick.

    A disc holds a square, and a row and a column as long as it is broad, and a larger square holds it.
    """
    reach = int(breadth / 2)
    inner = int(breadth / 2 / np.sqrt(2))
    wide = framed(bright, reach, fill=True)
    rows, columns = wide[reach : reach + bright.shape[0]], wide[:, reach : reach + bright.shape[1]]
    core = runs(rows, 2 * reach + 1, np.logical_and, 1) & runs(columns, 2 * reach + 1, np.logical_and, 0)
    if not core.any():
        return np.zeros_like(bright)
    square = wide[reach - inner : wide.shape[0] - reach + inner, reach - inner : wide.shape[1] - reach + inner]
    core &= squares(square, 2 * inner + 1, np.logical_and)
    return bright & grown(core, reach)


def opened(bright: Mask, breadth: float) -> Mask:
    """Parts of an area into which a disc of that diameter fits; the area is taken to go on beyond the image."""
    if not most_opened(bright, breadth).any():
        return np.zeros_like(bright)
    core = ~_grown(~bright, breadth / 2)
    return bright & _grown(core, breadth / 2) if core.any() else core


def _grown(mask: Mask, radius: float) -> Mask:
    """Pixels that have a true one within a radius."""
    reach = int(radius)
    height, width = mask.shape
    counts = np.cumsum(np.pad(mask, ((reach, reach), (reach + 1, reach))), axis=1, dtype=np.int32)
    found, half = np.zeros_like(mask), -1
    for down in range(reach + 1):
        if half != (half := int(np.sqrt(radius**2 - down**2))):
            last, first = reach + 1 + half, reach - half
            near = counts[:, last : last + width] > counts[:, first : first + width]
        found |= near[reach + down : reach + down + height]
        found |= near[reach - down : reach - down + height]
    return found
