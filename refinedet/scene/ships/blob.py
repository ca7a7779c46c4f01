"""Blob of a ship: the bright pixels at its box that are neither water nor side lobes of brighter ones. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

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


def floor(ship: Grey, water: float) -> float:
    """Least intensity of a ship's pixel, over water of that mean."""
    return max(FALSE_BRIGHT * water, float(ship.max()) * 10 ** (_OF_PEAK_DB / 10))


def side_lobes(ship: Grey, water: float, resolution_px: Pair) -> Grey:
    """Most intensity (H, W) that the side lobes of other pixels of the same row or column may give to each pixel."""
    if ship.max() * 10 ** (_FIRST_LOBE_DB / 10) * (_FIRST_LOBE_AT / _MAIN_LOBE) ** 2 < FALSE_BRIGHT * water:
        return np.zeros_like(ship)  # below what counts as bright anyway
    decibel = 10 * np.log10(np.maximum(ship, 10 ** (_NONE_DB / 10)))
    both = [_lobes_along(decibel, axis, resolution_px[1 - axis]) for axis in (0, 1)]
    return np.asarray(10 ** (np.maximum(*both) / 10))


def blob(ship: Grey, least: Grey) -> Mask:
    """Heaviest group of touching pixels of at least `least` (H, W), small gaps closed."""
    bright = ship >= least
    labels, count = ndimage.label(ndimage.binary_dilation(bright), np.ones((3, 3)))
    if count == 0:
        return np.asarray(bright)
    weight = ndimage.sum_labels(np.sqrt(ship) * bright, labels, np.arange(1, count + 1))
    return np.asarray(bright & (labels == 1 + int(np.argmax(weight))))


def _lobes_along(decibel: Grey, axis: int, resolution_px: float) -> NDArray[np.float64]:
    reach = min(_LOBES_PX, decibel.shape[axis] - 1)
    distance = np.abs(np.arange(-reach, reach + 1)) / resolution_px
    fall = _FIRST_LOBE_DB - 20 * np.log10(np.maximum(distance, _MAIN_LOBE) / _FIRST_LOBE_AT)
    fall[distance < _MAIN_LOBE] = _NONE_DB
    line = fall[:, None] if axis == 0 else fall[None, :]
    lobes = ndimage.grey_dilation(
        decibel, structure=line, footprint=np.ones(line.shape, np.bool_), mode="constant", cval=_NONE_DB
    )
    return np.asarray(lobes)
