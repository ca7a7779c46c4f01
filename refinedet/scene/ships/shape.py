"""Shape of a ship from its pixels: its axis, its size along and across it, and its brightness. Pure.

The ship is the blob of bright pixels at its box, without the side lobes of its brightest points. The axis is that of
its second moments. The length reaches from shoulder to shoulder of the brightness along the axis, and the width over
the fall of the brightness across it; both are corrected for the width of the sensor's point response. A ship is shaped
in metres: pixels may be longer than wide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.scene.ships.blob import blob, floor, side_lobes
from refinedet.scene.ships.blocks import Span
from refinedet.scene.ships.crop import Box, covariance
from refinedet.scene.ships.resolution import Grey, Mask, Sensor
from refinedet.tiling import Window

Vector = NDArray[np.float64]
"""(2,) x and y."""

MARGIN_PX = 16
"""Water that is read on each side of a box."""

_GUARD_PX = 3
"""Pixels next to a box that do not count as water, since they may hold side lobes."""
_LEAST_WATER = 40
"""Least number of pixels of water; with fewer, all of the shape is unknown."""
_LEAST_BLOB = 4
"""Least number of pixels of a blob; with fewer, only the contrast is known."""
_LEAST_ELONGATION = 1.5
"""Least ratio of length to width of a blob whose axis is known."""
_SMOOTHING = np.outer([1, 2, 1], [1, 2, 1]) / 16
_SHOULDER = 0.2
"""Share of the brightness before it at which a ship ends along its axis."""
_SHOULDER_BACK = 1.25
"""Resolutions over which that brightness is looked for, towards the middle."""
_RIDGE = 0.35
"""Resolutions on both sides of the axis over which the brightness along it is averaged."""
_ENDS = 0.45
"""Resolutions by which the shoulders of a ship lie further apart than its ends; fitted on Sentinel-1 ships with AIS.
A hull that shines evenly has less, one bright point at each end more."""
_LOBES_AT_ENDS = 2.0
"""Factor on side lobes along the axis, where those of several bright points of the ship add up."""
_PROFILE_SHARE = 0.8
"""Middle share of a ship's length from which its width is taken: bow and stern are narrower."""
_PROFILE_LEVEL = 0.4
"""Share of the highest mean brightness at which a ship ends across its axis."""
_PROFILE_BLUR = 0.7
"""Resolutions that the point response adds, in square, to the width at that level."""
_STEP = 0.25
"""Step of a profile, in pixels along the finer axis."""
_VARIANCE = 1 / (8 * np.log(2))
"""Variance of a Gaussian whose width at half height is 1."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Shape of one ship, in pixels of its scene; NaN where unknown."""

    centre_xy: tuple[float, float]
    """Middle of the ship; x right, y down, half-open."""
    axis_xy: tuple[float, float]
    """Pixels from the middle of the ship to one of its ends; which one is the bow is not known."""
    side_xy: tuple[float, float]
    """Pixels from the middle of the ship to one of its sides, at right angles to the axis on the ground."""
    blur: tuple[float, float]
    """Width of the point response along and across the axis, over the ship's length and width."""
    elongated: bool
    """True if the blob is clearly longer than wide; else the axis is only the longest way across it."""
    contrast_db: float
    """Brightest point over the mean of the water around, in power."""

    def moved(self, x: float, y: float) -> Self:
        """Return the shape moved `x` pixels to the right and `y` down."""
        return replace(self, centre_xy=(self.centre_xy[0] + x, self.centre_xy[1] + y))

    @property
    def length_px(self) -> float:
        """Distance between the ends."""
        return 2 * float(np.hypot(*self.axis_xy))

    @property
    def width_px(self) -> float:
        """Distance between the sides."""
        return 2 * float(np.hypot(*self.side_xy))


_NOWHERE = (float("nan"), float("nan"))
UNKNOWN = Shape(_NOWHERE, _NOWHERE, _NOWHERE, _NOWHERE, elongated=False, contrast_db=float("nan"))
"""Shape of which nothing is known."""


def surroundings(box_xyxy: Box, width_px: int, height_px: int) -> Window:
    """Window around a box, for `measure`, in a scene of that size."""
    x1, y1, x2, y2 = box_xyxy
    left, top = max(0, int(x1) - MARGIN_PX), max(0, int(y1) - MARGIN_PX)
    right, bottom = min(width_px, int(np.ceil(x2)) + MARGIN_PX), min(height_px, int(np.ceil(y2)) + MARGIN_PX)
    return Window(top, left, bottom - top, right - left)


def away_from(shape: tuple[int, ...], box_xyxy: Box) -> Mask:
    """Pixels (H, W) that are not at a box, nor so near that they may hold its side lobes."""
    far = np.ones(shape, np.bool_)
    far[_within(shape, box_xyxy, _GUARD_PX)] = False
    return far


def measure(intensity: Grey, valid: Mask, box_xyxy: Box, sensor: Sensor | None = None) -> Shape:
    """Measure the shape of the ship at a box.

    Args:
        intensity: pixels of the box and MARGIN_PX around it, as far as the scene reaches.
        valid: (H, W) false where nothing was measured.
        box_xyxy: the box, in pixels of `intensity`.
        sensor: pixels and point response of the scene; None: square pixels, and the usual response.
    """
    sensor = sensor or Sensor()
    box = _within(intensity.shape, box_xyxy, 1.0)
    water = intensity[valid & away_from(intensity.shape, box_xyxy)]
    if water.size < _LEAST_WATER or not valid[box].any():
        return UNKNOWN
    # other ships and land around are brighter than water: the mean of the darker part is taken, twice
    mean = water.mean()
    for _ in range(2):
        mean = water[water <= 4 * mean].mean()
    if mean <= 0:
        return UNKNOWN
    known = np.where(valid, intensity, 0.0)
    # speckle raises the brightest pixel, smoothing lowers a true peak; the mean of both, in decibels, errs least
    smooth = _smoothed(known, box)[valid[box]].max()
    contrast = float(5 * np.log10(known[box].max() * smooth / mean**2))
    known, sensor = _squared_up(known, sensor)
    ship = np.zeros_like(known)
    ship[box] = np.where(valid[box], known[box], 0.0)
    everywhere = (slice(0, ship.shape[0]), slice(0, ship.shape[1]))
    lobes, least = side_lobes(ship, mean, sensor.resolution_px, box, everywhere), floor(ship, mean)
    found = blob(ship, np.maximum(lobes, least))
    if found.sum() < _LEAST_BLOB:
        return replace(UNKNOWN, contrast_db=contrast)
    return replace(_shaped(known, lobes, mean, least, found, sensor), contrast_db=contrast)


def _within(shape: tuple[int, ...], box_xyxy: Box, margin: float) -> Span:
    """Pixels whose centres lie in a box that is larger by `margin`."""
    x1, y1, x2, y2 = box_xyxy
    return _centres(y1 - margin, y2 + margin, shape[0]), _centres(x1 - margin, x2 + margin, shape[1])


def _centres(low: float, high: float, length: int) -> slice:
    """Pixels k of a line whose centres k + 0.5 lie between two places."""
    first = min(max(math.floor(low + 0.5), 0), length)
    return slice(first, max(first, min(math.ceil(high - 0.5), length)))


def _smoothed(intensity: Grey, span: Span) -> Grey:
    """Pixels of a span, smoothed; beyond the border of `intensity` the pixels are mirrored."""
    wide = tuple(slice(max(one.start - 1, 0), one.stop + 1) for one in span)
    own = tuple(slice(one.start - more.start, one.stop - more.start) for one, more in zip(span, wide, strict=True))
    return np.asarray(ndimage.convolve(intensity[wide], _SMOOTHING)[own])


def _squared_up(intensity: Grey, sensor: Sensor) -> tuple[Grey, Sensor]:
    """Average pixels along the axis where they are finer, so that both axes are about as coarse."""
    pixel = np.array(sensor.pixel_m)
    times = np.maximum(np.rint(pixel.max() / pixel), 1).astype(int)
    if (times == 1).all():
        return intensity, sensor
    averaged = ndimage.uniform_filter(intensity, size=(times[1], times[0]), mode="nearest")
    wider = np.sqrt(np.array(sensor.resolution_px) ** 2 + (times**2 - 1) / 12 / _VARIANCE)
    return np.asarray(averaged), replace(sensor, resolution_px=(float(wider[0]), float(wider[1])))


def _shaped(intensity: Grey, lobes: Grey, water: float, least: float, found: Mask, sensor: Sensor) -> Shape:
    """Shape of a blob, without its contrast, from intensity and the side lobes in it."""
    pixel, width = np.array(sensor.pixel_m), np.array(sensor.pixel_m) * sensor.resolution_px
    rows, columns = np.nonzero(found)
    points = np.stack([columns + 0.5, rows + 0.5], axis=1) * pixel
    weight = np.sqrt(intensity[found])
    centre = (points * weight[:, None]).sum(axis=0) / weight.sum()
    # a pixel is a square, not a point
    moments = covariance(points.T, weight) + np.diag(pixel**2 / 12)
    axes = np.linalg.eigh(moments - np.diag(width**2) * _VARIANCE)[1]
    axis = axes[:, 1]
    side = np.array([-axis[1], axis[0]])
    smaller, larger = np.linalg.eigvalsh(moments)
    along, across = float(np.hypot(*(axis * width))), float(np.hypot(*(side * width)))
    reach = (points - centre) @ axis
    step = float(pixel.min()) * _STEP
    offsets = np.arange(reach.min() - along, reach.max() + along + step, step)
    ridge = np.arange(-_RIDGE * across, _RIDGE * across + step / 2, step)
    hull = np.where(_LOBES_AT_ENDS * lobes > intensity, 0.0, intensity)
    profile = _sampled(hull, (centre, axis, side), offsets, ridge, pixel).mean(axis=1)
    ends = [_shoulder(profile[::way], least, round(_SHOULDER_BACK * along / step)) for way in (1, -1)]
    if min(ends) < 0:
        return UNKNOWN
    first, last = offsets[len(offsets) - 1 - ends[1]], offsets[ends[0]]
    length = max(float(last - first) - _ENDS * along, float(pixel.min()))
    centre += axis * (first + last) / 2
    size = _width(hull - water, (centre, axis, side), (length, np.sqrt(12 * smaller)), across, pixel)
    return Shape(
        _pair(centre / pixel),
        _pair(axis / pixel * length / 2),
        _pair(side / pixel * size / 2),
        (along / length, across / size),
        bool(larger > _LEAST_ELONGATION**2 * smaller),
        UNKNOWN.contrast_db,
    )


def _pair(vector: Vector) -> tuple[float, float]:
    return float(vector[0]), float(vector[1])


def _sampled(grey: Grey, frame: tuple[Vector, Vector, Vector], along: Vector, across: Vector, pixel: Vector) -> Grey:
    """Brightness (A, B) at A metres along and B across the axis of a frame (middle, axis, side)."""
    centre, axis, side = frame
    x, y = ((centre[k] + along[:, None] * axis[k] + across * side[k]) / pixel[k] - 0.5 for k in (0, 1))
    return np.asarray(ndimage.map_coordinates(grey, [y, x], order=1, mode="nearest"))


def _shoulder(profile: Vector, least: float, back: int) -> int:
    """Last index of a profile (N,) that is bright, and not dark beside the `back` before it; -1 if none is."""
    before = ndimage.maximum_filter1d(profile, back + 1, mode="constant", origin=back // 2)
    bright = np.flatnonzero((profile >= least) & (profile >= _SHOULDER * before))
    return int(bright[-1]) if len(bright) else -1


def _width(
    above: Grey, frame: tuple[Vector, Vector, Vector], sides: tuple[float, float], blur: float, pixel: Vector
) -> float:
    """Width in metres of a ship of about those sides, from the fall of its brightness `above` the water's."""
    step = float(pixel.min()) * _STEP
    reach = max(4.0 * float(pixel.min()), 1.5 * sides[1])
    along = np.arange(-0.5, 0.5, step / sides[0]) * _PROFILE_SHARE * sides[0]
    profile = _sampled(above, frame, along, np.arange(-reach, reach, step), pixel).mean(axis=0)
    level = profile - _PROFILE_LEVEL * profile.max()
    top = int(np.argmax(profile))
    crossings = _crossing(level[top:]) + _crossing(level[top::-1])
    return float(np.sqrt(max((crossings * step) ** 2 - (_PROFILE_BLUR * blur) ** 2, float(pixel.min()) ** 2)))


def _crossing(level: Vector) -> float:
    """Steps from the start of `level` (N,) to where it first falls below 0; N where it never does."""
    below = np.flatnonzero(level < 0)
    if not len(below):
        return float(len(level))
    first = int(below[0])
    return float(first - level[first] / (level[first] - level[first - 1])) if first else 0.0
