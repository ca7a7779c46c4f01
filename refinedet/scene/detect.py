"""detect_scene(): windows of a scene -> read -> predict -> merge. Memory does not grow with the scene.

One thread reads windows (windows/chips.py) while one predictor or several work on earlier ones. Several predictors have
devices of their own, or share one. A batch always holds the same windows, whichever finished first and whichever a
journal holds already. So an interruption does not change the last bits of a result.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from refinedet.boxes import shift
from refinedet.concurrency import map_unordered, prefetch, start_thread
from refinedet.config import PixelSizes, Radiometry, TileConfig
from refinedet.config.detect_options import FRAGMENT_SHARE, LandSettings, SceneSettings
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.geo.compass import ground_axes
from refinedet.geo.position import locate
from refinedet.predictors.predictor import Chip, PartPredictor, Predictor
from refinedet.radiometry import StretchLimits
from refinedet.raster import Reader
from refinedet.scene.identity import RunIdentity, run_identity, scene_sha256
from refinedet.scene.journal import FinishedWindows, Journal, OpenJournal, open_journal
from refinedet.scene.land.survey import Surroundings, survey
from refinedet.scene.metadata import read_metadata
from refinedet.scene.naming import scene_name
from refinedet.scene.notes import pixel_notes, position_notes
from refinedet.scene.result import SceneResult
from refinedet.scene.sea import sea_limits
from refinedet.scene.ships.describe import SceneAsRead, Ships, describe_ships
from refinedet.scene.source import open_source
from refinedet.scene.stream import Stream, WindowDetections, window_detections
from refinedet.scene.windows.chips import Batch, Chips
from refinedet.scene.windows.merge import Merged, merge_windows
from refinedet.scene.windows.overlap import shrink_overlap
from refinedet.scene.windows.pixel_size import SAME, has_pixel_size, resample_reader
from refinedet.scene.windows.seams import SeamGrid
from refinedet.stopwatch import Stopwatch
from refinedet.tiling import WINDOWS_TOGETHER, Window, windows

Progress = Callable[[int, int], None]
"""Function of (windows done, windows in all); its first call counts the windows that a journal holds."""

_LOGGER = logging.getLogger(__name__)
_READ_AHEAD = 2
"""Number of batches of chips that lie ready for each predictor."""


def detect_scene(  # noqa: PLR0913 - keyword arguments of one call
    path: str | Path,
    predictor: Predictor | Sequence[Predictor],
    *,
    scene: SceneSettings | None = None,
    land: LandSettings | None = None,
    tile: TileConfig | None = None,
    score_min: float = 0.5,
    prescreen: float | None = None,
    ship_m: float | None = None,
    known_gsd: PixelSizes | None = None,
    batch_size: int = WINDOWS_TOGETHER,
    progress: Progress | None = None,
    stream: Stream | None = None,
    journal: Journal | None = None,
) -> SceneResult:
    """Find ships in a GeoTIFF, PNG, JPEG or Sentinel-1 GRD product of any size.

    The result depends neither on `batch_size` nor on the order of windows. Windows without data are skipped. A scene
    whose long side is at most `tile.whole_factor` tiles is one window, handed whole to the predictor.

    Args:
        path: the scene.
        predictor: finds ships in chips. Several, equal but for their devices, share the work.
        scene: pixels that are looked at: polarisation, band, stretch, pixel size.
        land: treatment of land, and of places that are known to hold no ship.
        tile: size and overlap of windows.
        score_min: lowest score of a ship in the result, in [0, 1].
        prescreen: least contrast of a window that is looked at, in standard deviations (`prescreen.K`); None: any.
        ship_m: longest ship in metres: windows overlap by no more than its length; None: as `tile` says.
        known_gsd: pixel sizes that the predictor knows; a scene with others is resampled to the best of them.
        batch_size: windows per call of the predictor; it may split them further.
        progress: called with the number of windows done.
        stream: called with the detections of each window as soon as it is finished.
        journal: keeps finished windows, so that an interrupted run goes on.

    Raises:
        FileError: the scene, a side file or the journal is missing, damaged, or of an unsupported format.
        InputError: pixels are unsupported or too many, an argument is out of range, or the journal is of another run.
        MissingExtra: `land` asks for a coastline that is not installed.
    """
    predictors, first = _checked(predictor, score_min, batch_size, prescreen, ship_m)
    scene, land, tile, watch = scene or SceneSettings(), land or LandSettings(), tile or TileConfig(), Stopwatch()
    chosen: dict[str, Any] = {"scene": scene, "land": land, "tile": tile, "radiometry": first.radiometry}
    chosen |= {"score_min": score_min, "prescreen": prescreen, "ship_m": ship_m, "known_gsd": known_gsd}
    with open_source(path, scene) as reader:
        hashed = start_thread(partial(_identified, watch, path, journal.detector, chosen)) if journal else None
        annotation, acquired = read_metadata(path, scene, reader)  # and land: an error in either comes first
        with watch.part("land"):
            known = survey(locate(reader.info), reader.info.width, reader.info.height, land)
        run = _Run(reader, scene, tile, _Limits(score_min, prescreen, ship_m, known_gsd), watch)
        run.prepare(known, first.radiometry)
        with open_journal(journal, hashed.result) if journal and hashed else nullcontext() as log:
            run.detect(predictors, batch_size, log, progress or _silent, stream)
        with watch.part("merge"):
            merged = _above(merge_windows(run.parts, run.grid), score_min)
        with watch.part("describe"):
            ships = describe_ships(SceneAsRead(reader, run.seen, run.preview, run.factors), merged, known, annotation)
    _LOGGER.info("%s: %d ships in %d windows, %d skipped", path, len(ships.detections), len(run.grid), run.skipped)
    result = _result(scene_name(path), first.classes, run, ships, (*run.notes, *known.notes))
    return replace(result, acquired=acquired, identity=hashed.result() if hashed else None)


def _identified(watch: Stopwatch, path: str | Path, detector: Mapping[str, Any], chosen: dict[str, Any]) -> RunIdentity:
    with watch.part("hash"):
        return run_identity(scene_sha256(path, chosen["scene"].pol), detector=detector, **chosen)


def _result(scene: str, classes: tuple[str, ...], run: _Run, ships: Ships, notes: tuple[str, ...]) -> SceneResult:
    return SceneResult(
        scene=scene,
        label=run.reader.label,
        info=run.reader.info,
        classes=classes,
        detections=ships.detections,
        places=ships.places,
        flags=ships.flags,
        located=run.position is not None,
        stretch_limits=run.stretch_limits,
        preview=run.preview,
        windows=len(run.grid),
        windows_skipped=run.skipped,
        dropped=ships.dropped,
        notes=notes,
        read_as=run.reader.read_as,
        factors=run.factors,
        seconds=run.watch.seconds,
    )


def _checked(
    predictor: Predictor | Sequence[Predictor],
    score_min: float,
    batch_size: int,
    prescreen: float | None,
    ship_m: float | None,
) -> tuple[Sequence[Predictor], Predictor]:
    """Check the arguments; return all predictors and the first of them."""
    predictors = predictor if isinstance(predictor, Sequence) else [predictor]
    if not 0 <= score_min <= 1 or batch_size < 1:
        raise InputError(
            f"expected a score within [0, 1] and a batch of at least 1, found {score_min} and {batch_size}"
        )
    if prescreen is not None and not prescreen >= 0:
        raise InputError(f"expected a contrast of at least 0 for the prescreen, found {prescreen}")
    if ship_m is not None and not 0 < ship_m < math.inf:
        raise InputError(f"expected a longest ship above 0 m, found {ship_m}")
    if not predictors:
        raise InputError("expected at least one predictor, found none")
    if any((p.classes, p.radiometry) != (predictors[0].classes, predictors[0].radiometry) for p in predictors):
        raise InputError("expected predictors that differ in their device alone, found other classes or radiometry")
    return predictors, predictors[0]


@dataclass(frozen=True, slots=True)
class _Limits:
    """Arguments of `detect_scene` of those names."""

    score_min: float
    prescreen: float | None
    ship_m: float | None
    known_gsd: PixelSizes | None


class _Run:
    """Run on one scene, with its detections so far. Chips are held for a few batches only."""

    def __init__(
        self,
        reader: Reader,
        scene: SceneSettings,
        tile: TileConfig,
        limits: _Limits,
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
        asked = scene.gsd_m is not None or scene.scale is not None
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
        self._left_out: FinishedWindows = {}
        self._done = 0

    def prepare(self, known: Surroundings, radiometry: Radiometry) -> None:
        """Leave out windows on land whose detections would all be dropped, and measure the stretch on the water."""
        sure = known.all_land(self._seams.rects / (self.factors * 2))
        rows = self._seams.index
        self._left_out = dict.fromkeys(i for i, window in enumerate(self.grid) if sure[rows[window]])
        sample = self.preview if self.factors == SAME else self.seen.sample()
        limits = sea_limits(sample, self.reader, self.seen.info, known, radiometry, self._wanted_stretch)
        self.stretch_limits = limits
        self.notes += (limits.note,) if limits is not None and limits.note is not None else ()

    def detect(
        self,
        predictors: Sequence[Predictor],
        batch_size: int,
        log: OpenJournal | None,
        progress: Progress,
        stream: Stream | None,
    ) -> None:
        """Detect in all windows that the journal does not hold."""
        self._progress, self._stream = progress, stream
        finished = {**self._left_out, **(log.finished if log else {})}
        self._take(finished)
        score_min = self._score_min * FRAGMENT_SHARE
        workers = [partial(self._predict, predictor, score_min) for predictor in predictors]
        in_parts = all(isinstance(predictor, PartPredictor) for predictor in predictors)
        chips = Chips(self.seen, self.stretch_limits, self._prescreen, self.watch, parts=in_parts)
        batches = chips.batches(self._seams, batch_size, finished)
        with (
            closing(prefetch(batches, _READ_AHEAD * len(workers))) as ready,
            closing(map_unordered(ready, workers)) as results,
        ):
            for batch in results:
                if log:
                    log.append(batch)
                self._take(batch)

    def _predict(self, predictor: Predictor, score_min: float, batch: Batch) -> dict[int, Detections | None]:
        """Detections in each window of a batch, in pixels of `seen`; None for a window that was not looked at."""
        finished: dict[int, Detections | None] = dict.fromkeys(index for index, _ in batch)
        shown = [(index, chip) for index, chip in batch if chip is not None]
        with self.watch.part("predict"):
            predicted = self._predicted(predictor, [chip.pixels for _, chip in shown]) if shown else []
        for (index, chip), detections in zip(shown, predicted, strict=True):
            strong = detections.above(score_min)
            boxes = shift(strong.boxes_xyxy, chip.place.x, chip.place.y)
            finished[index] = Detections.of(boxes, strong.scores, strong.labels)
        return finished

    def _predicted(self, predictor: Predictor, chips: Sequence[Chip]) -> list[Detections]:
        """Detections in chips; a scene of one window fills the network's input if its pixels have no size."""
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
        return window_detections(window, detections, self._seams, self.position, self.factors)


def _above(merged: Merged, score_min: float) -> Merged:
    return merged.only(merged.detections.scores >= score_min)


def _silent(done: int, total: int) -> None:
    """Progress that is not shown."""
