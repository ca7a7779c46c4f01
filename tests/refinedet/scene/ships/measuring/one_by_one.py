"""Shapes of ships measured one at a time, step by step: what the arrays of `shape.measure_all` are compared with."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy import ndimage

from refinedet.scene.ships.measuring.crop import covariance, with_neighbours
from refinedet.scene.ships.measuring.resolution import Sensor
from refinedet.scene.ships.measuring.shape import UNKNOWN, Shape

Span = tuple[slice, slice]
Box = tuple[float, float, float, float]
Frame = tuple[np.ndarray, np.ndarray, np.ndarray]
VARIANCE = 1 / (8 * np.log(2))
SMOOTHING = np.outer([1, 2, 1], [1, 2, 1]) / 16


def side_lobes(ship: np.ndarray, mean: float, resolution_px: tuple[float, float], box: Span) -> np.ndarray:
    if ship.max() / 10 * (1.5 / 1.2) ** 2 < 3 * mean:
        return np.zeros_like(ship)
    rows = _lobes_along_rows(ship, box, resolution_px[0])
    return np.maximum(rows, _lobes_along_rows(ship.T, box[::-1], resolution_px[1]).T)


def blob(ship: np.ndarray, least: np.ndarray) -> np.ndarray:
    bright = ship >= least
    labels, count = ndimage.label(with_neighbours(bright), np.ones((3, 3)))
    if count == 0:
        return np.asarray(bright)
    weight = np.bincount(labels.ravel(), (np.sqrt(ship) * bright).ravel())[1:]
    return np.asarray(bright & (labels == 1 + int(np.argmax(weight))))


def _lobes_along_rows(ship: np.ndarray, box: Span, resolution_px: float) -> np.ndarray:
    lobes, columns = np.zeros_like(ship), np.arange(ship.shape[1])
    apart = np.abs(columns[box[1], None] - columns)
    fall = -10 - 20 * np.log10(np.maximum(apart / resolution_px, 1.2) / 1.5)
    fall[(apart / resolution_px < 1.2) | (apart > 40)] = -300
    for row in range(box[0].start, box[0].stop):
        decibel = 10 * np.log10(np.maximum(ship[row, box[1]], 1e-30))
        lobes[row] = 10 ** ((decibel[:, None] + fall).max(axis=0) / 10)
    return lobes


def measure(intensity: np.ndarray, valid: np.ndarray, box_xyxy: Box, sensor: Sensor | None = None) -> Shape:
    sensor = sensor or Sensor()
    box = _within(intensity.shape, box_xyxy, 1.0)
    far = np.ones(valid.shape, bool)
    far[_within(valid.shape, box_xyxy, 3)] = False
    water = intensity[valid & far]
    if water.size < 40 or not valid[box].any():
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
    lobes, least = side_lobes(ship, mean, sensor.resolution_px, box), max(3 * mean, float(ship.max()) / 1000)
    found = blob(ship, np.maximum(lobes, least))
    if found.sum() < 4:
        return replace(UNKNOWN, contrast_db=contrast)
    return replace(_shaped(known, lobes, mean, least, found, sensor), contrast_db=contrast)


def _within(shape: tuple[int, ...], box_xyxy: Box, margin: float) -> Span:
    x1, y1, x2, y2 = box_xyxy
    return _centres(y1 - margin, y2 + margin, shape[0]), _centres(x1 - margin, x2 + margin, shape[1])


def _centres(low: float, high: float, length: int) -> slice:
    first = min(max(math.floor(low + 0.5), 0), length)
    return slice(first, max(first, min(math.ceil(high - 0.5), length)))


def _smoothed(intensity: np.ndarray, span: Span) -> np.ndarray:
    wide = tuple(slice(max(one.start - 1, 0), one.stop + 1) for one in span)
    own = tuple(slice(one.start - more.start, one.stop - more.start) for one, more in zip(span, wide, strict=True))
    return np.asarray(ndimage.convolve(intensity[wide], SMOOTHING)[own])


def _squared_up(intensity: np.ndarray, sensor: Sensor) -> tuple[np.ndarray, Sensor]:
    pixel = np.array(sensor.pixel_m)
    times = np.maximum(np.rint(pixel.max() / pixel), 1).astype(int)
    if (times == 1).all():
        return intensity, sensor
    averaged = ndimage.uniform_filter(intensity, size=(times[1], times[0]), mode="nearest")
    wider = np.sqrt(np.array(sensor.resolution_px) ** 2 + (times**2 - 1) / 12 / VARIANCE)
    return np.asarray(averaged), replace(sensor, resolution_px=(float(wider[0]), float(wider[1])))


def _shaped(
    intensity: np.ndarray, lobes: np.ndarray, water: float, least: float, found: np.ndarray, sensor: Sensor
) -> Shape:
    pixel, width = np.array(sensor.pixel_m), np.array(sensor.pixel_m) * sensor.resolution_px
    rows, columns = np.nonzero(found)
    points = np.stack([columns + 0.5, rows + 0.5], axis=1) * pixel
    weight = np.sqrt(intensity[found])
    centre = (points * weight[:, None]).sum(axis=0) / weight.sum()
    # a pixel is a square, not a point
    moments = covariance(points.T, weight) + np.diag(pixel**2 / 12)
    axes = np.linalg.eigh(moments - np.diag(width**2) * VARIANCE)[1]
    axis = axes[:, 1]
    side = np.array([-axis[1], axis[0]])
    smaller, larger = np.linalg.eigvalsh(moments)
    along, across = float(np.hypot(*(axis * width))), float(np.hypot(*(side * width)))
    reach = (points - centre) @ axis
    step = float(pixel.min()) * 0.25
    offsets = np.arange(reach.min() - along, reach.max() + along + step, step)
    ridge = np.arange(-0.35 * across, 0.35 * across + step / 2, step)
    hull = np.where(2.0 * lobes > intensity, 0.0, intensity)
    profile = _sampled(hull, (centre, axis, side), offsets, ridge, pixel).mean(axis=1)
    ends = [_shoulder(profile[::way], least, round(1.25 * along / step)) for way in (1, -1)]
    if min(ends) < 0:
        return UNKNOWN
    first, last = offsets[len(offsets) - 1 - ends[1]], offsets[ends[0]]
    length = max(float(last - first) - 0.45 * along, float(pixel.min()))
    centre += axis * (first + last) / 2
    size = _width(hull - water, (centre, axis, side), (length, np.sqrt(12 * smaller)), across, pixel)
    return Shape(
        _pair(centre / pixel),
        _pair(axis / pixel * length / 2),
        _pair(side / pixel * size / 2),
        (along / length, across / size),
        bool(larger > 1.5**2 * smaller),
        UNKNOWN.contrast_db,
    )


def _pair(vector: np.ndarray) -> tuple[float, float]:
    return float(vector[0]), float(vector[1])


def _sampled(grey: np.ndarray, frame: Frame, along: np.ndarray, across: np.ndarray, pixel: np.ndarray) -> np.ndarray:
    centre, axis, side = frame
    x, y = ((centre[k] + along[:, None] * axis[k] + across * side[k]) / pixel[k] - 0.5 for k in (0, 1))
    return np.asarray(ndimage.map_coordinates(grey, [y, x], order=1, mode="nearest"))


def _shoulder(profile: np.ndarray, least: float, back: int) -> int:
    before = ndimage.maximum_filter1d(profile, back + 1, mode="constant", origin=back // 2)
    bright = np.flatnonzero((profile >= least) & (profile >= 0.2 * before))
    return int(bright[-1]) if len(bright) else -1


def _width(above: np.ndarray, frame: Frame, sides: tuple[float, float], blur: float, pixel: np.ndarray) -> float:
    step = float(pixel.min()) * 0.25
    reach = max(4.0 * float(pixel.min()), 1.5 * sides[1])
    count = max(8, int(np.ceil(0.8 * sides[0] / float(pixel.min()))))
    along = ((np.arange(count) + 0.5) / count - 0.5) * 0.8 * sides[0]
    profile = _sampled(above, frame, along, np.arange(-reach, reach, step), pixel).mean(axis=0)
    level = profile - 0.4 * profile.max()
    top = int(np.argmax(profile))
    crossings = _crossing(level[top:]) + _crossing(level[top::-1])
    return float(np.sqrt(max((crossings * step) ** 2 - (0.7 * blur) ** 2, float(pixel.min()) ** 2)))


def _crossing(level: np.ndarray) -> float:
    below = np.flatnonzero(level < 0)
    if not len(below):
        return float(len(level))
    first = int(below[0])
    return float(first - level[first] / (level[first] - level[first - 1])) if first else 0.0
