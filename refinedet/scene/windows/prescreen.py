"""Prescreen: a cheap CFAR test that finds high contrast, so that windows of calm sea are skipped.

The picture is averaged over 2 x 2 pixels, then over 3 x 3 of those means. A ship of any size keeps most of its
contrast, while speckle loses most of its contrast. The background of a cell of 16 x 16 pixels comes from the calmer
cells among the 5 x 5 around it: the ninth lowest of their 25 means, and of their 25 standard deviations. So neither a
large ship, nor ships beside it, nor the shore hides a ship. Contrast is high if a mean lies more than `k` of these
deviations above the background. Pure; RGB always has high contrast.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from refinedet.tiling import Window

Flags = NDArray[np.bool_]
Sums = NDArray[np.uint16]
"""Sums over 3 x 3 means, which are whole numbers, unlike their means."""
Cells = NDArray[np.float32]

K = 8.0
"""Least contrast, in standard deviations. SSDD's 928 images of train and val all show ships. The highest contrast of
each image is above this value, by at least a sixth: benchmarks/accuracy/prescreen.py."""

_MEAN_PX, _SMOOTH, _CELL, _REACH, _RANK = 2, 3, 8, 2, 8
_CALMEST = 0.5
"""Least standard deviation, in 8-bit steps, so that one step above a flat background is no ship."""
_HIGHEST = np.iinfo(np.uint16).max


def high_contrast(picture: NDArray[np.uint8], k: float = K, *, black: bool = False) -> Flags:
    """True for each 2 x 2 pixels with high contrast: (H / 2, W / 2), rounded up; all true if too little was measured.

    Args:
        picture: (H, W) or (H, W, 3), 8 bits; 0: not measured. A chip, or rows that many windows share.
        k: least contrast, in standard deviations.
        black: 0 is a measured value, the black of a picture without missing pixels.
    """
    if picture.ndim == 3 or min(picture.shape) < _MEAN_PX:
        height, width = (-(-side // _MEAN_PX) for side in picture.shape[:2])
        return np.ones((height, width), np.bool_)
    sums, mean, std = _measured(picture, black=black)
    suspect = _highest(sums) > _limit(_least(mean), _least(std), k)  # excludes most cells of the sea
    limit = np.full(mean.shape, _HIGHEST, np.uint16)
    # a whole number above a limit is above its whole part, and whole numbers compare faster
    limit[suspect] = np.floor(np.minimum(_limit(_calm(mean, suspect), _calm(std, suspect), k), _HIGHEST))
    return _cut(sums > _to_pixels(limit), picture.shape)


def bounding_window(flags: Flags, part: Window) -> Window | None:
    """Smallest window around all true flags in `part`, both in pixels of the picture; None without a true flag."""
    top, left = part.y // _MEAN_PX, part.x // _MEAN_PX
    own = _within(flags, part)
    if not own.any():
        return None
    (y, bottom), (x, right) = (_ends(np.asarray(own.any(axis=axis))) for axis in (1, 0))
    return Window(_MEAN_PX * top + y, _MEAN_PX * left + x, bottom - y, right - x)


def pieces(flags: Flags, part: Window, gap_px: int) -> list[Window]:
    """Smallest windows around the groups of true flags of a part that are at least `gap_px` rows or columns apart.

    All are in pixels of the picture. The list holds one window if there is one group; it is empty without a true flag.
    """
    core = bounding_window(flags, part)
    if core is None:
        return []
    own = _within(flags, core)
    for axis in (1, 0):
        places = np.flatnonzero(own.any(axis=axis))
        last = np.flatnonzero(np.diff(places) > gap_px / _MEAN_PX)
        if len(last):
            spans = zip([0, *(last + 1)], [*last, len(places) - 1], strict=True)
            lines = [(_MEAN_PX * int(places[i]), _MEAN_PX * int(places[j] + 1 - places[i])) for i, j in spans]
            bands = [
                Window(core.y + start, core.x, length, core.width)
                if axis
                else Window(core.y, core.x + start, core.height, length)
                for start, length in lines
            ]
            return [window for band in bands if (window := bounding_window(flags, band)) is not None]
    return [core]


def _within(flags: Flags, part: Window) -> Flags:
    """Flags of a part of a picture, in its pixels."""
    top, left = part.y // _MEAN_PX, part.x // _MEAN_PX
    return flags[top : -(-(part.y + part.height) // _MEAN_PX), left : -(-(part.x + part.width) // _MEAN_PX)]


def _ends(line: Flags) -> tuple[int, int]:
    """First and last pixel (exclusive) of the true values of a line of means."""
    places = np.flatnonzero(line)
    return _MEAN_PX * int(places[0]), _MEAN_PX * (int(places[-1]) + 1)


def contrast(chip: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Contrast of each 2 x 2 pixels of a chip (H, W), in standard deviations: (H / 2, W / 2), rounded up."""
    sums, *cells = _measured(chip)
    level, std = (_calm(one, np.ones(one.shape, np.bool_)).reshape(one.shape) for one in cells)
    return _cut((sums - _to_pixels(level)) / _to_pixels(std), chip.shape)


def _limit(level: Cells, std: Cells, k: float) -> Cells:
    return level + np.float32(k) * std


def _measured(picture: NDArray[np.uint8], *, black: bool = False) -> tuple[Sums, Cells, Cells]:
    """Sums over 3 x 3 means as rows of cells (R, 8, W), and mean and standard deviation of each cell (R, C)."""
    inner = np.asarray(Image.fromarray(picture).reduce(_MEAN_PX))
    fill = [(0, -side % _CELL) for side in inner.shape]
    means = np.pad(inner, fill) if np.any(fill) else inner
    shape = (len(means) // _CELL, _CELL, means.shape[1])
    sums = _smoothed(means).reshape(shape)
    known = np.pad(np.ones_like(inner, np.bool_), fill) if black else means > 0
    return sums, *_moments(sums, known.reshape(shape))


def _smoothed(means: NDArray[np.uint8]) -> Sums:
    edged = np.pad(means, 1, mode="edge").astype(np.uint16)
    rows = edged[:-2] + edged[1:-1]
    rows += edged[2:]
    sums = rows[:, :-2] + rows[:, 1:-1]
    sums += rows[:, 2:]
    return sums


def _moments(sums: Sums, measured: Flags) -> tuple[Cells, Cells]:
    """Mean and standard deviation of each cell; a cell less than half measured gets the median of the others."""
    size = _CELL * _CELL
    count = _cells(measured.view(np.uint8), np.uint8)
    known = count >= size / 2
    if not known.any():
        return np.zeros(count.shape, np.float32), np.ones(count.shape, np.float32)
    squares = sums.astype(np.uint32)
    squares *= squares
    total, square = _cells(sums, np.uint16), _cells(squares, np.uint32)
    partly = (count > 0) & (count < size)
    if partly.any():
        inside = _each(measured, partly)
        for values, result in ((sums, total), (squares, square)):
            result[partly] = (_each(values, partly) * inside).sum(axis=(1, 2), dtype=np.uint32)
    count = np.maximum(count, 1)
    # float64, because this is the difference of two large numbers
    mean = total / count
    std = np.sqrt(np.maximum(square / count - mean * mean, 0))
    if not known.all():
        mean, std = (np.where(known, one, np.median(one[known])) for one in (mean, std))
    return mean.astype(np.float32), np.maximum(std, _CALMEST * _SMOOTH**2).astype(np.float32)


def _each(values: NDArray[Any], cells: Flags) -> NDArray[Any]:
    """(N, 8, 8) values of some cells."""
    rows, columns = np.nonzero(cells)
    return values.reshape(*values.shape[:2], -1, _CELL)[rows, :, columns]


def _cells(values: NDArray[Any], total: type[np.unsignedinteger[Any]]) -> NDArray[np.uint32]:
    """(R, C) exact sums over each cell, one axis after the other: eight times faster than both at once."""
    columns = values.sum(axis=1, dtype=total)
    return np.asarray(columns.reshape(len(columns), -1, _CELL).sum(axis=2, dtype=np.uint32))


def _highest(sums: Sums) -> Sums:
    """(R, C) highest sum of each cell."""
    columns = sums.max(axis=1)
    return np.asarray(columns.reshape(len(columns), -1, _CELL).max(axis=2))


def _least(cells: Cells) -> Cells:
    """(R, C) lowest value of the 25 cells around each cell, a lower bound of the background."""
    return np.asarray(ndimage.minimum_filter(cells, 2 * _REACH + 1, mode="mirror"))


def _calm(cells: Cells, wanted: Flags) -> Cells:
    """(N,) ninth lowest of the 25 cells around each wanted cell; cells are mirrored beyond the edge."""
    side = 2 * _REACH + 1
    around = sliding_window_view(np.pad(cells, _REACH, mode="reflect"), (side, side))[wanted]
    return np.asarray(np.partition(around.reshape(-1, side * side), _RANK)[:, _RANK])


def _to_pixels(cells: NDArray[Any]) -> NDArray[Any]:
    """(R, 1, W) value of each cell for all its columns."""
    return np.repeat(cells, _CELL, axis=1)[:, None]


def _cut(rows: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Rows of cells as one picture, without the padding that completed the cells."""
    height, width = (-(-side // _MEAN_PX) for side in shape)
    return np.asarray(rows.reshape(-1, rows.shape[2])[:height, :width])
