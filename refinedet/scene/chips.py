"""From a scene to 8-bit chips, batch by batch: rows are read and stretched once, and calm windows are left out.

Whoever iterates does the reading: one thread, while another one is with the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from refinedet.detections import Detections
from refinedet.radiometry import Levels, Stretch
from refinedet.raster import Reader
from refinedet.scene.prescreen import stands_out
from refinedet.scene.seams import SeamGrid
from refinedet.stopwatch import Stopwatch
from refinedet.tiling import Window

Chip = NDArray[np.uint8]
Batch = list[tuple[int, Chip | None]]
"""Numbers of windows in the grid, and their chips; None where there is nothing to look at."""

_BAND_PX = 1 << 26
"""Pixels of the highest band of rows that is held; in wider scenes each window is read by itself."""
_BATCH_WINDOWS = 512
"""Most windows of a batch, however few of them are looked at: so that their progress is seen, and kept."""
_MARGIN_PX = 16
"""What stands out this far beyond the pixels that a window owns counts too: its ship may have its centre within."""


class Chips:
    """Chips of the windows of one scene. Holds one band of rows."""

    def __init__(self, reader: Reader, levels: Levels | None, prescreen: float | None, watch: Stopwatch) -> None:
        """Read from `reader` by these `levels`; `prescreen`: the least contrast of what is looked at, None: all is."""
        self._reader, self._prescreen, self._watch = reader, prescreen, watch
        self._stretch = Stretch(reader.info.dtype, reader.info.nodata, levels)
        self._band: NDArray[np.uint8] | None = None
        self._top = 0

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
                chip = self._chip(window, seams)
                shown += chip is not None
                batch.append((index, chip))
            windows += 1
            if shown == size or windows == max(size, _BATCH_WINDOWS):
                if batch:
                    yield batch
                batch, windows, shown = [], 0, 0
        if batch:
            yield batch

    def _chip(self, window: Window, seams: SeamGrid) -> Chip | None:
        """The 8-bit pixels of a window; None where none is valid and not black, or nothing stands out."""
        chip = self._pixels(window)
        if not chip.any():
            return None
        if self._prescreen is None or len(seams.grid) == 1:
            return chip
        with self._watch.part("prescreen"):
            return chip if stands_out(chip, seams.near(window, _MARGIN_PX), self._prescreen) else None

    def _pixels(self, window: Window) -> Chip:
        width = self._reader.info.width
        if window.width == width or window.height * width > _BAND_PX:
            return self._read(window)
        band = self._held(window.y, window.height)
        rows = slice(window.y - self._top, window.y - self._top + window.height)
        return np.ascontiguousarray(band[rows, window.x : window.x + window.width])

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
