"""Layout of the quicklook, for scenes of any shape and any number of ships. Pure; integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MARGIN_PX, HEAD_PX, FOOT_PX = 44, 112, 64
CELL_PX, GAP_PX, CAPTION_PX = 236, 18, 30
"""Side of a cut-out, gap between two cut-outs, and height of the caption below each."""

_BESIDE_PX = 1120
"""Long side of a scene with cut-outs beside it."""
_ABOVE_COLUMNS = 6
_ABOVE_PX = _ABOVE_COLUMNS * (CELL_PX + GAP_PX) - GAP_PX
"""Width of a wide scene, with cut-outs below it."""
_ABOVE_ROWS = 3
"""Least rows of cut-outs beside the scene; if fewer fit, cut-outs go below it, unless it is narrow."""
_NARROW_PX = 800
"""Width of a scene that has its cut-outs beside it at any height; below it, the page would be half empty."""
_LEAST_PX = 96
"""Least width and height of a scene in the picture; a thinner one is stretched."""
_ENLARGED_PX = 600
"""Long side to which a smaller scene is enlarged; a larger picture shows no more detail and compresses slower."""
_BESIDE_COLUMNS = 4
"""Largest number of columns of cut-outs beside a scene."""
_LARGEST_SCALE = 12.0
"""Largest number of pixels of the picture per pixel of the scene."""
_PAGE_LEAST_PX = 760

Rect = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the picture, y down."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Page in pixels from its top left corner: the scene at (MARGIN_PX, HEAD_PX), cut-outs beside or below it."""

    page: tuple[int, int]
    scene: tuple[int, int]
    """Width and height of the scene in the picture."""
    scale: tuple[float, float]
    """Pixels of the picture for one pixel of the scene, across and down; they differ if the scene is stretched."""
    cells: tuple[tuple[int, int], ...]
    """Top left corner of each cut-out."""

    @property
    def stretched(self) -> str | None:
        """Note for the user about a side that is not to scale; None if both sides are."""
        across, down = self.scale
        if across == down:
            return None
        side, times = ("height", down / across) if down > across else ("width", across / down)
        return f"{side} drawn {times:,.{0 if times >= 10 else 1}f} times larger"


def layout(width_px: int, height_px: int, shown: int) -> Layout:
    """Lay out the page for a scene of that size with `shown` cut-outs."""
    scene, scale = _fit(width_px, height_px, _BESIDE_PX)
    rows = (scene[1] + GAP_PX) // (CELL_PX + CAPTION_PX + GAP_PX)
    beside = rows >= min(_ABOVE_ROWS, shown) or scene[0] <= _NARROW_PX
    if beside:
        columns = min(-(-shown // max(1, rows)), _BESIDE_COLUMNS)
        origin = (MARGIN_PX + scene[0] + GAP_PX, HEAD_PX)
    else:
        scene, scale = _fit(width_px, height_px, _ABOVE_PX)
        columns, origin = _ABOVE_COLUMNS, (MARGIN_PX, HEAD_PX + scene[1] + FOOT_PX)
    cells = tuple(
        (origin[0] + (i % columns) * (CELL_PX + GAP_PX), origin[1] + (i // columns) * (CELL_PX + CAPTION_PX + GAP_PX))
        for i in range(shown)
    )
    right = max(scene[0] + MARGIN_PX, _PAGE_LEAST_PX, *(x + CELL_PX for x, _ in cells))
    bottom = max(HEAD_PX + scene[1] + FOOT_PX, *(y + CELL_PX + CAPTION_PX + GAP_PX for _, y in cells), 0)
    return Layout((right + MARGIN_PX, bottom), scene, scale, cells)


def _fit(width_px: int, height_px: int, long_px: int) -> tuple[tuple[int, int], tuple[float, float]]:
    side = max(width_px, height_px)
    scale = min(long_px / side, max(1.0, _ENLARGED_PX / side), _LARGEST_SCALE)
    width, height = round(width_px * scale), round(height_px * scale)
    thin = max(min(width, height), 1) < _LEAST_PX and max(width, height) > _LEAST_PX
    if not thin:
        return (max(1, width), max(1, height)), (scale, scale)
    width, height = max(width, _LEAST_PX), max(height, _LEAST_PX)
    return (width, height), (width / width_px, height / height_px)


def place_labels(
    marks: NDArray[np.float64], sizes: Sequence[tuple[float, float]], area: Rect, required: int
) -> list[tuple[float, float] | None]:
    """Top left corner of a label at a corner of each mark (N, 4), in order of the marks; None if no corner is free.

    Labels stay within `area` and do not overlap, and lie on no other mark if there is a choice. The first `required`
    labels are always placed.
    """
    taken = np.zeros((0, 4))
    places: list[tuple[float, float] | None] = []
    for number, ((x1, y1, x2, y2), (width, height)) in enumerate(zip(marks.tolist(), sizes, strict=True)):
        corners = ((x2, y1 - height), (x2, y2), (x1 - width, y1 - height), (x1 - width, y2), (x1, y1 - height))
        rects = [(x, y, x + width, y + height) for x, y in corners]
        free = [rect for rect in rects if _inside(rect, area) and not _touches(rect, taken)]
        free = [rect for rect in free if not _touches(rect, marks)] or free
        if not free and number < required:
            x, y = min(max(x2, area[0]), area[2] - width), min(max(y1 - height, area[1]), area[3] - height)
            free = [(x, y, x + width, y + height)]
        places.append(free[0][:2] if free else None)
        taken = np.concatenate([taken, np.array(free[:1]).reshape(-1, 4)])
    return places


def _inside(rect: Rect, area: Rect) -> bool:
    return rect[0] >= area[0] and rect[1] >= area[1] and rect[2] <= area[2] and rect[3] <= area[3]


def _touches(rect: Rect, others: NDArray[np.float64]) -> bool:
    apart = (
        (others[:, 0] >= rect[2]) | (others[:, 2] <= rect[0]) | (others[:, 1] >= rect[3]) | (others[:, 3] <= rect[1])
    )
    return bool((~apart).any())
