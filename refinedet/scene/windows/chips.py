"""Chips of a scene in 8 bits, batch by batch: rows are read and stretched once, and calm windows are skipped.

If a window has high contrast only in small parts, the network processes only these parts: at 3/8 of the height and
width, a part takes a sixth of the time.

The thread that iterates reads the scene, while another thread runs the network.
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
from refinedet.scene.windows.parts import Part, parts_around
from refinedet.scene.windows.prescreen import Flags, high_contrast
from refinedet.scene.windows.seams import SeamGrid
from refinedet.stretch.stretching import Stretch
from refinedet.system.stopwatch import Stopwatch
from refinedet.tiling import Window, moved


class ShownChip(NamedTuple):
    """Chip of one window for the network."""

    part: Part
    """The window, or a part of it, in pixels of the scene."""
    pixels: NDArray[np.uint8]
    """(H, W) or (H, W, 3), 8 bits."""


Batch = list[tuple[int, list[ShownChip]]]
"""Numbers of windows in the grid, each with its chips; a skipped window has no chips."""

_BAND_PX = 1 << 26
"""Largest number of pixels of a held band of rows; in wider scenes, each window is read separately."""
_BATCH_WINDOWS = 512
"""Largest number of windows of a batch, even if most are skipped, so that progress is reported and kept."""
_MARGIN_PX = 16
"""Margin around the owned area of a window in which high contrast counts: the centre of the ship may be inside."""


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
            prescreen: least contrast of a window to be searched, in standard deviations; None: search all windows.
            watch: counts the time of each part of the work.
            parts: pass only the parts of a window with high contrast to the network.
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
        """Yield the unfinished windows, in batches of `size` windows that are not skipped.

        Finished windows do not change which windows share a batch, because it is known which of them were skipped.
        """
        batch: Batch = []
        windows = shown = 0
        for index, window in enumerate(seams.grid):
            if index in finished:
                shown += finished[index] is not None
            else:
                chips = self._show(window, seams)
                shown += bool(chips)
                batch.append((index, chips))
            windows += 1
            if shown == size or windows == max(size, _BATCH_WINDOWS):
                if batch:
                    yield batch
                batch, windows, shown = [], 0, 0
        if batch:
            yield batch

    def _show(self, window: Window, seams: SeamGrid) -> list[ShownChip]:
        """Chips of a window or of its parts with more than invalid or black pixels; empty without high contrast."""
        rows, pixels = self._rows(window)
        own = moved(window, -rows.y, -rows.x)
        parts = [Part(own, own)]
        if self._prescreen is not None and len(seams.grid) > 1:
            with self._watch.part("prescreen"):
                near = moved(seams.near(window, _MARGIN_PX), own.y, own.x)
                found = parts_around(own, self._high_contrast(rows, pixels, self._prescreen), near)
            parts = found if self._parts else parts[: len(found)]
        chips = [self._chip(rows, pixels, part) for part in parts]
        return [chip for chip in chips if chip.pixels.max() > self._darkest]

    @staticmethod
    def _chip(rows: Window, pixels: NDArray[np.uint8], part: Part) -> ShownChip:
        place = part.place
        chip = np.ascontiguousarray(pixels[place.y : place.y + place.height, place.x : place.x + place.width])
        return ShownChip(Part(*(moved(one, rows.y, rows.x) for one in part)), chip)

    def _high_contrast(self, rows: Window, pixels: NDArray[np.uint8], k: float) -> Flags:
        """High contrast in these rows, computed once for all windows that share the rows."""
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
        self._band = None  # free the memory of the old rows
        fresh = self._read(Window(first, 0, end - first, self._reader.info.width))
        self._band, self._top = np.concatenate([*kept, fresh]), top
        return self._band

    def _read(self, window: Window) -> NDArray[np.uint8]:
        with self._watch.part("read"):
            pixels = self._reader.read(window)
        with self._watch.part("stretch"):
            return self._stretch(pixels, window)
