"""detect_scene(): windows of a scene -> read -> predict -> merge. Memory does not grow with the scene."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import Boxes, shift
from refinedet.config import TileConfig
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.predictor import Chip, Predictor
from refinedet.radiometry import Levels, is_decibel, scene_levels, to_uint8, valid_mask
from refinedet.raster import Reader
from refinedet.scene.attributes import flags, places
from refinedet.scene.merge import Merged, merge_windows
from refinedet.scene.position import locate
from refinedet.scene.result import SceneResult
from refinedet.scene.scaling import scaled, unscaled
from refinedet.scene.shape import UNKNOWN, Shape, measure, surroundings, to_intensity
from refinedet.scene.source import SceneChoice, open_source
from refinedet.tiling import Window, windows

Progress = Callable[[int, int], None]
"""Called with (windows done, windows in all), first with 0 done."""

_LOGGER = logging.getLogger(__name__)
_FRAGMENT_SHARE = 0.5
"""Detections down to this share of the wanted score enter the merge: a weak fragment may complete a strong ship."""


def detect_scene(  # noqa: PLR0913 - settings of one call, by keyword
    path: str | Path,
    predictor: Predictor,
    *,
    choice: SceneChoice | None = None,
    tile: TileConfig | None = None,
    score_min: float = 0.5,
    batch_size: int = 8,
    progress: Progress | None = None,
) -> SceneResult:
    """Find ships in a local GeoTIFF, PNG, JPEG or Sentinel-1 GRD product of any size.

    Levels are measured once per scene, windows without data are skipped, and the result depends neither on `batch_size`
    nor on the order of windows. A scene whose long side is at most `tile.whole_factor` tiles is one window.

    Args:
        path: the scene.
        predictor: finds ships in chips; its radiometry says how the scene becomes 8 bits.
        choice: what of the scene is looked at, and how; `SceneChoice()` where None.
        tile: size and overlap of windows; `TileConfig()` where None.
        score_min: lowest score of a ship in the result, in [0, 1].
        batch_size: chips per call of the predictor.
        progress: told how many windows are done.

    Raises:
        FileError: the scene is missing, damaged, or not a picture of a supported format.
        InputError: its pixels are of an unsupported type or too many, or a setting is out of range.
    """
    if not 0 <= score_min <= 1 or batch_size < 1:
        raise InputError(
            f"expected a score within [0, 1] and a batch of at least 1, found {score_min} and {batch_size}"
        )
    choice = choice or SceneChoice()
    with open_source(path, choice) as reader:
        info, label = reader.info, reader.label
        preview = reader.sample()
        seen, factors = scaled(reader, choice, preview)
        grid = windows(seen.info.width, seen.info.height, tile or TileConfig())
        levels = _levels(seen, preview if seen is reader else seen.sample(), predictor, choice)
        run = _Run(predictor, batch_size, score_min * _FRAGMENT_SHARE, progress or _silent)
        run.detect(seen, grid, levels)
        found = _above(merge_windows(run.parts, grid), score_min)
        merged = unscaled(found, factors)
        shapes = _shapes(reader, merged.detections.boxes_xyxy, preview)
    position = locate(info)
    _LOGGER.info("%s: %d ships in %d windows, %d of them empty", path, len(merged.detections), len(grid), run.empty)
    return SceneResult(
        scene=Path(path).name,
        label=label,
        info=info,
        classes=predictor.classes,
        detections=merged.detections,
        places=places(merged.detections.boxes_xyxy, position, shapes),
        flags=flags(found, seen.info.width, seen.info.height),
        located=position is not None,
        levels=levels,
        preview=preview,
        windows=len(grid),
        windows_empty=run.empty,
        factors=factors,
    )


class _Run:
    """Detections of one scene so far. Chips are held for one batch only."""

    def __init__(self, predictor: Predictor, batch_size: int, score_min: float, progress: Progress) -> None:
        self.parts: list[tuple[Window, Detections]] = []
        self.empty = 0
        self._predictor, self._batch_size, self._score_min = predictor, batch_size, score_min
        self._progress = progress

    def detect(self, reader: Reader, grid: list[Window], levels: Levels | None) -> None:
        self._progress(0, len(grid))
        batch: list[tuple[Window, Chip]] = []
        for done, (window, chip) in enumerate(_chips(reader, grid, levels), start=1):
            if chip.any():
                batch.append((window, chip))
            else:
                self.empty += 1
            if len(batch) == self._batch_size or done == len(grid):
                self._predict(batch)
                batch = []
                self._progress(done, len(grid))

    def _predict(self, batch: list[tuple[Window, Chip]]) -> None:
        if not batch:
            return
        for (window, _), found in zip(batch, self._predictor.predict([chip for _, chip in batch]), strict=True):
            strong = found.above(self._score_min)
            if len(strong):
                boxes = shift(strong.boxes_xyxy, window.x, window.y)
                self.parts.append((window, Detections.of(boxes, strong.scores, strong.labels)))


def _levels(reader: Reader, sample: NDArray[Any], predictor: Predictor, choice: SceneChoice) -> Levels | None:
    return scene_levels(sample, reader.info.dtype, reader.info.nodata, predictor.radiometry, choice.stretch)


def _chips(reader: Reader, grid: list[Window], levels: Levels | None) -> Iterator[tuple[Window, Chip]]:
    """Windows and their 8-bit pixels; a chip without one valid pixel is all zeros."""
    for window in grid:
        pixels = reader.read(window)
        yield window, to_uint8(pixels, valid_mask(pixels, reader.info.nodata), levels)


def _shapes(reader: Reader, boxes_xyxy: Boxes, preview: NDArray[Any]) -> list[Shape]:
    """What the pixels say of each ship; read from the top of the scene to its bottom."""
    nodata = reader.info.nodata
    decibel = is_decibel(preview, valid_mask(preview, nodata))
    shapes = [UNKNOWN] * len(boxes_xyxy)
    for index in np.argsort(boxes_xyxy[:, 1], kind="stable").tolist():
        box = tuple(boxes_xyxy[index].tolist())
        window = surroundings(box, reader.info.width, reader.info.height)
        pixels = reader.read(window)
        place = (box[0] - window.x, box[1] - window.y, box[2] - window.x, box[3] - window.y)
        found = measure(to_intensity(pixels, decibel=decibel), valid_mask(pixels, nodata), place)
        shapes[index] = found.moved(window.x, window.y)
    return shapes


def _above(merged: Merged, score_min: float) -> Merged:
    strong = merged.detections.scores >= score_min
    return Merged(merged.detections.keep(strong), merged.joined[strong], merged.cut[strong])


def _silent(done: int, total: int) -> None:
    """The progress that nobody watches."""
