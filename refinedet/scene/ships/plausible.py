"""Reasons to doubt that a detection is a ship, by the pixels around it: its size and shape, and its backdrop. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.scene.ships.backdrop import Box, Grey, Mask, Sizes, averaged, inside, is_clutter, land_distance
from refinedet.tiling import Window

IMPLAUSIBLE = "implausible"
"""Flag: the bright patch at the box is longer or broader than any ship."""
ISLET = "islet"
"""Flag: the bright patch at the box has the shape of an islet: broad and compact."""
CLUTTER = "clutter"
"""Flag: the box lies amid bright uneven clutter, such as a city, and not in water."""

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
    power: Grey, valid: Mask, box_xyxy: Box, pixel_m: float = np.nan, sensor_m: float = RESOLUTION_M
) -> tuple[set[str], float]:
    """Doubts that the detection at a box is a ship.

    Args:
        power: intensity (H, W) of the box and REACH_PX around it, as far as the scene reaches.
        valid: (H, W) false where nothing was measured.
        box_xyxy: the box, in pixels of `power`.
        pixel_m: size of a pixel; NaN: unknown. Then only shapes count that no ship has at any size.
        sensor_m: resolution of the scene.

    Returns:
        flags: some of IMPLAUSIBLE, ISLET and CLUTTER.
        land_px: distance to the nearest land that the image shows; 0 if they touch, infinite without any near.
    """
    known = np.isfinite(pixel_m)
    size = pixel_m if known else NOMINAL_M
    breadth, length = ((most + _BLUR * sensor_m) / size for most in (BROADEST_M, LONGEST_M))
    area = _LARGER * (BROADEST_M + _BLUR * sensor_m) * (LONGEST_M + _BLUR * sensor_m) / size**2
    smooth = averaged(power, valid, 3)
    found: set[str] = set()
    patch = _patch(power, valid, smooth, box_xyxy)
    long, broad, even = _measures(patch, smooth)
    if known and (long > length or broad > breadth):
        found.add(IMPLAUSIBLE)
    if known and broad > breadth and long < _ROUND * broad:
        found.add(ISLET)
    if not known:
        if broad > _EVEN_BROAD_PX and long < _ROUNDER * broad and even < _EVEN:
            found.add(ISLET)
        breadth, area = max(breadth, _WIDER * broad), max(area, _LARGER * float(patch.sum()))
    if is_clutter(power, valid, smooth, box_xyxy):
        found.add(CLUTTER)
    return found, land_distance(power, valid, smooth, box_xyxy, Sizes(breadth, area))


def _patch(power: Grey, valid: Mask, smooth: Grey, box_xyxy: Box) -> Mask:
    """Bright patch around the brightest point of a box; empty if it is no brighter than the water."""
    here = inside(power.shape, box_xyxy, 0)
    around = power[valid & ~here]
    at = np.unravel_index(int(np.argmax(np.where(here, smooth, -1.0))), smooth.shape)
    least = smooth[at] * _OF_PEAK
    if len(around):
        least = max(least, _OVER_WATER * float(np.median(around)))
    labels, _ = ndimage.label(smooth >= max(least, np.finfo(np.float64).tiny), np.ones((3, 3)))
    return np.asarray((labels == labels[at]) & (labels > 0))


def _measures(patch: Mask, smooth: Grey) -> tuple[float, float, float]:
    """Length and breadth of a patch in pixels, and the standard deviation over the mean of its power; 0 if empty.

    The length is that of a rectangle with the same second moments; the breadth is that of the largest disc in it.
    """
    if not patch.any():
        return 0.0, 0.0, 0.0
    points = np.stack(np.nonzero(patch))
    covariance = np.cov(points, bias=True) + np.eye(2) / 12
    length = float(np.sqrt(12 * np.linalg.eigvalsh(covariance)[1]))
    (top, left), (bottom, right) = points.min(axis=1), points.max(axis=1)
    alone = np.pad(patch[top : bottom + 1, left : right + 1], 1)
    breadth = 2 * float(ndimage.distance_transform_edt(alone).max()) - 1
    values: NDArray[np.float64] = smooth[patch]
    return length, breadth, float(values.std() / values.mean())
