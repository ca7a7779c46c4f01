"""Reasons to doubt that a detection is a ship, by the pixels around it: its size and shape, and its backdrop. Pure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.raster.decoding.areas import framed
from refinedet.scene.ships.doubts.backdrop import Sizes, land_distance
from refinedet.scene.ships.measuring.blocks import Span
from refinedet.scene.ships.measuring.crop import Box, Crop, area_px, covariance, quantile, touched
from refinedet.scene.ships.measuring.resolution import Grey, Mask
from refinedet.tiling import Window

IMPLAUSIBLE = "implausible"
"""Flag: the bright patch at the box is longer or broader than any ship."""
ISLET = "islet"
"""Flag: the bright patch at the box has the shape of an islet: broad and compact."""

LONGEST_M, BROADEST_M = 420.0, 75.0
"""Length and breadth that no ship exceeds: the longest one has 458 m and was scrapped, the broadest has 68 m."""
NOMINAL_M = 10.0
"""Size of pixels for which the sizes of cells are meant, and which pixels of unknown size are taken for."""
RANGE_M = (5.0, 20.0)
"""Sizes of pixels that are judged as they are; others are to be resampled to NOMINAL_M."""
RESOLUTION_M = 20.0
"""Resolution of Sentinel-1's ground range images, which is coarser than their pixels."""
REACH_PX = 80
"""Pixels around a box that are looked at on each side."""

_PIXELS_TO_RESOLUTION = 1.2
"""Resolution of a scene in its pixels, if these are so coarse that they set it."""
_BLUR = 1.8
"""Growth of a bright patch by the point response, in resolutions, down to _OF_PEAK."""
_OF_PEAK = 10**-1.2
"""Least power of a pixel of the patch relative to its peak, both smoothed."""
_OVER_WATER = 4.0
"""Least power of a pixel of the patch over the median around."""
_ROUND, _ROUNDER = 2.5, 1.8
"""Largest ratio of length to breadth of an islet, and of one of unknown size."""
_LARGER = 2.0
"""Least area of land outside of the box as a multiple of the largest ship's."""
_WIDER = 1.25
"""Least breadth of land as a multiple of the detection's, where the size of pixels is unknown."""
_EVEN, _EVEN_BROAD_PX = 0.35, 20.0
"""Largest standard deviation over mean, and least breadth, of an islet of unknown size: ships have bright points."""
_THIN_PX, _BELOW_MEDIAN = 7, 0.43
"""Step of a sample of the pixels, and the share of it that is darker than a guess below the median of all."""
_CLOSE_TO_HALF = 2
"""Pixels by which a half is certain, as a median may lie between two of them."""
_CLOSE_PX = 24
"""Pixels on each side of the brightest point in which a patch is looked for first: most end within them."""


class _Patch(NamedTuple):
    """Bright patch in the smallest rectangle around it, (H, W)."""

    mask: Mask
    smooth: Grey

    def exceeds(self, length: float, breadth: float) -> bool:
        """False if so small a rectangle holds nothing longer or broader, as a quick test."""
        return _exceed(self.mask.shape, length, breadth)


def judged(pixel_m: tuple[float, float]) -> bool:
    """True if pixels of that width and height in metres are judged as they are; also if their size is unknown."""
    return not any(size < RANGE_M[0] or size > RANGE_M[1] for size in pixel_m)


def surroundings(box_xyxy: Box, width_px: int, height_px: int) -> Window:
    """Window around a box, for `doubts`, in a scene of that size."""
    x1, y1, x2, y2 = box_xyxy
    left, top = max(0, int(x1) - REACH_PX), max(0, int(y1) - REACH_PX)
    right, bottom = min(width_px, int(np.ceil(x2)) + REACH_PX), min(height_px, int(np.ceil(y2)) + REACH_PX)
    return Window(top, left, bottom - top, right - left)


def resolution_m(pixel_m: tuple[float, float]) -> float:
    """Resolution of a scene with pixels of that width and height in metres; NaN is unknown."""
    return float(np.nanmax([RESOLUTION_M, *(_PIXELS_TO_RESOLUTION * size for size in pixel_m)]))


def doubts(
    crop: Crop,
    box_xyxy: Box,
    pixel_m: float = np.nan,
    sensor_m: float = RESOLUTION_M,
    *,
    land_within_px: float | None = np.inf,
) -> tuple[set[str], float]:
    """Doubts that the detection at a box is a ship.

    Args:
        crop: the box and REACH_PX around it, as far as the scene reaches.
        box_xyxy: the box, in pixels of the crop.
        pixel_m: size of a pixel; NaN: unknown. Then only shapes count that no ship has at any size.
        sensor_m: resolution of the scene.
        land_within_px: distance beyond which land does not matter; None: no land is to be looked for.

    Returns:
        flags: IMPLAUSIBLE, ISLET, both or none.
        land_px: distance to the nearest land that the image shows; 0 if they touch, infinite if none is near or
            looked for.
    """
    known = np.isfinite(pixel_m)
    size = pixel_m if known else NOMINAL_M
    breadth, length = ((most + _BLUR * sensor_m) / size for most in (BROADEST_M, LONGEST_M))
    area = _LARGER * (BROADEST_M + _BLUR * sensor_m) * (LONGEST_M + _BLUR * sensor_m) / size**2
    found: set[str] = set()
    patch = _patch(crop, box_xyxy, (length, breadth if known else breadth / _WIDER))
    if patch is not None:
        long, broad, even = _measures(patch)
        if known and (long > length or broad > breadth):
            found.add(IMPLAUSIBLE)
        if known and broad > breadth and long < _ROUND * broad:
            found.add(ISLET)
        if not known:
            if broad > _EVEN_BROAD_PX and long < _ROUNDER * broad and even < _EVEN:
                found.add(ISLET)
            breadth, area = max(breadth, _WIDER * broad), max(area, _LARGER * float(patch.mask.sum()))
    if land_within_px is None:
        return found, np.inf
    return found, land_distance(crop, box_xyxy, Sizes(breadth, area), land_within_px)


def _patch(crop: Crop, box_xyxy: Box, most: tuple[float, float]) -> _Patch | None:
    """Bright patch around the brightest point of a box, or the first of equal ones; None if not larger than `most`.

    It is no larger than one of the pixels that exceed a lower level, which are known sooner.
    """
    here = touched(crop.power.shape, box_xyxy, 0)
    top = crop.smooth_in(here)
    if not top.size:
        return None
    row, column = np.unravel_index(int(np.argmax(top)), top.shape)
    at = here[0].start + int(row), here[1].start + int(column)
    least = max(float(top[row, column]) * _OF_PEAK, np.finfo(np.float64).tiny)
    low = _least_median(crop, here, least / _OVER_WATER)
    lower = max(least, _OVER_WATER * low)
    if not (_may_exceed(crop, at, lower, most) and _connected(crop, at, lower).exceeds(*most)):
        return None
    if low != least / _OVER_WATER:  # the median may be higher
        far = crop.valid.copy()
        far[here] = False
        around = crop.power[far]
        if len(around):
            least = max(least, _OVER_WATER * quantile(around, 0.5))
    patch = _connected(crop, at, least)
    return patch if patch.exceeds(*most) else None


def _least_median(crop: Crop, here: Span, enough: float) -> float:
    """Median power around a span, or less; `enough` if it is at most that."""
    thin = crop.power[::_THIN_PX, ::_THIN_PX][crop.valid[::_THIN_PX, ::_THIN_PX]]
    if not len(thin):
        return 0.0
    guess = quantile(thin, _BELOW_MEDIAN)
    if guess < enough and _share_darker(crop, here, enough) > 0:
        return enough
    return guess if _share_darker(crop, here, guess) < 0 else 0.0


def _share_darker(crop: Crop, here: Span, than: float) -> int:
    """Sign of the share of measured pixels around a span that are darker, over a half; 0 if it is about that."""
    dark, count = (int(np.count_nonzero(mask)) for mask in (crop.power < than, crop.power[here] < than))
    dark, total = dark - count, crop.power.size - area_px(here)
    if not crop.is_whole:  # which are dark, too
        unknown = int(np.count_nonzero(~crop.valid)) - int(np.count_nonzero(~crop.valid[here]))
        dark, total = dark - unknown, total - unknown
    return int(np.sign(2 * dark - total)) if abs(2 * dark - total) > _CLOSE_TO_HALF else 0


def _may_exceed(crop: Crop, at: tuple[int, int], least: float, most: tuple[float, float]) -> bool:
    """Tell if the pixels of at least that power around a place may hang together over more than `most`; quick."""
    first = [max(place - _CLOSE_PX, 0) for place in at]
    last = [min(place + _CLOSE_PX + 1, side) for place, side in zip(at, crop.power.shape, strict=True)]
    bright = crop.smooth_in((slice(first[0], last[0]), slice(first[1], last[1]))) >= least
    sides = []
    for axis in (0, 1):
        lines = np.asarray(bright.any(axis=1 - axis))
        dark = np.flatnonzero(~lines)
        middle = at[axis] - first[axis]
        before = int(np.searchsorted(dark, middle))
        if not lines[middle] or before == 0 or before == len(dark):
            return bool(lines[middle])
        sides.append(int(dark[before] - dark[before - 1]) - 1)
    return _exceed((sides[0], sides[1]), *most)


def _exceed(sides: tuple[int, ...], length: float, breadth: float) -> bool:
    """False if a rectangle of so many rows and columns holds nothing longer or broader, as a quick test."""
    high, wide = (max(side - 1, 0) for side in sides)
    return bool(3 * (high**2 + wide**2) + 1 > length**2 or min(sides) > breadth)


def _connected(crop: Crop, at: tuple[int, int], least: float) -> _Patch:
    """Pixels of at least that power which hang together with the one at a place; empty if it is darker."""
    for reach in (_CLOSE_PX, max(crop.power.shape)):
        first = [max(place - reach, 0) for place in at]
        last = [min(place + reach + 1, side) for place, side in zip(at, crop.power.shape, strict=True)]
        part = crop.smooth_in((slice(first[0], last[0]), slice(first[1], last[1])))
        labels, _ = ndimage.label(part >= least, np.ones((3, 3)))
        label = labels[at[0] - first[0], at[1] - first[1]]
        mask = (labels == label) & (labels > 0)
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not len(rows):
            return _Patch(mask[:0, :0], part[:0, :0])
        ends = (rows[0], columns[0], rows[-1] + 1 - mask.shape[0], columns[-1] + 1 - mask.shape[1])
        if all(ends):
            break
    tight = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return _Patch(mask[tight], part[tight])


def _measures(patch: _Patch) -> tuple[float, float, float]:
    """Length and breadth of a patch in pixels, and the standard deviation over the mean of its power; 0 if empty.

    The length is that of a rectangle with the same second moments; the breadth is that of the largest disc in it.
    """
    if not patch.mask.any():
        return 0.0, 0.0, 0.0
    points = np.stack(np.nonzero(patch.mask)).astype(np.float64)
    moments = covariance(points) + np.eye(2) / 12
    length = float(np.sqrt(12 * np.linalg.eigvalsh(moments)[1]))
    breadth = 2 * float(ndimage.distance_transform_edt(framed(patch.mask, 1, fill=False)).max()) - 1
    values: NDArray[np.float64] = patch.smooth[patch.mask]
    return length, breadth, float(values.std() / values.mean())
