"""Detections that are side lobes of a much brighter ship: on its row or column, and no brighter than they can be. Pure.

The point response of a radar is a cross along rows and columns of the image. Its arms fade with the square of the
distance, so the arm between the ship and a true side lobe is on average at least as bright as the side lobe. A weak
ship that only happens to lie on the cross has dark water before it. Rasters that were turned after focusing have the
cross elsewhere: their side lobes are not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from refinedet.scene.ships.measuring.blob import FALSE_BRIGHT, lobes_along_rows, throws_lobes
from refinedet.scene.ships.measuring.blocks import Span
from refinedet.scene.ships.measuring.crop import Box, quantile, touched
from refinedet.scene.ships.measuring.resolution import Grey, Mask, Pair

SIDELOBE = "sidelobe"
"""Flag: the bright patch at the box is no brighter than the side lobes of a much brighter ship on its row or column."""

_BRIGHTER = 10.0
"""Least power of a pixel that throws side lobes, as a multiple of the detection's peak."""
_OF_PEAK = 0.25
"""Least power of a pixel of the patch relative to its peak."""
_EXPLAINED = 0.9
"""Least share of the patch that is no brighter than side lobes."""
_ARM = 0.7
"""Least brightness of the arm before the patch relative to that of the patch, both over the water."""
_GROWN_PX = 2.0
"""Pixels around the box of a ship that may belong to it."""


def is_side_lobe(power: Grey, valid: Mask, box_xyxy: Box, others: Iterable[Box], resolution_px: Pair) -> bool:
    """Tell a side lobe from a ship.

    Args:
        power: intensity (H, W) around the box; 0 where nothing was measured.
        valid: (H, W) false where nothing was measured.
        box_xyxy: the box, in pixels of `power`.
        others: boxes of the other detections, likewise; asked for only if something near could throw side lobes.
        resolution_px: width of the point response along x and y.
    """
    box = touched(power.shape, box_xyxy, 0)
    if not valid[box].any():
        return False
    peak = float(power[box].max())
    if float(power.max()) < _BRIGHTER * peak:  # as a rule
        return False
    here = np.zeros_like(valid)
    here[box] = valid[box]
    ships = np.zeros_like(here)
    for rows, columns in _grown(others, power.shape):
        ships[rows, columns] = True
    bright = np.where(ships & ~here & (power >= _BRIGHTER * peak), power, 0.0)
    if not bright.any():
        return False
    water = quantile(power[valid], 0.5)
    patch = here & (power >= max(_OF_PEAK * peak, FALSE_BRIGHT * water))
    if not patch.any():
        return False
    lobes = _lobes(bright, water, box, resolution_px)
    if float((power[box] <= lobes)[patch[box]].mean()) < _EXPLAINED:
        return False
    sides = ((power, bright > 0, patch), (power.T, bright.T > 0, patch.T))
    return any(_arm_reaches(*side, water) for side in sides)


def _grown(boxes: Iterable[Box], shape: tuple[int, ...]) -> Iterator[Span]:
    """Yield the pixels of an array (H, W) that boxes touch if they are larger by `_GROWN_PX` on all sides."""
    corners = np.array(list(boxes), np.float64).reshape(-1, 2, 2)[:, :, ::-1]
    first = np.clip(np.floor(corners[:, 0] - _GROWN_PX), 0, shape).astype(np.int64)
    last = np.clip(np.ceil(corners[:, 1] + _GROWN_PX), first, shape).astype(np.int64)
    for (top, left), (bottom, right) in zip(first.tolist(), last.tolist(), strict=True):
        yield slice(top, bottom), slice(left, right)


def _lobes(bright: Grey, water: float, box: Span, resolution_px: Pair) -> Grey:
    """Most intensity that the side lobes of bright pixels of the same row or column may give to those of a box."""
    if not throws_lobes(bright.max(keepdims=True), np.array(water)).all():
        return np.zeros_like(bright[box])
    rows, columns = (
        _along(one[lines], across, width)
        for one, lines, across, width in (
            (bright, box[0], box[1], resolution_px[0]),
            (bright.T, box[1], box[0], resolution_px[1]),
        )
    )
    return np.maximum(rows, columns.T)


def _along(bright: Grey, targets: slice, resolution_px: float) -> Grey:
    """Side lobes of bright pixels (R, W) at the target columns, along rows alone."""
    sources = np.flatnonzero(bright.any(axis=0))
    if not len(sources):
        return np.zeros_like(bright[:, targets])
    places = np.arange(bright.shape[1])[None, targets]
    return np.asarray(lobes_along_rows(bright[None, :, sources], sources[None], places, resolution_px)[0])


def _arm_reaches(power: Grey, bright: Mask, patch: Mask, water: float) -> bool:
    """True if the rows of a patch are as bright all the way from the pixels that throw side lobes along them."""
    rows, columns = (np.flatnonzero(patch.any(axis=axis)) for axis in (1, 0))
    lines = slice(rows[0], rows[-1] + 1)
    sources = np.flatnonzero(bright[max(rows[0] - 1, 0) : rows[-1] + 2].any(axis=0))
    before, after = sources[sources < columns[0]], sources[sources > columns[-1]]
    arms = [power[lines, one[-1] + 1 : columns[0]] for one in (before,) if len(one)]
    arms += [power[lines, columns[-1] + 1 : one[0]] for one in (after,) if len(one)]
    mean = float(power[lines, columns[0] : columns[-1] + 1].mean())
    return any(arm.size > 0 and float(arm.mean()) - water >= _ARM * (mean - water) for arm in arms)
