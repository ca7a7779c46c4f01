"""Borders of a scene: noisy fringes, and the share of a box that was not measured. Pure.

Sentinel-1's processor before version 2.90 (March 2018) fills the borders of its products not with 0 but with small
values. ESA's rule ("Masking no-value pixels on GRD products", MPC-0243) searches inwards until the noise-free power or
the count exceeds a fixed threshold. Ali et al. (IEEE JSTARS 11(3), 2018, doi 10.1109/JSTARS.2017.2787650) show that
single pixels of fringe exceed it and stop the search. Here the threshold comes from the darkest water of the scene,
which holds at least the thermal noise. Pixels at the border are fringe if their mean over a run is at most half as
bright. A median over neighbouring lines removes outliers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.tiling import Window

Mask = NDArray[np.bool_]
Field = NDArray[np.float32]
Read = Callable[[Window], NDArray[Any]]

_LINES = 8
"""Number of rows (or columns) that share one limit, from their mean power."""
_RUN = 16
"""Length of a run in pixels, over which the power is averaged."""
_OF_FLOOR = 0.5
"""Largest power of a fringe, as a share of the power of the scene's darkest water."""
_DEPTH = 512
"""Largest depth of a fringe in pixels, beyond the zeros; dark pixels farther in are water. SNAP's limit is 500."""
_VOTERS = 17
"""Number of groups of lines whose median decides."""
_FLOOR_BLOCK = 8
_FLOOR_PERCENTILE = 1.0
_BAND = 256
_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Borders:
    """Limits [first, end) of the valid part of each row and column of a scene of H x W pixels."""

    left: NDArray[np.intp]
    """(H,) first valid pixel of each row."""
    right: NDArray[np.intp]
    top: NDArray[np.intp]
    """(W,) first valid pixel of each column."""
    bottom: NDArray[np.intp]

    def valid(self, window: Window) -> Mask:
        """(h, w) true within the limits."""
        rows, columns = np.arange(window.y, window.y + window.height), np.arange(window.x, window.x + window.width)
        across = slice(window.x, window.x + window.width)
        down = slice(window.y, window.y + window.height)
        inside = (columns >= self.left[down, None]) & (columns < self.right[down, None])
        inside &= (rows[:, None] >= self.top[across]) & (rows[:, None] < self.bottom[across])
        return inside


def find_fringes(read: Read, width: int, height: int, sample: NDArray[Any]) -> Borders:
    """Limits of a scene whose borders hold small values instead of 0.

    Each row is read once; memory use grows only with the width and with _DEPTH.

    Args:
        read: function that returns the counts of a window.
        width: width of the scene.
        height: height of the scene.
        sample: thinned scene, from `SceneReader.sample`.
    """
    threshold = _OF_FLOOR * _floor(sample)
    sides = [_limits(power, threshold) for power in _row_power(read, width, height)]
    left, right = (np.repeat(_vote(np.array(side)), _LINES)[:height] for side in zip(*sides, strict=True))
    deep = min(height, 2 * _DEPTH)
    top = _limits_down(read(Window(0, 0, deep, width)), threshold)
    bottom = height - _limits_down(read(Window(height - deep, 0, deep, width))[::-1], threshold)
    return Borders(left, width - right, top, bottom)


def invalid_share(valid: Mask, box_xyxy: tuple[float, float, float, float]) -> float:
    """Share of invalid pixels among the pixels that a box touches and their neighbours; 1 if there are none."""
    x1, y1, x2, y2 = box_xyxy
    rows = slice(max(int(np.floor(y1)) - 1, 0), int(np.ceil(y2)) + 1)
    columns = slice(max(int(np.floor(x1)) - 1, 0), int(np.ceil(x2)) + 1)
    inside = valid[rows, columns]
    return 1 - float(inside.mean()) if inside.size else 1.0


def _floor(sample: NDArray[Any]) -> float:
    """Mean power of the darkest water, away from the borders; 0 if there is too little water."""
    power = np.square(sample.astype(np.float64))
    height, width = (size // _FLOOR_BLOCK * _FLOOR_BLOCK for size in power.shape)
    blocks = power[:height, :width].reshape(height // _FLOOR_BLOCK, _FLOOR_BLOCK, width // _FLOOR_BLOCK, _FLOOR_BLOCK)
    whole = (blocks > 0).all(axis=(1, 3))
    margin = [max(1, size // 8) for size in whole.shape]
    inner = np.zeros_like(whole)
    inner[margin[0] : -margin[0], margin[1] : -margin[1]] = True
    means = blocks.mean(axis=(1, 3))[whole & inner]
    return float(np.percentile(means, _FLOOR_PERCENTILE)) if means.size else 0.0


def _row_power(read: Read, width: int, height: int) -> Iterator[Field]:
    """Mean power (W,) of each group of rows."""
    for y in range(0, height, _BAND):
        band = read(Window(y, 0, min(_BAND, height - y), width)).astype(np.float32)
        np.square(band, out=band)
        for row in range(0, len(band), _LINES):
            yield band[row : row + _LINES].mean(axis=0)


def _limits(power: Field, threshold: float) -> tuple[int, int]:
    """Number of invalid pixels at both ends of a line of mean power."""
    return _limit(power, threshold), _limit(power[::-1], threshold)


def _limit(power: Field, threshold: float) -> int:
    """First pixel of a line up to which the mean of _RUN pixels is no fringe; _UNKNOWN if there is none."""
    filled = np.flatnonzero(power)
    if not filled.size:
        return _UNKNOWN
    start = int(filled[0])
    line = power[start : start + _DEPTH + 1]
    mean = np.cumsum(line, dtype=np.float64)
    mean[_RUN:] -= mean[:-_RUN].copy()
    bright = np.flatnonzero(mean >= threshold * _RUN)
    if not bright.size:
        return _UNKNOWN
    return start + (int(bright[0]) if bright[0] >= _RUN else 0)


def _limits_down(pixels: NDArray[Any], threshold: float) -> NDArray[np.intp]:
    """(W,) number of invalid rows at the top of a strip of counts."""
    width = pixels.shape[1]
    limits = []
    for x in range(0, width, _LINES):
        group = pixels[:, x : x + _LINES].astype(np.float32)
        limits.append(_limit(np.square(group).mean(axis=1), threshold))
    return np.repeat(_vote(np.array(limits)), _LINES)[:width]


def _vote(limits: NDArray[np.intp]) -> NDArray[np.intp]:
    """Replace unknown limits by the nearest known one, then each limit by the median of those around it.

    The limit of a line is unknown if the whole line is fringe, or if calm water reaches farther in than any fringe.
    """
    unknown = limits == _UNKNOWN
    if unknown.all():
        return np.zeros_like(limits)
    (nearest,) = ndimage.distance_transform_edt(unknown, return_distances=False, return_indices=True)
    return np.asarray(ndimage.median_filter(limits[nearest], _VOTERS, mode="nearest"), np.intp)
