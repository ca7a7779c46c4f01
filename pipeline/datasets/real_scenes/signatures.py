"""Ships cut out of their real sea, varied (turned, shortened, weakened) and added to another sea. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from pipeline.datasets.real_scenes.laying import level_of
from pipeline.datasets.real_scenes.patches import PIXEL_M, Ship, averaged
from refinedet.boxes import Boxes, as_boxes

Power = NDArray[np.float32]

_STANDS_OUT = 2.5
"""Smoothed power, over the mean of the sea, from which a pixel belongs to a ship or its side lobes."""
_LEAST_WIDTH_PX, _DRAWN_PX = 1.5, 2.1
"""Least width of a hull, and distance of people's boxes outside the hull: weights trained on SSDD place boxes there,
half a pixel beyond the blurred hull."""
_SHORTEST, _FAINTEST, _BRIGHTEST, _LEAST_PEAK = 0.3, 0.15, 6.0, 3.5
"""Least factors on length and power, the greatest on power, and the least peak of the smoothed power, over the mean of
the sea, that an annotator would still mark as a ship."""
_MEAN_OF_MEDIAN = 1.08
"""Mean power of a sea of about four looks over the square of its median amplitude."""
_SPREAD_PX = 0.75
"""Standard deviation in power of the response of Sentinel-1's image to a point."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Ship without its sea."""

    power: Power
    """(H, W) power above the sea, in units of the sea's mean power."""
    box_xyxy: tuple[float, float, float, float]
    """Box of the ship, in pixels of `power`."""


def hull_box(ship: Ship) -> tuple[float, float, float, float]:
    """Box around a ship of a patch, from its marked ends and its width, as people draw boxes."""
    (x, y), (dx, dy) = ship.middle_xy, ship.along_xy / 2
    length = max(float(np.hypot(dx, dy)), 1e-6)
    width = ship.width_m / PIXEL_M if np.isfinite(ship.width_m) else 0.0
    side = max(width, _LEAST_WIDTH_PX) / 2
    half_x = abs(dx) + side * abs(dy) / length + _DRAWN_PX
    half_y = abs(dy) + side * abs(dx) / length + _DRAWN_PX
    return (x - half_x, y - half_y, x + half_x, y + half_y)


def sea_power(ship: Ship) -> float:
    """Mean power of the sea around a ship, from the median amplitude of the patch's rim."""
    return _MEAN_OF_MEDIAN * level_of(ship.patch) ** 2


def others(ship: Ship, near_px: float = 4.0) -> Boxes:
    """Boxes around bright areas of a patch that are not the marked ship: other ships, or its ghosts."""
    level = sea_power(ship)
    bright = ndimage.gaussian_filter(np.square(ship.patch), 0.7) > 12 * level
    x1, y1, x2, y2 = (round(v) for v in np.add(hull_box(ship), (-near_px, -near_px, near_px, near_px)))
    labels, _ = ndimage.label(bright, np.ones((3, 3)))
    own = np.unique(labels[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)])
    places = ndimage.find_objects(np.where(np.isin(labels, own), 0, labels))
    return as_boxes([(c.start - 1, r.start - 1, c.stop + 1, r.stop + 1) for r, c in filter(None, places)])


def cut_out(ship: Ship) -> Signature:
    """Cut a ship with its side lobes out of its patch."""
    power = np.square(ship.patch) / sea_power(ship)
    box = hull_box(ship)
    height, width = power.shape
    x1, y1 = (max(int(v), 0) for v in box[:2])
    x2, y2 = min(int(np.ceil(box[2])), width), min(int(np.ceil(box[3])), height)
    hull = np.zeros(power.shape, bool)
    hull[y1:y2, x1:x2] = True
    labels, _ = ndimage.label((ndimage.gaussian_filter(power, 1.0) > _STANDS_OUT) | hull, np.ones((3, 3)))
    inside = labels == labels[(y1 + y2) // 2, (x1 + x2) // 2]
    weight = ndimage.gaussian_filter(inside.astype(np.float32), 0.7)
    above = np.maximum(power - 1, 0) * weight
    rows, columns = ndimage.find_objects((weight > 0.02).astype(np.int8))[0]
    shifted = np.subtract(box, (columns.start, rows.start, columns.start, rows.start))
    return Signature(above[rows, columns].astype(np.float32), tuple(shifted.tolist()))


def varied(signature: Signature, rng: Generator) -> Signature:
    """Turn a ship by quarters and mirror it; make half of them shorter, half fainter, and a quarter brighter."""
    turned = _turned(signature, int(rng.integers(4)), mirrored=bool(rng.integers(2)))
    if rng.random() < 0.5:
        shorter = _shortened(turned, float(rng.uniform(_SHORTEST, 1)))
        turned = shorter if _peak(shorter) >= _LEAST_PEAK else turned
    least, most = ((_FAINTEST, 1.0), (1.0, 1.0), (1.0, _BRIGHTEST), (_FAINTEST, 1.0))[int(rng.integers(4))]
    gain = float(np.exp(rng.uniform(np.log(least), np.log(most))))
    gain = max(gain, min(1.0, _LEAST_PEAK / max(_peak(turned), 1e-6)))
    return replace(turned, power=turned.power * np.float32(gain))


def _peak(signature: Signature) -> float:
    """Peak of the smoothed power, over the mean of the sea."""
    return float(ndimage.gaussian_filter(signature.power, 0.8).max())


def _turned(signature: Signature, quarters: int, *, mirrored: bool) -> Signature:
    power, (x1, y1, x2, y2) = signature.power, signature.box_xyxy
    if mirrored:
        width = power.shape[1]
        power, (x1, x2) = power[:, ::-1], (width - x2, width - x1)
    for _ in range(quarters):  # counter-clockwise, as np.rot90
        width = power.shape[1]
        power, (x1, y1, x2, y2) = np.rot90(power), (y1, width - x2, y2, width - x1)
    return Signature(np.ascontiguousarray(power), (x1, y1, x2, y2))


def _shortened(signature: Signature, factor: float) -> Signature:
    """Scale both sides by `factor` below 1, and blur as much as the sensor would."""
    power = averaged(averaged(signature.power.astype(np.float64), factor, 0), factor, 1)
    power = np.pad(power.clip(0), 2)  # the means are differences of sums, so 0 may become slightly negative
    power = ndimage.gaussian_filter(power, _SPREAD_PX * np.sqrt(1 - factor**2))
    x1, y1, x2, y2 = signature.box_xyxy
    half = np.array([x2 - x1, y2 - y1]) / 2 - _DRAWN_PX
    half = np.maximum(half * factor, _LEAST_WIDTH_PX / 2) + _DRAWN_PX
    x, y = (x1 + x2) / 2 * factor + 2, (y1 + y2) / 2 * factor + 2
    return Signature(power.astype(np.float32), (x - half[0], y - half[1], x + half[0], y + half[1]))


def add(power: Power, signature: Signature, corner_xy: tuple[int, int], level: float) -> tuple[float, ...]:
    """Add a ship to the powers (H, W) of a scene, in place, with its upper left corner inside; returns its box.

    `level` is the mean power of the sea there.
    """
    x, y = corner_xy
    height, width = signature.power.shape
    under = power[y : y + height, x : x + width]
    under += np.float32(level) * signature.power[: under.shape[0], : under.shape[1]]
    return tuple(np.add(signature.box_xyxy, (x, y, x, y)).tolist())
