"""Windows of a scene and how a chip is letterboxed: integers, no pixels.

Training chips and detection windows come from the same functions, so the network sees in a scene what it was taught.
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
"""Windows that are handed to a predictor at once; it may take them in smaller passes."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A place in a scene, in whole pixels; it lies within the scene. Ordered top to bottom, left to right."""

    y: int
    x: int
    height: int
    width: int


def moved(window: Window, down: int, right: int) -> Window:
    """The same size elsewhere: where it lies in other coordinates."""
    return Window(window.y + down, window.x + right, window.height, window.width)


@dataclass(frozen=True, slots=True)
class Letterbox:
    """A chip scaled by one factor, then padded right and below to the canvas. Chip pixel p lands at p * scale."""

    scale: float
    width: int
    """Width of the scaled chip, before padding."""
    height: int
    canvas_width: int
    canvas_height: int


def starts(length: int, tile_px: int, overlap_px: int) -> list[int]:
    """First pixels of the windows along one axis: evenly spread, first at 0, last ending at `length`.

    Neighbours share at least `overlap_px`. A length of at most one tile gives one window.

    >>> starts(1000, 512, 100)
    [0, 244, 488]
    """
    if length <= tile_px:
        return [0]
    gaps = -(-(length - tile_px) // (tile_px - overlap_px))
    return [round(i * (length - tile_px) / gaps) for i in range(gaps + 1)]


def windows(width: int, height: int, config: TileConfig) -> list[Window]:
    """Windows that cover a scene of `width` x `height` pixels, top to bottom, left to right.

    A scene whose long side is at most `whole_factor` tiles is one window: the whole of it.

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
    """How a chip of `width` x `height` enters the network: long side to `input_px`, canvas to multiples of `stride`.

    It depends on the chip's size alone, so a detection never depends on what shares its batch.

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
        boxes: (M, 4) clipped to the window, in window pixels, of the boxes that touch it;
        ignored: (M,) true where less than `min_visible` of the box is visible (neither ship nor background);
        index: (M,) which scene box each one is.
    """
    moved = shift(boxes_xyxy, -window.x, -window.y)
    clipped = clip(moved, window.width, window.height)
    visible = area(clipped)
    index = np.flatnonzero(visible > 0)
    share = visible[index] / area(moved)[index]
    return clipped[index], share < min_visible, index


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
