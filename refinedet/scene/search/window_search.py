"""Search of all windows of a scene in one polarisation: read, predict. Memory use does not grow with the scene.

One thread reads windows (windows/chips.py) while one or several predictors work on earlier windows. Several predictors
have devices of their own, or share one. A batch always holds the same windows, independent of the order in which
windows finish and of those in a journal. So an interruption does not change the last bits of a result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

import numpy as np

from refinedet.config import PixelSizes, Radiometry, TileConfig
from refinedet.config.options.detect import FRAGMENT_SHARE, SceneSettings
from refinedet.detections import Detections
from refinedet.geo.compass import ground_axes
from refinedet.geo.position import locate
from refinedet.predictors.predictor import Chip, PartPredictor, Predictor
from refinedet.radiometry import StretchLimits, valid_mask
from refinedet.raster import Reader
from refinedet.scene.land.survey import Surroundings
from refinedet.scene.search.journal import FinishedWindows, JournalPart
from refinedet.scene.search.notes import ALL_MISSING, inland_notes, may_note_inland, pixel_notes, position_notes
from refinedet.scene.search.sea import note_on_dark_chip, sea_limits
from refinedet.scene.search.stream import Stream, WindowDetections, window_detections
from refinedet.scene.windows.chips import Batch, Chips
from refinedet.scene.windows.overlap import shrink_overlap
from refinedet.scene.windows.parts import joined
from refinedet.scene.windows.pixel_size import SAME, has_pixel_size, resample_reader
from refinedet.scene.windows.seams import Flags, Rects, SeamGrid
from refinedet.system.concurrency import map_unordered, prefetch
from refinedet.system.stopwatch import Stopwatch
from refinedet.tiling import Window, windows

Progress = Callable[[int, int], None]
"""Function of (finished windows, all windows); its first call counts the windows that a journal holds."""

_READ_AHEAD = 2
"""Number of batches of chips that are prepared in advance for each predictor."""


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """Arguments of `detect_scene` with the same names."""

    score_min: float
    prescreen: float | None
    ship_m: float | None
    known_gsd: PixelSizes | None


class WindowSearch:
    """Search of the windows of a scene, with its detections so far. Chips are held for a few batches only."""

    def __init__(
        self,
        reader: Reader,
        scene: SceneSettings,
        tile: TileConfig,
        limits: SearchLimits,
        watch: Stopwatch,
    ) -> None:
        self.reader, self.watch = reader, watch
        self._score_min, self._prescreen = limits.score_min, limits.prescreen
        with watch.part("read"):
            self.preview = reader.sample()
        self.seen, self.factors = resample_reader(reader, scene, self.preview, limits.known_gsd)
        self.position = locate(reader.info)
        axes = ground_axes(self.position, reader.info.width, reader.info.height)
        tile = shrink_overlap(tile, axes, self.factors, limits.ship_m)
        self.grid = windows(self.seen.info.width, self.seen.info.height, tile)
        asked = scene.gsd_m is not None or scene.scale is not None or reader.has_told_size
        self.notes: tuple[str, ...] = (
            *reader.notes,
            *position_notes(reader.info),
            *pixel_notes(reader.info, self.factors, limits.known_gsd, asked=asked),
        )
        own_scale = limits.known_gsd is not None and has_pixel_size(reader.info)
        self._whole_px = tile.tile_px if own_scale else None
        self.parts: list[tuple[Window, Detections]] = []
        self.skipped = 0
        self.stretch_limits: StretchLimits | None
        self._wanted_stretch = scene.stretch
        self._progress: Progress
        self._stream: Stream | None
        self._seams = SeamGrid(self.grid)
        self._journal: JournalPart | None = None
        self._finished: dict[int, Detections | None] = {}
        self._done = 0

    @property
    def kept(self) -> int:
        """Number of windows that need no work: on land, or finished by an earlier run."""
        return len(self._finished)

    @property
    def rects(self) -> Rects:
        """(W, 4) windows in pixels of the scene, top to bottom, left to right."""
        return np.asarray(self._seams.rects / (self.factors * 2))

    def prepare(self, inland: Flags, known: Surroundings, radiometry: Radiometry) -> None:
        """Skip windows whose detections would all be dropped as land, and measure the stretch on the water.

        Args:
            inland: (W,) true for windows of `rects` in which all detections are on land.
            known: surroundings of the scene.
            radiometry: conversion of pixels to the 8 bits of the network.
        """
        if known.settings.mask == "drop":
            rows = self._seams.index
            self._finished.update(dict.fromkeys(i for i, window in enumerate(self.grid) if inland[rows[window]]))
        else:
            self.notes += inland_notes(int(inland.sum()), len(self.grid))
        sample = self.preview if self.factors == SAME else self.seen.sample()
        limits = sea_limits(sample, self.reader, self.seen.info, known, radiometry, self._wanted_stretch)
        self.stretch_limits = limits
        dark = note_on_dark_chip(sample, self.seen.info, radiometry, self._wanted_stretch) if limits is None else None
        self.notes += tuple(filter(None, (dark if limits is None else limits.note,)))

    def resume(self, journal: JournalPart) -> None:
        """Continue with the windows of an earlier run, and add those of this run to the journal."""
        self._journal = journal
        self._finished.update(journal.finished)

    def detect(
        self, predictors: Sequence[Predictor], batch_size: int, progress: Progress, stream: Stream | None
    ) -> None:
        """Detect in all windows that are not finished."""
        self._progress, self._stream = progress, stream
        self._take(self._finished)
        score_min = self._score_min * FRAGMENT_SHARE
        workers = [partial(self._predict, predictor, score_min) for predictor in predictors]
        in_parts = all(isinstance(predictor, PartPredictor) for predictor in predictors)
        chips = Chips(self.seen, self.stretch_limits, self._prescreen, self.watch, parts=in_parts)
        batches = chips.batches(self._seams, batch_size, self._finished)
        with (
            closing(prefetch(batches, _READ_AHEAD * len(workers))) as ready,
            closing(map_unordered(ready, workers)) as results,
        ):
            for batch in results:
                if self._journal:
                    self._journal.append(batch)
                self._take(batch)
        if self.skipped == len(self.grid) and not valid_mask(self.preview, self.reader.info.nodata).any():
            self.notes += (ALL_MISSING,)

    def _predict(self, predictor: Predictor, score_min: float, batch: Batch) -> dict[int, Detections | None]:
        """Detections in each window of a batch, in pixels of `seen`; None for a window that was skipped."""
        chips = [chip.pixels for _, shown in batch for chip in shown]
        with self.watch.part("predict"):
            predicted = self._predicted(predictor, chips) if chips else []
        strong = iter([one.above(score_min) for _, one in zip(chips, predicted, strict=True)])
        found = [([chip.part for chip in shown], list(islice(strong, len(shown)))) for _, shown in batch]
        return {index: joined(*one) if one[0] else None for (index, _), one in zip(batch, found, strict=True)}

    def _predicted(self, predictor: Predictor, chips: Sequence[Chip]) -> list[Detections]:
        """Detections in chips; a scene of one window without a pixel size fills the network's input."""
        whole_px = self._whole_px if len(self.grid) == 1 else max(self.grid[0].height, self.grid[0].width)
        if whole_px is None or not isinstance(predictor, PartPredictor):
            return predictor.predict(chips)
        return predictor.predict_parts(chips, whole_px)

    def _take(self, finished: FinishedWindows) -> None:
        for index, detections in sorted(finished.items()):
            window = self.grid[index]
            if detections is None:
                self.skipped += 1
                continue
            if len(detections):
                self.parts.append((window, detections))
            if self._stream:
                self._stream(self._window_detections(window, detections.above(self._score_min)))
        self._done += len(finished)
        self._progress(self._done, len(self.grid))

    def _window_detections(self, window: Window, detections: Detections) -> WindowDetections:
        found = window_detections(window, detections, self._seams, self.position, self.factors)
        return replace(found, label=self.reader.label)


def prepare_all(searches: Sequence[WindowSearch], known: Surroundings, radiometry: Radiometry) -> None:
    """Prepare all searches of a scene; windows on land are found once for searches of one grid, and only if needed."""
    inland: dict[bytes, Flags] = {}
    for search in searches:
        rects = search.rects
        grid = rects.tobytes()
        if grid not in inland:
            needed = known.settings.mask == "drop" or may_note_inland(len(rects))
            inland[grid] = known.inland(rects) if needed else np.zeros(len(rects), np.bool_)
        search.prepare(inland[grid], known, radiometry)
