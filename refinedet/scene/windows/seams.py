"""Seams between the windows of a scene: sides that a window cuts, and pixels that it owns. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.tiling import Window

Rects = NDArray[np.float64]
"""(N, 4) [x1, y1, x2, y2] in scene pixels; float64, so that sums stay exact in huge scenes."""
Flags = NDArray[np.bool_]
OUTWARD = np.array([-1.0, -1.0, 1.0, 1.0])
"""Signs of left, top, right and bottom: multiplied by these, the larger of two sides lies further out."""

_TOUCH_PX = 4.0
"""Distance in pixels from an inner border within which a box counts as cut: boxes have errors of a few pixels."""
_TOUCH_SHARE = 0.06
"""Distance as a share of the box's size, if that is larger, because the error grows with the ship."""


class SeamGrid:
    """Windows of one scene. A window owns the pixels nearest to its centre, so overlaps are split in the middle."""

    def __init__(self, grid: Sequence[Window]) -> None:
        """Take all windows of a scene, as `tiling.windows` gives them, in any order."""
        ordered = sorted(grid)
        self.grid = ordered
        """Windows, top to bottom, left to right."""
        self.index = {window: i for i, window in enumerate(ordered)}
        """Row of each window in `rects`."""
        self.rects: Rects = np.array([(w.x, w.y, w.x + w.width, w.y + w.height) for w in ordered], np.float64)
        """(W, 4) the windows, top to bottom, left to right."""
        self._scene_size = self.rects[:, 2:].max(axis=0)
        self._middles = [self._split(axis) for axis in (0, 1)]

    def inner(self, rects: Rects) -> Flags:
        """(N, 4) true for sides of windows that lie within the scene, so that a ship may continue beyond them."""
        return np.concatenate([rects[:, :2] > 0, rects[:, 2:] < self._scene_size], axis=1)

    def owner(self, boxes: Rects) -> NDArray[np.intp]:
        """(N,) row of the window that owns the centre of each box."""
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        column, row = (np.searchsorted(self._middles[axis], centres[:, axis], side="right") for axis in (0, 1))
        return np.asarray(row * (len(self._middles[0]) + 1) + column, np.intp)

    def outside_px(self, boxes: Rects, window: NDArray[np.intp]) -> NDArray[np.float64]:
        """(N,) distance in pixels of the centre of each box from the pixels that `window` (N,) owns; 0 within."""
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        columns = len(self._middles[0]) + 1
        outside = np.zeros(len(boxes))
        for axis, place in enumerate((window % columns, window // columns)):
            low, high = self._ends(axis, place)
            outside = np.maximum(outside, np.maximum(low - centres[:, axis], centres[:, axis] - high))
        return outside

    def near(self, window: Window, margin_px: int) -> Window:
        """Owned area of `window`, grown by up to `margin_px`, in pixels of the window."""
        row, column = divmod(self.index[window], len(self._middles[0]) + 1)
        (x1, x2), (y1, y2) = self._ends(0, column), self._ends(1, row)
        left, top = int(max(window.x, x1 - margin_px)), int(max(window.y, y1 - margin_px))
        right = int(min(window.x + window.width, x2 + margin_px))
        bottom = int(min(window.y + window.height, y2 + margin_px))
        return Window(top - window.y, left - window.x, bottom - top, right - left)

    def _ends(self, axis: int, place: Any) -> tuple[Any, Any]:
        """First and last pixel that a column (axis 0) or row (axis 1) of windows owns."""
        edges = np.concatenate([[-np.inf], self._middles[axis], [np.inf]])
        return edges[place], edges[place + 1]

    def _split(self, axis: int) -> NDArray[np.float64]:
        starts, ends = np.unique(self.rects[:, axis]), np.unique(self.rects[:, axis + 2])
        return (starts[1:] + ends[:-1]) / 2


def cut_sides(boxes: Rects, rects: Rects, inner: Flags) -> Flags:
    """(N, 4) true for sides (left, top, right, bottom) of boxes at or beyond an inner border of their windows."""
    return np.asarray(((boxes - rects) * OUTWARD >= -touch_px(boxes)) & inner, np.bool_)


def touch_px(boxes: Rects) -> NDArray[np.float64]:
    """(N, 4) distance from a border within which each side of a box counts as cut."""
    size = boxes[:, 2:] - boxes[:, :2]
    return np.tile(np.maximum(_TOUCH_PX, _TOUCH_SHARE * size), 2)
