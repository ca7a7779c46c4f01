"""Chips of a scene in 8 bits, batch by batch: rows are read and stretched once, and calm windows are left out.

A window may have high contrast in a small part alone. Then only a part around it is shown to the network: at half the
height and width it takes a quarter of the time.

The thread that iterates does the reading, while another one runs the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from refinedet.detections import Detections
from refinedet.radiometry import StretchLimits
from refinedet.raster import Reader
from refinedet.scene.windows.prescreen import Flags, bounding_window, high_contrast
from refinedet.scene.windows.seams import SeamGrid
from refinedet.stopwatch import Stopwatch
from refinedet.stretching import Stretch
from refinedet.tiling import Window, moved


class ShownChip(NamedTuple):
    """Chip that the network sees of one window."""

    place: Window
    """Place in the scene: the window, or a part of it."""
    pixels: NDArray[np.uint8]
    """(H, W) or (H, W, 3), 8 bits."""


Batch = list[tuple[int, ShownChip | None]]
"""Numbers of windows in the grid, each with its chip; None for a window that is not shown to the network."""

_BAND_PX = 1 << 26
"""Most pixels of a band of rows that is held; in wider scenes each window is read by itself."""
_BATCH_WINDOWS = 512
"""Most windows of a batch, even if few of them have chips, so that progress is shown and kept."""
_MARGIN_PX = 16
"""Margin around the pixels that a window owns in which high contrast counts: the ship's centre may lie within."""
_PART_SIDES = 1 / 2, 3 / 4
"""Sides of parts, as shares of a window's side; the smallest that fits is taken. Each size is a graph to compile."""
_PART_MARGIN = 3 / 16
"""Least margin of a part around the high contrast, on every side, as a share of the window's side."""


class Chips:
    """Chips of the windows of one scene. Holds one band of rows."""

    def __init__(
        self,
        reader: Reader,
        limits: StretchLimits | None,
        prescreen: float | None,
        watch: Stopwatch,
        *,
        parts: bool = False,
    ) -> None:
        """Take a reader and the limits of its stretch.

        Args:
            reader: the scene.
            limits: limits of the stretch; None: the values are 8 bits already.
            prescreen: least contrast of a window that is looked at, in standard deviations; None: any.
            watch: counts the time of each part of the work.
            parts: show only a part of a window if all its high contrast fits into one.
        """
        self._reader, self._prescreen, self._watch, self._parts = reader, prescreen, watch, parts
        picture = reader.info.dtype == "uint8" and limits is None
        self._black = picture and reader.info.nodata is None
        self._darkest = int(picture and not self._black)
        self._stretch = Stretch(reader.info, limits)
        self._band: NDArray[np.uint8] | None = None
        self._top = 0
        self._flagged: tuple[Window, Flags] | None = None

    def batches(self, seams: SeamGrid, size: int, finished: Mapping[int, Detections | None]) -> Iterator[Batch]:
        """Yield the windows that are not finished, in batches of `size` chips.

        The finished windows do not change which windows share a batch: a finished window that was shown had a chip.
        """
        batch: Batch = []
        windows = shown = 0
        for index, window in enumerate(seams.grid):
            if index in finished:
                shown += finished[index] is not None
            else:
                chip = self._show(window, seams)
                shown += chip is not None
                batch.append((index, chip))
            windows += 1
            if shown == size or windows == max(size, _BATCH_WINDOWS):
                if batch:
                    yield batch
                batch, windows, shown = [], 0, 0
        if batch:
            yield batch

    def _show(self, window: Window, seams: SeamGrid) -> ShownChip | None:
        """Chip of a window or of a part of it; None without high contrast, or if every pixel is invalid or black."""
        rows, pixels = self._rows(window)
        place = window
        if self._prescreen is not None and len(seams.grid) > 1:
            with self._watch.part("prescreen"):
                near = moved(seams.near(window, _MARGIN_PX), window.y - rows.y, window.x - rows.x)
                bright = bounding_window(self._high_contrast(rows, pixels, self._prescreen), near)
            if bright is None:
                return None
            if self._parts:
                place = part_around(window, moved(bright, rows.y, rows.x))
        own = moved(place, -rows.y, -rows.x)
        chip = np.ascontiguousarray(pixels[own.y : own.y + own.height, own.x : own.x + own.width])
        return ShownChip(place, chip) if chip.max() > self._darkest else None

    def _high_contrast(self, rows: Window, pixels: NDArray[np.uint8], k: float) -> Flags:
        """High contrast in these rows, computed once for all windows that share them."""
        if self._flagged is None or self._flagged[0] != rows:
            self._flagged = rows, high_contrast(pixels, k, black=self._black)
        return self._flagged[1]

    def _rows(self, window: Window) -> tuple[Window, NDArray[np.uint8]]:
        """Place and pixels of a window, or of all its rows."""
        whole = replace(window, x=0, width=self._reader.info.width)
        if window == whole or window.height * whole.width > _BAND_PX:
            return window, self._read(window)
        return whole, self._held(window.y, window.height)[window.y - self._top :][: window.height]

    def _held(self, top: int, height: int) -> NDArray[np.uint8]:
        """Band of rows that holds those from `top`; rows of the last band are not read again."""
        band, end = self._band, top + height
        held = 0 if band is None else self._top + len(band)
        if band is not None and self._top <= top and end <= held:
            return band
        kept = [] if band is None or not self._top <= top < held else [band[top - self._top :]]
        first = held if kept else top
        self._band = None  # the memory of the old rows
        fresh = self._read(Window(first, 0, end - first, self._reader.info.width))
        self._band, self._top = np.concatenate([*kept, fresh]), top
        return self._band

    def _read(self, window: Window) -> NDArray[np.uint8]:
        with self._watch.part("read"):
            pixels = self._reader.read(window)
        with self._watch.part("stretch"):
            return self._stretch(pixels, window)


def part_around(window: Window, bright: Window) -> Window:
    """Smallest part of a window around `bright`, or the whole window if no part fits; all in scene pixels.

    A part has a share (1/2, 3/4) of the window's height and width. Around `bright` it has a margin of 3/16 of the
    window's side, less where the window ends.
    """
    longest = max(window.height, window.width)
    margin = round(longest * _PART_MARGIN)
    for share in _PART_SIDES:
        side = int(longest * share)
        y = _start(bright.y - margin, bright.y + bright.height + margin, window.y, window.y + window.height, side)
        x = _start(bright.x - margin, bright.x + bright.width + margin, window.x, window.x + window.width, side)
        if y is not None and x is not None:
            return Window(y, x, min(side, window.height), min(side, window.width))
    return window


def _start(low: int, high: int, first: int, end: int, side: int) -> int | None:
    """First pixel of a piece of `side` pixels within [first, end), with [low, high) in its middle; None if too long."""
    low, high = max(low, first), min(high, end)
    if high - low > side:
        return None
    return max(first, min((low + high - side) // 2, end - side))
