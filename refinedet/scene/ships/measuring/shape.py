"""Shapes of ships from their pixels: axis, size along and across it, and brightness; many at once. Pure.

A ship is the blob of bright pixels at its box, without the side lobes of its brightest points. The axis is that of
its second moments. The length reaches from shoulder to shoulder of the brightness along the axis, and the width over
the fall of the brightness across it; both are corrected for the width of the sensor's point response. A ship is shaped
in metres: pixels may be longer than wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
from scipy import ndimage

from refinedet.scene.ships.measuring.axes import VARIANCE, Moments, framed
from refinedet.scene.ships.measuring.blob import Masks, Stack, blobs, floors, lobes_along_rows, throws_lobes
from refinedet.scene.ships.measuring.crop import Box
from refinedet.scene.ships.measuring.profiles import Counts, Frame, Pictures, Values, ends, widths
from refinedet.scene.ships.measuring.resolution import Mask, Sensor
from refinedet.scene.ships.measuring.stack import Around, around, centred, grouped, stacked, within
from refinedet.tiling import Window

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
_ENDS = 0.45
"""Resolutions by which the shoulders of a ship lie further apart than its ends; fitted on Sentinel-1 ships with AIS.
A hull that shines evenly has less, one bright point at each end more."""
_LOBES_AT_ENDS = 2.0
"""Factor on side lobes along the axis, where those of several bright points of the ship add up."""


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
    """Window around a box, for `measure_all`, in a scene of that size."""
    x1, y1, x2, y2 = box_xyxy
    left, top = max(0, int(x1) - MARGIN_PX), max(0, int(y1) - MARGIN_PX)
    right, bottom = min(width_px, int(np.ceil(x2)) + MARGIN_PX), min(height_px, int(np.ceil(y2)) + MARGIN_PX)
    return Window(top, left, bottom - top, right - left)


class _Ships(NamedTuple):
    """N ships over water, as far as they are known."""

    grey: Stack
    """(N, H, W) intensity around each; pixels are about as long as wide."""
    valid: Masks
    size: Counts
    """(N, 2) height and width of each."""
    spans: Counts
    """(N, 2, 2) rows and columns of the boxes."""
    water: Values
    """Mean of the water."""

    def some(self, rows: Mask | Counts) -> _Ships:
        """Some of the ships."""
        return _Ships(self.grey[rows], self.valid[rows], self.size[rows], self.spans[rows], self.water[rows])


def away_from(shape: tuple[int, ...], box_xyxy: Box) -> Mask:
    """Pixels (H, W) that are not at a box, nor so near that they may hold its side lobes."""
    spans = centred(np.array([shape], np.int64), np.array([box_xyxy], np.float64), _GUARD_PX)
    return np.asarray(~within(spans, shape)[0])


def measure_all(members: Sequence[Around], sensor: Sensor | None = None) -> list[Shape]:
    """Measure the shapes of the ships at boxes.

    Args:
        members: pixels of each box and MARGIN_PX around it, as far as the scene reaches.
        sensor: pixels and point response of the scene; None: square pixels, and the usual response.
    """
    found = [UNKNOWN] * len(members)
    for group in grouped(members):
        for index, shape in zip(group, _measured([members[k] for k in group], sensor or Sensor()), strict=True):
            found[index] = shape
    return found


def _measured(members: Sequence[Around], sensor: Sensor) -> list[Shape]:
    pixels = stacked(members)
    spans = centred(pixels.size, pixels.boxes, 1.0)
    water = _water(
        pixels.power, pixels.valid & ~within(centred(pixels.size, pixels.boxes, _GUARD_PX), pixels.valid.shape[1:])
    )
    known = water > 0
    known &= (pixels.valid & within(spans, pixels.valid.shape[1:])).any(axis=(1, 2))
    found = [UNKNOWN] * len(members)
    rows = np.flatnonzero(known)
    if not len(rows):
        return found
    ships = _Ships(pixels.power, pixels.valid, pixels.size, spans, water).some(rows)
    contrast = _contrasts(ships).tolist()
    shapes = _shaped(*_squared_up(ships, sensor))
    for row, contrast_db, shape in zip(rows.tolist(), contrast, shapes, strict=True):
        found[row] = replace(shape, contrast_db=contrast_db)
    return found


def _water(power: Stack, water: Masks) -> Values:
    """Means (N,) of the water in pictures; NaN where there is too little.

    Other ships and land around are brighter than water: the mean of the darker part is taken, twice.
    """
    count = water.sum(axis=(1, 2))
    mean = (power * water).sum(axis=(1, 2)) / np.maximum(count, 1)
    for _ in range(2):
        dark = water & (power <= 4 * mean[:, None, None])
        mean = (power * dark).sum(axis=(1, 2)) / np.maximum(dark.sum(axis=(1, 2)), 1)
    return np.where(count >= _LEAST_WATER, mean, np.nan)


def _contrasts(ships: _Ships) -> Values:
    """Contrasts (N,) in decibels.

    Speckle raises the brightest pixel, smoothing lowers a true peak; the mean of both, in decibels, errs least.
    """
    rows, columns = around(ships.spans, 1)
    height, width = ships.size[:, :1], ships.size[:, 1:]
    mirrored = (np.where(k < 0, -1 - k, np.minimum(k, 2 * n - 1 - k)) for k, n in ((rows, height), (columns, width)))
    y, x = (np.maximum(places, 0) for places in mirrored)
    every = np.arange(len(y))[:, None, None]
    grey = ships.grey[every, y[:, :, None], x[:, None]]
    inner = (every, y[:, 1:-1, None], x[:, None, 1:-1])
    measured = ships.valid[inner] & _in_spans(ships.spans, rows[:, 1:-1], columns[:, 1:-1])
    high, wide = measured.shape[1:]
    smooth = np.zeros(measured.shape)
    for (down, right), weight in np.ndenumerate(_SMOOTHING):
        smooth += weight * grey[:, down : down + high, right : right + wide]
    brightest, smoothest = (np.where(measured, values, 0).max(axis=(1, 2)) for values in (grey[:, 1:-1, 1:-1], smooth))
    return np.asarray(5 * np.log10(brightest * smoothest / ships.water**2))


def _in_spans(spans: Counts, rows: Counts, columns: Counts) -> Masks:
    """(N, h, w) true for rows (N, h) and columns (N, w) that lie in spans (N, 2, 2)."""
    inside = [(k >= spans[:, axis, :1]) & (k < spans[:, axis, 1:]) for axis, k in enumerate((rows, columns))]
    return np.asarray(inside[0][:, :, None] & inside[1][:, None])


def _squared_up(ships: _Ships, sensor: Sensor) -> tuple[_Ships, Sensor]:
    """Average pixels along the axis where they are finer, so that both axes are about as coarse."""
    pixel = np.array(sensor.pixel_m)
    times = np.maximum(np.rint(pixel.max() / pixel), 1).astype(int)
    if (times == 1).all():
        return ships, sensor
    averaged = np.zeros_like(ships.grey)
    for grey, found, (height, width) in zip(ships.grey, averaged, ships.size.tolist(), strict=True):
        ndimage.uniform_filter(grey[:height, :width], (times[1], times[0]), found[:height, :width], mode="nearest")
    wider = np.sqrt(np.array(sensor.resolution_px) ** 2 + (times**2 - 1) / 12 / VARIANCE)
    return ships._replace(grey=averaged), replace(sensor, resolution_px=(float(wider[0]), float(wider[1])))


def _shaped(ships: _Ships, sensor: Sensor) -> list[Shape]:
    """Shapes of ships, without their contrast."""
    rows, columns = around(ships.spans, 1)
    every = np.arange(len(rows))[:, None, None]
    y, x = (np.clip(k, 0, length - 1) for k, length in zip((rows, columns), ships.grey.shape[1:], strict=True))
    at = (every, y[:, :, None], x[:, None])
    box = _in_spans(ships.spans, rows, columns) & ships.valid[at]
    ship = np.where(box, ships.grey[at], 0.0)
    lobes, least = _side_lobes(ships, (rows, columns), ship, sensor), floors(ship.max(axis=(1, 2)), ships.water)
    whole = np.stack([np.zeros_like(ships.size), ships.size], axis=2)
    found = blobs(ship, np.maximum(lobes[at], least[:, None, None]), _in_spans(whole, rows, columns))
    shapes = [UNKNOWN] * len(rows)
    large = np.flatnonzero(found.sum(axis=(1, 2)) >= _LEAST_BLOB)
    if len(large):
        owner, down, right = np.nonzero(found[large])
        points = np.stack([x[large[owner], right], y[large[owner], down]], axis=1).astype(np.float64) + 0.5
        hull = np.where(_LOBES_AT_ENDS * lobes[large] > ships.grey[large], 0.0, ships.grey[large])
        frame, turned = framed(points, np.sqrt(ship[large][found[large]]), owner, sensor)
        pictures = Pictures(hull, ships.size[large], np.array(sensor.pixel_m))
        for row, shape in zip(
            large.tolist(), _sized(pictures, ships.water[large], least[large], frame, turned), strict=True
        ):
            shapes[row] = shape
    return shapes


def _side_lobes(ships: _Ships, places: tuple[Counts, Counts], ship: Stack, sensor: Sensor) -> Stack:
    """Most intensity (N, H, W) that the side lobes of a box may give to other pixels of its rows and columns.

    Args:
        ships: pixels around the boxes.
        places: rows and columns of `ship`.
        ship: intensity at each box and a line around it, 0 beside the box.
        sensor: point response of the scene.
    """
    found = np.zeros_like(ships.grey)
    some = np.flatnonzero(throws_lobes(ship.max(axis=(1, 2)), ships.water))
    if not len(some):
        return found
    spans, (rows, columns) = ships.spans[some], (k[some, 1:-1] for k in places)
    power = np.where(_in_spans(spans, rows, columns), ship[some, 1:-1, 1:-1], -1.0)
    y, x = (np.broadcast_to(np.arange(side), (len(some), side)) for side in found.shape[1:])
    lobes = lobes_along_rows(power, columns, x, sensor.resolution_px[0])
    own, line = np.nonzero(rows < spans[:, 0, 1:])
    found[some[own], rows[own, line]] = lobes[own, line]
    lobes = lobes_along_rows(power.swapaxes(1, 2), rows, y, sensor.resolution_px[1])
    own, line = np.nonzero(columns < spans[:, 1, 1:])
    at = some[own], slice(None), columns[own, line]
    found[at] = np.maximum(found[at], lobes[own, line])
    return found


def _sized(pictures: Pictures, water: Values, least: Values, frame: Frame, moments: Moments) -> list[Shape]:
    """Shapes of blobs with their ends and sides, without their contrast; UNKNOWN without an end."""
    pixel, shapes = pictures.pixel, [UNKNOWN] * len(water)
    first, last = ends(pictures, frame, moments.reach, least).T
    rows = np.flatnonzero(np.isfinite(first))
    if not len(rows):
        return shapes
    frame, first, last = frame.some(rows), first[rows], last[rows]
    smaller, larger = moments.smaller[rows], moments.larger[rows]
    length = np.maximum(last - first - _ENDS * frame.along, float(pixel.min()))
    frame = frame._replace(centre=frame.centre + frame.axis * ((first + last) / 2)[:, None])
    above = Pictures(pictures.grey[rows] - water[rows, None, None], pictures.size[rows], pixel)
    width = widths(above, frame, length, np.sqrt(12 * smaller))
    columns = (
        frame.centre / pixel,
        frame.axis / pixel * (length / 2)[:, None],
        frame.side / pixel * (width / 2)[:, None],
        np.stack([frame.along / length, frame.across / width], axis=1),
    )
    elongated = (larger > _LEAST_ELONGATION**2 * smaller).tolist()
    for row, *pairs, long in zip(rows.tolist(), *(column.tolist() for column in columns), elongated, strict=True):
        centre, axis, side, blur = ((x, y) for x, y in pairs)
        shapes[row] = Shape(centre, axis, side, blur, long, UNKNOWN.contrast_db)
    return shapes
