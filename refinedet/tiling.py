"""Windows of a scene, and the letterbox of a chip, in whole numbers; this module reads no pixels.

Training chips and detection windows come from the same functions, so detection cuts a scene as training did.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import Boxes, area, clip, shift
from refinedet.config import TileConfig
from refinedet.errors import InputError

WINDOW_TILES = 2
"""Side of a large window, in tiles of training: refinedet/predictors/large_windows.py."""
WINDOWS_TOGETHER = 16
"""Number of windows that a predictor gets at once; it may split them into smaller batches."""
PART_SIDES = 3 / 8, 5 / 8
"""Sides of the parts of windows that the network processes, as shares of a window's side. Runtimes compile a graph for
each size: refinedet/scene/windows/parts.py."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Rectangle within a scene, in whole pixels. Windows are ordered top to bottom, left to right."""

    y: int
    x: int
    height: int
    width: int


def moved(window: Window, down: int, right: int) -> Window:
    """Return the window moved by whole pixels, as in other coordinates."""
    return Window(window.y + down, window.x + right, window.height, window.width)


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Chip scaled by one factor, then padded right and below to the canvas. Chip pixel p lands at p * scale."""

    scale: float
    width: int
    """Width of the scaled chip, before padding."""
    height: int
    canvas_width: int
    canvas_height: int


def enlarged(window: Window, down: int, right: int, height: int, width: int) -> Window:
    """Window with so many more pixels above and below, and at both sides, cut at the borders of a scene."""
    top, left = max(0, window.y - down), max(0, window.x - right)
    bottom = min(height, window.y + window.height + down)
    end = min(width, window.x + window.width + right)
    return Window(top, left, bottom - top, end - left)


def starts(length: int, tile_px: int, overlap_px: int) -> list[int]:
    """First pixels of the windows along one axis: evenly spaced, the first at 0, the last ending at `length`.

    Neighbouring windows overlap by at least `overlap_px`. A length of at most one tile gives one window.

    >>> starts(1000, 512, 100)
    [0, 244, 488]
    """
    if length <= tile_px:
        return [0]
    gaps = -(-(length - tile_px) // (tile_px - overlap_px))
    return [round(i * (length - tile_px) / gaps) for i in range(gaps + 1)]


def windows(width: int, height: int, config: TileConfig) -> list[Window]:
    """Windows that cover a scene of `width` x `height` pixels, top to bottom, left to right.

    A scene whose long side is at most `whole_factor` tiles is one window.

    Raises:
        InputError: the scene has no pixels.
    """
    if width < 1 or height < 1:
        raise InputError(f"expected a scene of at least 1 x 1 pixels, found {width} x {height}")
    if max(width, height) <= config.whole_factor * config.tile_px:
        return [Window(0, 0, height, width)]
    tile = config.tile_px
    return [
        Window(y, x, min(tile, height), min(tile, width))
        for y in starts(height, tile, config.overlap_px)
        for x in starts(width, tile, config.overlap_px)
    ]


def letterbox(width: int, height: int, input_px: int, stride: int) -> Letterbox:
    """Letterbox of a chip of `width` x `height`: long side to `input_px`, canvas to multiples of `stride`.

    It depends on the chip's size alone, so a detection never depends on the other chips of its batch.

    >>> letterbox(500, 350, 512, 64)
    Letterbox(scale=1.024, width=512, height=358, canvas_width=512, canvas_height=384)
    """
    scale = input_px / max(width, height)
    scaled_w, scaled_h = max(1, round(width * scale)), max(1, round(height * scale))
    return Letterbox(scale, scaled_w, scaled_h, _round_up(scaled_w, stride), _round_up(scaled_h, stride))


def boxes_in_window(
    boxes_xyxy: Boxes, window: Window, min_visible: float
) -> tuple[Boxes, NDArray[np.bool_], NDArray[np.intp]]:
    """Truth boxes of a scene as seen in a window.

    Returns:
        boxes: (M, 4) the boxes that touch the window, clipped to it, in window pixels;
        ignored: (M,) true where less than `min_visible` of the box is visible (neither ship nor background);
        index: (M,) row of each one in `boxes_xyxy`.
    """
    moved = shift(boxes_xyxy, -window.x, -window.y)
    clipped = clip(moved, window.width, window.height)
    visible = area(clipped)
    index = np.flatnonzero(visible > 0)
    share = visible[index] / area(moved)[index]
    return clipped[index], share < min_visible, index


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
