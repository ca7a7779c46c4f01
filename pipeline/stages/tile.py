"""Stage tile: 8-bit chips and their truth, with the same windows, values and stretch as in detection.

File names in the records are relative to outputs/tile; `extra` holds the scene of a chip (its file name in
outputs/download) and its window there. All chips of a scene are in one split. Many chips are packed into shards, and
are read from them by the same names.
"""

from __future__ import annotations

import io
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.datasets.catalogue import pixel_sizes
from pipeline.datasets.image_values import ValueReport, open_image
from pipeline.datasets.labels.placement import note_on_placement
from pipeline.datasets.splits import stable_draw
from pipeline.params import TileParams, load_params
from pipeline.stage import OUTPUTS, REAL, SPLITS, TRAINED_ON, counts_text, run_stage
from refinedet.boxes import Boxes
from refinedet.config import PixelSizes, Radiometry, TileConfig, TrainedOn
from refinedet.data.coco import (
    BESIDE,
    SIMULATED,
    Annotated,
    ImageRecord,
    Record,
    build_record,
    read_record,
    write_record,
)
from refinedet.data.shards import ShardWriter
from refinedet.errors import InputError
from refinedet.files import atomic_folder, write_json
from refinedet.radiometry import valid_mask
from refinedet.raster import SceneReader
from refinedet.stretch.stretch_limits import scene_limits
from refinedet.stretch.stretching import Stretch
from refinedet.tiling import Window, boxes_in_window, windows

_LOG = logging.getLogger(__name__)
_PNG_LEVEL = 3
"""Compression level: half the time of the default 6, for 8 % larger files, because speckle hardly compresses."""


@dataclass(frozen=True, slots=True)
class _Scene:
    """One image of a converted record with its truth."""

    image: ImageRecord
    truth: Record
    stem: str
    """Beginning of the names of its chips."""


def tile(
    params: TileParams,
    radiometry: Radiometry,
    source: Path,
    records: Path,
    out: Path,
    gsd_m: PixelSizes | None = None,
) -> ValueReport:
    """Cut the images of the records in folder `records` (files under `source`) into chips in folder `out`.

    `gsd_m` and the windows are written beside the chips, for the header of the checkpoint.

    Returns:
        How the values of the images were read, for `ValueReport.tell`.

    Raises:
        FileError: an image is missing or damaged.
        InputError: a record is invalid, two images would give chips with one name, or the values of an image cannot be
            those that `params` state or detection takes.
    """
    summary: dict[str, Any] = {}
    built: dict[str, Record] = {}
    report = ValueReport()
    converted = {split: read_record(records / f"{split}.json") for split in SPLITS}
    packed = _window_count(converted.values(), params.windows) > params.shards_beyond
    with atomic_folder(out) as staged:
        for split, record in converted.items():
            keep_empty = params.keep_empty if split == "train" else 1.0
            counts: Counter[str] = Counter()
            chips: list[Annotated] = []
            stems = _stems(record)
            with _Writer(staged, split, packed=packed) as writer:
                for image in record.images:
                    cut = _Cutter(params, radiometry, keep_empty, counts)
                    with open_image(source / image.file_name, params.pixels) as reader:
                        report.add(image.file_name, reader)
                        for chip, pixels in cut.chips(reader, _Scene(image, record, stems[image.file_name]), split):
                            writer.write(chip.file_name, pixels)
                            chips.append(chip)
            built[split] = build_record(chips, record.classes)
            write_record(staged / f"{split}.json", built[split])
            counts["chips"], counts["scenes"] = len(chips), len(record.images)
            summary[split] = dict(sorted(counts.items()))
            _LOG.info("%s: %s", split, counts_text(summary[split]))
        write_json(staged / "summary.json", summary | {"values": report.counts})
        write_json(staged / TRAINED_ON, TrainedOn(params.windows, gsd_m).to_dict())
    _tell_misplaced(built["train"], out)
    return report


def _tell_misplaced(train: Record, folder: Path) -> None:
    """Warn if the boxes of the training chips lie on nothing bright; scenes made for training are not judged."""
    labelled = train.select(image.id for image in train.images if BESIDE not in image.extra)
    if (note := note_on_placement(labelled, folder)) is not None:
        _LOG.warning(note)


def _window_count(records: Iterable[Record], config: TileConfig) -> int:
    """Number of windows of all images: an upper limit on chips, known before the first one is cut."""
    return sum(len(windows(image.width, image.height, config)) for record in records for image in record.images)


class _Writer:
    """Writer of the chips of a split as PNG: one file each below folder `root`, or packed in shards."""

    def __init__(self, root: Path, split: str, *, packed: bool) -> None:
        self._root, self._names, self._open = root, set[str](), ExitStack()
        (root / split).mkdir()
        self._shards = self._open.enter_context(ShardWriter(root, split)) if packed else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def write(self, name: str, pixels: NDArray[np.uint8]) -> None:
        """Write one chip.

        Raises:
            InputError: a chip of this name exists.
        """
        if name in self._names:
            raise InputError(f"expected images whose names differ, found two that give {name}")
        self._names.add(name)
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, format="PNG", compress_level=_PNG_LEVEL)
        if self._shards is None:
            (self._root / name).write_bytes(stream.getvalue())
        else:
            self._shards.write(name, stream.getvalue())


@dataclass(frozen=True, slots=True)
class _Cutter:
    """Cutter of scenes into chips, with counts of chips and boxes."""

    params: TileParams
    radiometry: Radiometry
    keep_empty: float
    counts: Counter[str]

    def chips(self, reader: SceneReader, scene: _Scene, split: str) -> Iterator[tuple[Annotated, NDArray[np.uint8]]]:
        """Kept chips of one scene, in the order of its windows."""
        info = reader.info
        eight_bit = info.dtype == "uint8"  # never stretched, so it needs no sample (which would read the whole scene)
        limits = None if eight_bit else scene_limits(reader.sample(), info.dtype, info.nodata, self.radiometry)
        stretch = Stretch(info, limits)
        places = windows(info.width, info.height, self.params.windows)
        for window in places:
            chip = self._annotated(scene, window, _chip_name(scene.stem, window, split, whole=len(places) == 1))
            if not self._is_wanted(chip):
                self.counts["empty_left_out"] += 1
                continue
            pixels = reader.read(window)
            if not valid_mask(pixels, info.nodata).any():
                self.counts["nodata_skipped"] += 1
                continue
            self._count(chip)
            yield chip, _plain(stretch(pixels, window))

    def _annotated(self, scene: _Scene, window: Window, name: str) -> Annotated:
        image_id = scene.image.id
        boxes, cut, index = boxes_in_window(scene.truth.boxes[image_id], window, self.params.windows.min_visible)
        ignored, labels = cut | scene.truth.ignored[image_id][index], scene.truth.labels[image_id][index]
        keep = _distinct(boxes, labels, ignored)
        name_of_scene = scene.image.file_name
        extra: dict[str, Any] = {"scene": name_of_scene, "window": [window.x, window.y, window.width, window.height]}
        folder = name_of_scene.partition("/")[0]
        if folder in {SIMULATED, REAL}:
            extra[BESIDE] = folder
        return Annotated(name, window.width, window.height, boxes[keep], labels[keep], ignored[keep], extra)

    def _is_wanted(self, chip: Annotated) -> bool:
        """True if a chip is kept: all chips with a ship, and of the others the share `keep_empty`, by a stable hash."""
        if not chip.ignored.all():
            return True
        return stable_draw(f"{chip.extra['scene']} {chip.extra['window']}") < self.keep_empty

    def _count(self, chip: Annotated) -> None:
        self.counts["boxes"] += int((~chip.ignored).sum())
        self.counts["ignored"] += int(chip.ignored.sum())
        self.counts["empty_kept"] += int(chip.ignored.all())


def _stems(record: Record) -> dict[str, str]:
    """File name -> its stem, or its whole path if images in different folders share a stem."""
    stems = {image.file_name: PurePosixPath(image.file_name).stem for image in record.images}
    shared = Counter(stems.values())
    return {name: stem if shared[stem] == 1 else name.replace("/", "_") for name, stem in stems.items()}


def _chip_name(stem: str, window: Window, split: str, *, whole: bool) -> str:
    return f"{split}/{stem}.png" if whole else f"{split}/{stem}_y{window.y:05d}_x{window.x:05d}.png"


def _distinct(boxes: Boxes, labels: NDArray[np.int64], ignored: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Indices of distinct boxes, ascending; of equal ones, one that is not ignored is kept."""
    order = np.argsort(ignored, kind="stable")
    first = np.unique(np.column_stack([boxes, labels])[order], axis=0, return_index=True)[1]
    return np.sort(order[first])


def _plain(chip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Chip with one channel if all three are equal, as in SAR chips stored as RGB."""
    if chip.ndim == 3 and (chip == chip[..., :1]).all():
        return np.ascontiguousarray(chip[..., 0])
    return chip


def main() -> None:
    """Run the stage in the current folder."""
    params = load_params()
    gsd_m = pixel_sizes(params.dataset, simulates=params.scenes is not None)
    places = OUTPUTS / "download", OUTPUTS / "convert", OUTPUTS / "tile"
    tile(params.tile, params.radiometry, *places, gsd_m).tell(_LOG)


if __name__ == "__main__":
    run_stage(main)
