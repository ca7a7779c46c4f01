"""Blobs of ships: the bright pixels at a box that are neither water nor side lobes of brighter ones. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.scene.ships.measuring.resolution import Mask

Stack = NDArray[np.float64]
"""(N, H, W) one picture of each ship."""
Masks = NDArray[np.bool_]
"""(N, H, W)."""

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


def floors(peaks: NDArray[np.float64], water: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least intensity (N,) of a pixel of ships with those peaks, over water of those means."""
    return np.maximum(FALSE_BRIGHT * water, peaks * 10 ** (_OF_PEAK_DB / 10))


def throws_lobes(peaks: NDArray[np.float64], water: NDArray[np.float64]) -> Mask:
    """(N,) true for ships whose side lobes may be brighter than what counts as bright anyway."""
    return np.asarray(peaks * 10 ** (_FIRST_LOBE_DB / 10) * (_FIRST_LOBE_AT / _MAIN_LOBE) ** 2 >= FALSE_BRIGHT * water)


def lobes_along_rows(
    power: Stack, sources: NDArray[np.int64], targets: NDArray[np.int64], resolution_px: float
) -> Stack:
    """Most intensity (N, R, T) that the side lobes of other pixels of a row may give to each of its pixels.

    Args:
        power: (N, R, S) intensity of what throws side lobes, else 0; -1 where there is no source.
        sources: (N, S) columns of `power`.
        targets: (N, T) columns for which the answer is wanted.
        resolution_px: width of the point response along the rows.
    """
    decibel = 10 * np.log10(np.maximum(power, 10 ** (_NONE_DB / 10)))
    decibel[power < 0] = -np.inf
    falls = _falls_db(resolution_px)
    if sources.shape[1] > targets.shape[1]:
        ways = (falls[_apart(sources, targets[:, k, None])] for k in range(targets.shape[1]))
        return np.asarray(10 ** (np.stack([(decibel + fall[:, None]).max(axis=2) for fall in ways], axis=2) / 10))
    most = np.full((*power.shape[:2], targets.shape[1]), -np.inf)
    for k in range(sources.shape[1]):
        fall = falls[_apart(targets, sources[:, k, None])]
        np.maximum(most, decibel[:, :, k, None] + fall[:, None], out=most)
    return np.asarray(10 ** (most / 10))


def blobs(ships: Stack, least: Stack, inside: Masks) -> Masks:
    """Heaviest group of touching pixels of at least `least` in each picture, small gaps closed.

    Args:
        ships: (N, H, W) intensity, with a line to spare on all sides.
        least: (N, H, W) least intensity of a pixel of a ship.
        inside: (N, H, W) false beyond the border of the scene.
    """
    bright = ships >= least
    count, height, width = bright.shape
    apart = np.zeros((count, height + 1, width), np.bool_)  # no group reaches over the empty line
    apart[:, :-1] = _with_neighbours(bright) & inside
    labels, groups = ndimage.label(apart.reshape(-1, width), np.ones((3, 3)))
    labels = labels.reshape(apart.shape)[:, :-1]
    weight = np.bincount(labels.ravel(), (np.sqrt(ships) * bright).ravel(), minlength=groups + 1)[1:]
    owner = np.zeros(groups + 1, np.int64)
    owner[labels] = np.arange(count)[:, None, None]
    owner = owner[1:]
    order = np.lexsort((-weight, owner))  # the first of equal ones stays first
    first = order[np.unique(owner[order], return_index=True)[1]]
    heaviest = np.zeros(count, labels.dtype)
    heaviest[owner[first]] = first + 1
    return np.asarray(bright & (labels == heaviest[:, None, None]))


def _apart(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pixels between places; all that are farther than `_LOBES_PX` are alike."""
    return np.asarray(np.minimum(np.abs(first - second), _LOBES_PX + 1), np.int64)


def _falls_db(resolution_px: float) -> NDArray[np.float64]:
    """Decibels (`_LOBES_PX` + 2,) of side lobes against their source, by the number of pixels between them."""
    apart = np.arange(_LOBES_PX + 2)
    distance = apart / resolution_px
    fall = _FIRST_LOBE_DB - 20 * np.log10(np.maximum(distance, _MAIN_LOBE) / _FIRST_LOBE_AT)
    fall[(distance < _MAIN_LOBE) | (apart > _LOBES_PX)] = _NONE_DB
    return np.asarray(fall)


def _with_neighbours(mask: Masks) -> Masks:
    """Pixels that are true or have a true one beside, above or below them in the same picture."""
    wide = mask.copy()
    wide[:, 1:] |= mask[:, :-1]
    wide[:, :-1] |= mask[:, 1:]
    wide[:, :, 1:] |= mask[:, :, :-1]
    wide[:, :, :-1] |= mask[:, :, 1:]
    return wide
