"""Blob of a ship: the bright pixels at its box that are neither water nor side lobes of brighter ones. Pure."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from refinedet.scene.ships.blocks import Span
from refinedet.scene.ships.crop import with_neighbours
from refinedet.scene.ships.resolution import Grey, Mask, Pair

FALSE_BRIGHT = 3.0
"""Least brightness of a ship's pixel, as a multiple of the mean of the water."""
_OF_PEAK_DB = -30.0
"""Least brightness of a ship's pixel relative to the brightest one at the box."""
_FIRST_LOBE_DB = -10.0
"""Most of a pixel's power that is thrown 1.5 resolutions away along its row or column, 3 dB above the side lobes of an
aperture without a window; it falls with the square of the distance."""
_FIRST_LOBE_AT = 1.5
_MAIN_LOBE = 1.2
"""Distance, in resolutions, within which light belongs to the main lobe."""
_LOBES_PX = 40
"""Distance from a bright pixel up to which its side lobes are looked for."""
_NONE_DB = -300.0
_AT_ONCE = 1 << 18
"""Pairs of pixels that are looked at at once, for the memory."""


def floor(ship: Grey, water: float) -> float:
    """Least intensity of a ship's pixel, over water of that mean."""
    return max(FALSE_BRIGHT * water, float(ship.max()) * 10 ** (_OF_PEAK_DB / 10))


def side_lobes(ship: Grey, water: float, resolution_px: Pair, sources: Span, targets: Span) -> Grey:
    """Most intensity that the side lobes of other pixels of the same row or column may give to each pixel.

    Args:
        ship: (H, W) intensity of what throws side lobes, else 0.
        water: mean of the water.
        resolution_px: width of the point response along x and y.
        sources: rows and columns that hold all of `ship`.
        targets: rows and columns for which the answer is wanted, which has their size.
    """
    if ship.max() * 10 ** (_FIRST_LOBE_DB / 10) * (_FIRST_LOBE_AT / _MAIN_LOBE) ** 2 < FALSE_BRIGHT * water:
        return np.zeros_like(ship[targets])  # below what counts as bright anyway
    rows = _lobes_along_rows(ship, sources, targets, resolution_px[0])
    columns = _lobes_along_rows(ship.T, sources[::-1], targets[::-1], resolution_px[1]).T
    return np.maximum(rows, columns)


def blob(ship: Grey, least: Grey) -> Mask:
    """Heaviest group of touching pixels of at least `least` (H, W), small gaps closed."""
    bright = ship >= least
    labels, count = ndimage.label(with_neighbours(bright), np.ones((3, 3)))
    if count == 0:
        return np.asarray(bright)
    weight = np.bincount(labels.ravel(), (np.sqrt(ship) * bright).ravel())[1:]
    return np.asarray(bright & (labels == 1 + int(np.argmax(weight))))


def _lobes_along_rows(ship: Grey, sources: Span, targets: Span, resolution_px: float) -> Grey:
    """Side lobes at the targets along rows alone; 0 in rows without a source."""
    lobes = np.zeros_like(ship[targets])
    first = max(sources[0].start, targets[0].start)
    last = min(sources[0].stop, targets[0].stop)
    if first >= last:
        return lobes
    there, here = (np.arange(ship.shape[1])[span[1]] for span in (sources, targets))
    apart = np.abs(there[:, None] - here)
    distance = apart / resolution_px
    fall = _FIRST_LOBE_DB - 20 * np.log10(np.maximum(distance, _MAIN_LOBE) / _FIRST_LOBE_AT)
    fall[(distance < _MAIN_LOBE) | (apart > _LOBES_PX)] = _NONE_DB
    decibel = 10 * np.log10(np.maximum(ship[first:last, sources[1]], 10 ** (_NONE_DB / 10)))
    step = max(1, _AT_ONCE // max(fall.size, 1))
    some = [decibel[row : row + step, :, None] for row in range(0, len(decibel), step)]
    most = np.concatenate([(lines + fall).max(axis=1) for lines in some])
    lobes[first - targets[0].start : last - targets[0].start] = 10 ** (most / 10)
    return lobes
