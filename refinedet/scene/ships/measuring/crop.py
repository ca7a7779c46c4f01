"""Crop of a scene: the pixels around a box, and means over their neighbours. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.scene.ships.measuring.blocks import Span
from refinedet.scene.ships.measuring.resolution import Grey, Mask

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels, half-open."""
_Number = TypeVar("_Number", np.float64, np.uint8)
_SIDES = 3, 5
"""Sides of the squares over which means are taken."""
_ROUNDING = 1e-9
"""More than the sums of a few numbers are off by, relative to them."""


@dataclass(eq=False)
class Crop:
    """Pixels of a rectangle, (H, W) each. For the means the pixels are mirrored at its border."""

    power: Grey
    """Intensity, linear in power; 0 where nothing was measured."""
    valid: Mask
    """False where nothing was measured."""
    amplitude: NDArray[np.float32]
    """Root of the power."""
    around: tuple[Grey, Grey]
    """Means over the squares of `_SIDES`, which at the border of a part reach into the pixels around it."""
    is_part: bool = False

    @classmethod
    def of(cls, power: Grey, valid: Mask) -> Self:
        """Crop of pixels, with their means."""
        amplitude = np.sqrt(power).astype(np.float32)
        return cls(power, valid, amplitude, (averaged(power, valid, _SIDES[0]), averaged(power, valid, _SIDES[1])))

    def part(self, span: Span) -> Crop:
        """Crop of a part, which depends on nothing outside of it; means are computed anew only at its border."""
        power, valid = self.power[span], self.valid[span]
        if min(valid.shape) < max(_SIDES):
            return Crop.of(power, valid)
        return Crop(power, valid, self.amplitude[span], (self.around[0][span], self.around[1][span]), is_part=True)

    @cached_property
    def is_whole(self) -> bool:
        """True if all pixels were measured."""
        return bool(self.valid.all())

    @property
    def smooth(self) -> Grey:
        """Mean power over 3 x 3 pixels."""
        return self._means[0]

    @property
    def smoother(self) -> Grey:
        """Mean power over 5 x 5 pixels."""
        return self._means[1]

    def smooth_in(self, span: Span) -> Grey:
        """Part of `smooth`; quick unless it touches the border."""
        deep = _SIDES[0] // 2
        inside = all(
            one.start >= deep and one.stop <= side - deep for one, side in zip(span, self.power.shape, strict=True)
        )
        return (self.around[0] if inside else self.smooth)[span]

    def most_smooth(self, least: float) -> int:
        """Number of pixels of `smooth` of at least `least`, or more; quick.

        A mean at the border of a part counts no pixel more than twice that the mean beside it counts, and at a corner
        no more than four times.
        """
        means, deep = self.around[0], _SIDES[0] // 2
        if not self.is_part:
            return int(np.count_nonzero(means >= least))
        if not self.is_whole:
            return means.size
        inner = means[deep:-deep, deep:-deep]
        lines = (inner[0], inner[-1], inner[:, 0], inner[:, -1])
        beside = sum(int(np.count_nonzero(line >= least / 2 * (1 - _ROUNDING))) for line in lines)
        return int(np.count_nonzero(inner >= least)) + deep * beside + 4 * deep**2

    def may_be_smoother(self, least: float) -> Mask:
        """Pixels (H, W) of `smoother` of at least `least`, and all at the border of a part; quick."""
        found = self.around[1] >= least
        if self.is_part:
            deep = _SIDES[1] // 2
            found[:deep] = found[-deep:] = True
            found[:, :deep] = found[:, -deep:] = True
        return np.asarray(found)

    @cached_property
    def _means(self) -> tuple[Grey, Grey]:
        if not self.is_part:
            return self.around
        found = (self.around[0].copy(), self.around[1].copy())
        for mean, side in zip(found, _SIDES, strict=True):
            for lines, own in _borders(side // 2):
                mean[own] = averaged(self.power[lines], self.valid[lines], side)[own]
        return found


def averaged(power: Grey, valid: Mask, side: int) -> Grey:
    """Mean over the measured pixels among side x side around each; 0 where there are few.

    Each mean is a fixed sum, so it does not depend on what lies farther away. The power is 0 where nothing was
    measured.
    """
    return _means(_sums(power, side), None if valid.all() else _sums(valid.view(np.uint8), side), side)


def touched(shape: tuple[int, ...], box_xyxy: Box, margin: float) -> Span:
    """Pixels of an array (H, W) that a box touches if it is larger by `margin` on all sides."""
    x1, y1, x2, y2 = box_xyxy
    return _between(y1 - margin, y2 + margin, shape[0]), _between(x1 - margin, x2 + margin, shape[1])


def area_px(span: Span) -> int:
    """Number of pixels."""
    rows, columns = span
    return int((rows.stop - rows.start) * (columns.stop - columns.start))


def quantile(values: Grey, share: float) -> float:
    """Value below which a share of (N,) finite values lies, at least one; `np.quantile` takes several times as long."""
    place = share * (len(values) - 1)
    first = int(place)
    ranked = np.partition(values, first)
    low = float(ranked[first])
    return low if place == first else low + (float(ranked[first + 1 :].min()) - low) * (place - first)


def with_neighbours(mask: Mask) -> Mask:
    """Pixels (H, W) that are true or have a true one beside, above or below them."""
    wide = mask.copy()
    wide[1:] |= mask[:-1]
    wide[:-1] |= mask[1:]
    wide[:, 1:] |= mask[:, :-1]
    wide[:, :-1] |= mask[:, 1:]
    return wide


def covariance(points: Grey, weight: Grey | None = None) -> Grey:
    """Second moments (2, 2) of points (2, N) about their mean; `np.cov` takes several times as long for few points."""
    total = points.shape[1] if weight is None else weight.sum()
    mean = (points if weight is None else points * weight).sum(axis=1) / total
    apart = points - mean[:, None]
    return np.asarray(np.dot(apart, (apart if weight is None else apart * weight).T) * (1 / total))


def _between(low: float, high: float, length: int) -> slice:
    first = min(max(floor(low), 0), length)
    return slice(first, max(first, min(ceil(high), length)))


def _means(total: Grey, count: NDArray[np.uint8] | None, side: int) -> Grey:
    """Means of sums over side x side pixels, of which `count` were measured; None: all were."""
    if count is None:
        return np.divide(total, side**2, out=total)
    np.divide(total, np.maximum(count, side), out=total)
    total[count <= side] = 0
    return total


def _borders(deep: int) -> Iterator[tuple[Span, Span]]:
    """Yield the lines at each of four borders from which means are taken, and the lines of these means, `deep` each."""
    every = slice(None)
    for lines, own in ((slice(2 * deep), slice(deep)), (slice(-2 * deep, None), slice(-deep, None))):
        yield (lines, every), (own, every)
        yield (every, lines), (every, own)


def _sums(values: NDArray[_Number], side: int) -> NDArray[_Number]:
    """Sums over side x side around each pixel; the pixels are mirrored at the border."""
    ones, down, found = np.ones(side), np.empty_like(values), np.empty_like(values)
    ndimage.correlate1d(values, ones, axis=0, output=down)
    ndimage.correlate1d(down, ones, axis=1, output=found)
    return found
