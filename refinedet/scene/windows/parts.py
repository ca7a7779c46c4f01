"""Parts of a window around high contrast, so that the network processes little calm sea. Pure.

A part has a share of the window's height and width (`tiling.PART_SIDES`), or is the whole window. It has a margin of
1/8 of the window's side around the high contrast, less at the border of the window. Bright objects at least twice the
margin apart get separate parts if these have fewer pixels. So a ship with bright parts at both ends is not cut into
two, and each object is seen with its neighbourhood.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import shift
from refinedet.detections import Detections
from refinedet.scene.windows.prescreen import Flags, bounding_window, pieces
from refinedet.tiling import PART_SIDES, Window

_MARGIN = 1 / 8
"""Least margin of a part around its core, on every side, as a share of the window's side."""


class Part(NamedTuple):
    """Part of a window for the network."""

    place: Window
    """The whole window, or a smaller rectangle in it."""
    core: Window
    """Smallest rectangle around the high contrast of the part."""


def parts_around(window: Window, flags: Flags, near: Window) -> list[Part]:
    """Parts of a window that contain all its high contrast; empty without high contrast.

    Args:
        window: the window.
        flags: high contrast of a picture, as `prescreen.high_contrast` gives it.
        near: rectangle in which high contrast counts, in pixels of that picture, as the window.
    """
    core = bounding_window(flags, near)
    return [] if core is None else _parts(window, flags, core)


def _parts(window: Window, flags: Flags, core: Window) -> list[Part]:
    """One part around a core, or several around its pieces if these are fewer pixels."""
    one = [Part(part_around(window, core), core)]
    apart = pieces(flags, core, 2 * _margin(window))
    if len(apart) == 1:
        return one
    several = [part for piece in apart for part in _parts(window, flags, piece)]
    return several if _pixels(several) < _pixels(one) else one


def part_around(window: Window, core: Window) -> Window:
    """Smallest part of a window around `core` with its margin; the whole window if no part is large enough."""
    margin = _margin(window)
    for share in PART_SIDES:
        side = int(max(window.height, window.width) * share)
        y = _start(core.y - margin, core.y + core.height + margin, window.y, window.y + window.height, side)
        x = _start(core.x - margin, core.x + core.width + margin, window.x, window.x + window.width, side)
        if y is not None and x is not None:
            return Window(y, x, min(side, window.height), min(side, window.width))
    return window


def joined(parts: Sequence[Part], found: Sequence[Detections]) -> Detections:
    """Detections of a window from those of its parts, in scene pixels; each from the part whose core is nearest.

    Args:
        parts: the parts of one window, in scene pixels.
        found: detections in each part, in pixels of the part.
    """
    cores = np.array([[p.core.x, p.core.y, p.core.x + p.core.width, p.core.y + p.core.height] for p in parts])
    own = []
    for number, (part, one) in enumerate(zip(parts, found, strict=True)):
        boxes = shift(one.boxes_xyxy, part.place.x, part.place.y)
        mine = _nearest(boxes, cores) == number
        own.append((boxes[mine], one.scores[mine], one.labels[mine]))
    return Detections.of(*(np.concatenate(column) for column in zip(*own, strict=True)))


def _nearest(boxes: NDArray[np.float32], cores: NDArray[np.int64]) -> NDArray[np.intp]:
    """(N,) index of the core nearest to the centre of each box (N, 4), by the larger of the distances in x and y."""
    middles = (boxes[:, None, :2].astype(np.float64) + boxes[:, None, 2:]) / 2
    beyond = np.maximum(cores[:, :2] - middles, middles - cores[:, 2:])
    return np.asarray(np.maximum(beyond.max(axis=2), 0).argmin(axis=1), np.intp)


def _margin(window: Window) -> int:
    return round(max(window.height, window.width) * _MARGIN)


def _pixels(parts: Sequence[Part]) -> int:
    return sum(part.place.height * part.place.width for part in parts)


def _start(low: int, high: int, first: int, end: int, side: int) -> int | None:
    """First pixel of a piece of `side` pixels within [first, end), with [low, high) in its middle; None if too long."""
    low, high = max(low, first), min(high, end)
    if high - low > side:
        return None
    return max(first, min((low + high - side) // 2, end - side))
