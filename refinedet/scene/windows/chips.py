"""From a scene to 8-bit chips, batch by batch: rows are read and stretched once, and calm windows are left out.

Of a window in which little stands out, a part around that is enough: half its height and width, a quarter of the time.

Whoever iterates does the reading: one thread, while another one is with the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from refinedet.detections import Detections
from refinedet.radiometry import Stretch, StretchLimits
from refinedet.raster import Reader
from refinedet.scene.windows.prescreen import Flags, bounding_window, high_contrast
from refinedet.scene.windows.seams import SeamGrid
from refinedet.stopwatch import Stopwatch
from refinedet.tiling import Window, moved


class ShownChip(NamedTuple):
    """What is shown to the network of one window."""

    place: Window
    """In the scene: the window, or a part of it."""
    chip: NDArray[np.uint8]


Batch = list[tuple[int, ShownChip | None]]
"""Numbers of windows in the grid, and what is looked at; None where there is nothing to look at."""

_BAND_PX = 1 << 26
"""Pixels of the highest band of rows that is held; in wider scenes each window is read by itself."""
_BATCH_WINDOWS = 512
"""Most windows of a batch, however few of them are looked at: so that their progress is seen, and kept."""
_MARGIN_PX = 16
"""What stands out this far beyond the pixels that a window owns counts too: its ship may have its centre within."""
_PART_SIDES = 1 / 2, 3 / 4
"""Of a window's side: what parts of it are looked at, the smallest that will do. Each is a graph to compile."""
_PART_MARGIN = 3 / 16
"""Share of a window's side that is seen at least on every side of what stands out where a part of it is looked at."""


class Chips:
    """What is looked at of the windows of one scene. Holds one band of rows."""

    def __init__(
        self,
        reader: Reader,
        limits: StretchLimits | None,
        prescreen: float | None,
        watch: Stopwatch,
        *,
        parts: bool = False,
    ) -> None:
        """Read from `reader` by these `limits`.

        Args:
            reader: the scene.
            limits: of its stretch.
            prescreen: the least contrast of what is looked at; None: all is.
            watch: told where the time goes.
            parts: of a window in which little stands out, show a part around that alone.
        """
        self._reader, self._prescreen, self._watch, self._parts = reader, prescreen, watch, parts
        self._stretch = Stretch(reader.info.dtype, reader.info.nodata, limits)
        self._band: NDArray[np.uint8] | None = None
        self._top = 0
        self._flagged: tuple[Window, Flags] | None = None

    def batches(self, seams: SeamGrid, size: int, finished: Mapping[int, Detections | None]) -> Iterator[Batch]:
        """What is not finished, in batches of `size` chips.

        A batch holds the same windows whatever is finished: those of a window that was looked at had a chip.
        """
        batch: Batch = []
        windows = shown = 0
        for index, window in enumerate(seams.grid):
            if index in finished:
                shown += finished[index] is not None
            else:
                look = self._show(window, seams)
                shown += look is not None
                batch.append((index, look))
            windows += 1
            if shown == size or windows == max(size, _BATCH_WINDOWS):
                if batch:
                    yield batch
                batch, windows, shown = [], 0, 0
        if batch:
            yield batch

    def _show(self, window: Window, seams: SeamGrid) -> ShownChip | None:
        """A window or a part of it; None where nothing stands out, or no pixel is valid and not black."""
        rows, pixels = self._rows(window)
        place = window
        if self._prescreen is not None and len(seams.grid) > 1:
            with self._watch.part("prescreen"):
                near = moved(seams.near(window, _MARGIN_PX), window.y - rows.y, window.x - rows.x)
                found = bounding_window(self._high_contrast(rows, pixels, self._prescreen), near)
            if found is None:
                return None
            if self._parts:
                place = part_around(window, moved(found, rows.y, rows.x))
        own = moved(place, -rows.y, -rows.x)
        chip = np.ascontiguousarray(pixels[own.y : own.y + own.height, own.x : own.x + own.width])
        return ShownChip(place, chip) if chip.any() else None

    def _high_contrast(self, rows: Window, pixels: NDArray[np.uint8], k: float) -> Flags:
        """What stands out in these rows; found once for all windows that share them."""
        if self._flagged is None or self._flagged[0] != rows:
            self._flagged = rows, high_contrast(pixels, k)
        return self._flagged[1]

    def _rows(self, window: Window) -> tuple[Window, NDArray[np.uint8]]:
        """The pixels of a window, or of all its rows, and where they lie."""
        whole = replace(window, x=0, width=self._reader.info.width)
        if window == whole or window.height * whole.width > _BAND_PX:
            return window, self._read(window)
        return whole, self._held(window.y, window.height)[window.y - self._top :][: window.height]

    def _held(self, top: int, height: int) -> NDArray[np.uint8]:
        """A band of rows in which those from `top` are; what the last one holds of them is not read again."""
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
            return self._stretch(pixels)


def part_around(window: Window, found: Window) -> Window:
    """The smallest part of a window around `found`, of a share of its height and width; the whole where none will do.

    All in scene pixels. Around `found` lie 3/16 of the window's side, less where the window ends.
    """
    longest = max(window.height, window.width)
    around = round(longest * _PART_MARGIN)
    for share in _PART_SIDES:
        side = int(longest * share)
        y = _start(found.y - around, found.y + found.height + around, window.y, window.y + window.height, side)
        x = _start(found.x - around, found.x + found.width + around, window.x, window.x + window.width, side)
        if y is not None and x is not None:
            return Window(y, x, min(side, window.height), min(side, window.width))
    return window


def _start(low: int, high: int, first: int, end: int, side: int) -> int | None:
    """Where a piece of `side` pixels of [first, end) begins that holds what of [low, high) is there, in its middle."""
    low, high = max(low, first), min(high, end)
    if high - low > side:
        return None
    return max(first, min((low + high - side) // 2, end - side))
