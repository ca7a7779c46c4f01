"""Profiles of ships along and across their axes, many at once: where a ship ends, and how wide it is. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from refinedet.scene.ships.measuring.blob import Stack

Vectors = NDArray[np.float64]
"""(N, 2) x and y."""
Values = NDArray[np.float64]
"""(N,)."""
Counts = NDArray[np.int64]
"""(N,)."""

_SHOULDER = 0.2
"""Share of the brightness before it at which a ship ends along its axis."""
_SHOULDER_BACK = 1.25
"""Resolutions over which that brightness is looked for, towards the middle."""
_RIDGE = 0.35
"""Resolutions on both sides of the axis over which the brightness along it is averaged."""
_PROFILE_SHARE = 0.8
"""Middle share of a ship's length from which its width is taken: bow and stern are narrower."""
_PROFILE_LEVEL = 0.4
"""Share of the highest mean brightness at which a ship ends across its axis."""
_PROFILE_BLUR = 0.7
"""Resolutions that the point response adds, in square, to the width at that level."""
_STEP = 0.25
"""Step of a profile, in pixels along the finer axis."""
_LEAST_PLACES = 8
"""Least number of places along a ship over which its profile across is averaged; a long ship has one for each pixel."""
_AT_ONCE = 1 << 17
"""Places that are sampled at once, for the memory."""


class Pictures(NamedTuple):
    """Brightness around N ships."""

    grey: Stack
    """(N, H, W) pixels; those to the right of and below a picture's own size count for nothing."""
    size: NDArray[np.int64]
    """(N, 2) height and width of each picture."""
    pixel: Values
    """(2,) width and height of a pixel, in metres."""

    def some(self, rows: Counts) -> Pictures:
        """Some of the pictures."""
        return Pictures(self.grey[rows], self.size[rows], self.pixel)


class Frame(NamedTuple):
    """Places and directions of N ships, in metres from the corner of each picture."""

    centre: Vectors
    axis: Vectors
    side: Vectors
    along: Values
    """Width of the point response along the axis."""
    across: Values
    """Width of the point response across the axis."""

    def some(self, rows: Counts) -> Frame:
        """Some of the ships."""
        return Frame(*(values[rows] for values in self))


def ends(pictures: Pictures, frame: Frame, reach: Vectors, least: Values) -> Vectors:
    """First and last place (N, 2) along the axis at which a ship is bright; NaN where none is.

    Args:
        pictures: brightness around the ships.
        frame: where they lie.
        reach: (N, 2) first and last place along the axis at which a pixel of the ship lies.
        least: (N,) least brightness of a ship.
    """
    step = float(pictures.pixel.min()) * _STEP
    start, stop = reach[:, 0] - frame.along, reach[:, 1] + frame.along + step
    ridge = _RIDGE * frame.across
    counts = _steps(stop - start, step), _steps(2 * ridge + step / 2, step)
    found = np.full((len(start), 2), np.nan)
    for rows in _chunks(*counts):
        along, across = (np.arange(int(count[rows].max()), dtype=np.float64) * step for count in counts)
        places = start[rows, None] + along
        grey = _sampled(pictures.some(rows), frame.some(rows), places, across - ridge[rows, None])
        beside = np.arange(len(across)) < counts[1][rows, None]
        profile = (grey * beside[:, None]).sum(axis=2) / counts[1][rows, None]
        inside = np.arange(len(along)) < counts[0][rows, None]
        profile[~inside] = 0
        back = np.rint(_SHOULDER_BACK * frame.along[rows] / step).astype(np.int64)
        high = inside & (profile >= least[rows, None])
        for k, way in ((1, 1), (0, -1)):
            bright = high & (profile >= _SHOULDER * _highest_before(profile[:, ::way], back)[:, ::way])
            place = bright.shape[1] - 1 - bright[:, ::-1].argmax(axis=1) if k else bright.argmax(axis=1)
            found[rows, k] = np.where(bright.any(axis=1), start[rows] + place * step, np.nan)
    found[np.isnan(found).any(axis=1)] = np.nan
    return found


def widths(above: Pictures, frame: Frame, length: Values, breadth: Values) -> Values:
    """Widths (N,) in metres of ships, from the fall of their brightness `above` the water's.

    Args:
        above: brightness above that of the water.
        frame: where the ships lie.
        length: (N,) metres.
        breadth: (N,) about the width, in metres.
    """
    finest = float(above.pixel.min())
    step = finest * _STEP
    reach = np.maximum(4.0 * finest, 1.5 * breadth)
    middle = _PROFILE_SHARE * length
    counts = np.maximum(_steps(middle, finest), _LEAST_PLACES), _steps(2 * reach, step)
    crossings = np.zeros(len(length))
    for rows in _chunks(*counts):
        along, across = (np.arange(int(count[rows].max())) for count in counts)
        places = ((along + 0.5) / counts[0][rows, None] - 0.5) * middle[rows, None]
        sides = np.asarray(across * step - reach[rows, None], np.float64)
        grey = _sampled(above.some(rows), frame.some(rows), places, sides)
        inside = along < counts[0][rows, None]
        profile = (grey * inside[:, :, None]).sum(axis=1) / counts[0][rows, None]
        crossings[rows] = _falls(profile, counts[1][rows])
    blur = _PROFILE_BLUR * frame.across
    return np.asarray(np.sqrt(np.maximum((crossings * step) ** 2 - blur**2, finest**2)))


def _falls(profile: Stack, counts: Counts) -> Values:
    """Steps (N,) between the places on both sides of the peak of profiles (N, B) where they fall below a level."""
    place = np.arange(profile.shape[1])
    inside = place < counts[:, None]
    peak = np.where(inside, profile, -np.inf)
    top, every = peak.argmax(axis=1), np.arange(len(profile))
    level = profile - _PROFILE_LEVEL * peak[every, top][:, None]
    low = level < 0
    after, before = low & inside & (place >= top[:, None]), low & (place <= top[:, None])
    right, left = after.argmax(axis=1), len(place) - 1 - before[:, ::-1].argmax(axis=1)
    found = np.zeros(len(profile))
    for first, some, away, none in (
        (right, after.any(axis=1), right - top, counts - top),
        (left, before.any(axis=1), top - left, top + 1),
    ):
        inner = np.clip(first + np.sign(top - first), 0, len(place) - 1)
        here, beside = level[every, first], level[every, inner]
        part = np.divide(here, here - beside, out=np.zeros(len(here)), where=away > 0)
        found += np.where(some, np.where(away > 0, away - part, 0.0), none)
    return found


def _highest_before(profile: Stack, back: Counts) -> Stack:
    """Highest value among each one of profiles (N, A) and the `back` (N,) before it."""
    found = profile.copy()
    for k in range(1, min(int(back.max(initial=0)), profile.shape[1] - 1) + 1):
        shifted = np.where((back >= k)[:, None], profile[:, :-k], -np.inf)
        np.maximum(found[:, k:], shifted, out=found[:, k:])
    return found


def _sampled(pictures: Pictures, frame: Frame, along: Stack, across: Stack) -> Stack:
    """Brightness (N, A, B) `along` (N, A) metres along and `across` (N, B) across the axes, linear between pixels."""
    _, height, width = pictures.grey.shape
    first, parts = [], []
    for k in (0, 1):
        moved = frame.centre[:, k, None] + along * frame.axis[:, k, None]
        place = (moved[:, :, None] + (across * frame.side[:, k, None])[:, None]) / pictures.pixel[k]
        last = pictures.size[:, 1 - k, None, None] - 1
        place = np.clip(np.subtract(place, 0.5, out=place), 0, last, out=place)
        whole = place.astype(np.int64)
        np.minimum(whole, np.maximum(last - 1, 0), out=whole)
        parts.append(np.subtract(place, whole, out=place))
        first.append(whole)
    (x, y), (right, down) = first, parts
    flat = pictures.grey.reshape(-1)
    at = (np.arange(len(along)) * height)[:, None, None] + y
    at *= width
    at += x
    step_x, step_y = int(width > 1), width * int(height > 1)
    upper = flat[at] * (1 - right)
    upper += flat[at + step_x] * right
    at += step_y
    lower = flat[at] * (1 - right)
    lower += flat[at + step_x] * right
    return np.asarray(upper * (1 - down) + lower * down)


def _steps(span: Values, step: float | Values) -> Counts:
    """Number of values of `np.arange` over those spans."""
    return np.maximum(np.ceil(span / step), 1).astype(np.int64)


def _chunks(first: Counts, second: Counts) -> Iterator[Counts]:
    """Yield the indices of ships that are sampled together: those of about one size, and not too many."""
    order, start = np.argsort(first * second, kind="stable"), 0
    while start < len(order):
        most_first = np.maximum.accumulate(first[order[start:]])
        most_second = np.maximum.accumulate(second[order[start:]])
        places = most_first * most_second * np.arange(1, len(order) - start + 1)
        count = max(1, int(np.searchsorted(places, _AT_ONCE, side="right")))
        yield order[start : start + count]
        start += count
