"""Reader of labels over scenes: makes images of blocks and their truth, in splits by place, and a summary."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.reading import Reading
from pipeline.datasets.scene_labels.blocks import (
    Block,
    BlockWriter,
    SeenScene,
    View,
    cut_blocks,
    look_at,
    split_blocks,
)
from pipeline.datasets.scene_labels.choices import LabelChoices
from pipeline.datasets.scene_labels.labels import Labels, read_labels
from pipeline.datasets.scene_labels.places import place_labels
from pipeline.datasets.scene_labels.summary import Summary
from pipeline.datasets.splits import Image, pixel_digest
from pipeline.stage import SPLITS
from refinedet.config import PixelSizes
from refinedet.data.truth import Changes
from refinedet.files import atomic_folder, write_json
from refinedet.raster import open_scene
from refinedet.scene.source import open_source

_LOG = logging.getLogger(__name__)
_EMPTY_PER_LABEL = 2
"""Approximate number of empty training chips that are kept per label."""
_LEAST_EMPTY = 0.1


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """Images of labelled scenes, and values for cutting them into chips."""

    reading: Reading
    gsd_m: PixelSizes | None
    """Pixel sizes at which the scenes are read; None if a scene has none."""
    keep_empty: float
    """Share of empty training chips to keep."""


def read_labelled_scenes(
    path: Path, choices: LabelChoices, view: View, fractions: tuple[float, float], out: Path
) -> LabelledImages:
    """Place labels in scenes, write the scenes as 8-bit images of blocks to folder `out`, and return a summary.

    Args:
        path: labels.
        choices: scenes, and settings that replace guesses.
        view: reading of the scenes.
        fractions: shares of validation and test.
        out: folder of the images and of `summary.json`.

    Raises:
        FileError, InputError, MissingExtra: a file cannot be used, or labels and scenes do not fit together.
    """
    labels = read_labels(path, choices.scenes, choices.labels)
    infos = []
    for one in choices.scenes:
        with open_source(one, choices.settings) as reader:
            infos.append((one, reader.info))
    placed, notes = place_labels(labels, infos, choices.labels.point_m)
    names = _names(choices.scenes)
    scenes = [look_at(scene, name, view) for scene, name in zip(placed, names, strict=True)]
    blocks, side = cut_blocks(scenes, view.windows)
    splits = split_blocks(blocks, *fractions)
    classes = tuple(sorted({label.name for label in labels.found}))
    numbers = np.array([classes.index(label.name) for label in labels.found], np.int64)
    ignored = _ignored(labels, blocks, splits)
    found: dict[str, list[Image]] = {split: [] for split in SPLITS}
    lost: set[int] = set()
    with ExitStack() as stack:
        staged = stack.enter_context(atomic_folder(out))
        for number, scene in enumerate(scenes):
            writer = BlockWriter(scene, side, view, staged)
            of = {id(block): split for block, split in zip(blocks, splits, strict=True)}
            asked = [(block, ignored[of[id(block)]]) for block in blocks if block.scene == number]
            for block, annotated in writer.write(asked, numbers):
                found[of[id(block)]].append(Image(annotated, _digest(staged / annotated.file_name)))
            lost |= writer.on_nodata
        told = Summary(labels, scenes, placed_notes=notes, on_nodata=len(lost), point_m=choices.labels.point_m)
        sentences, warnings = told.sentences(), told.warnings()
        write_json(staged / "summary.json", {"notes": sentences, "warnings": warnings})
    for sentence in sentences:
        _LOG.info("%s", sentence)
    for sentence in warnings:
        _LOG.warning("%s", sentence)
    _LOG.info("%s", _split_sentence(found, side))
    reading = Reading(found, {"file": Changes()}, classes)
    windows = sum(
        -(-scene.width // view.windows.tile_px) * -(-scene.height // view.windows.tile_px) for scene in scenes
    )
    keep = min(1.0, max(_LEAST_EMPTY, _EMPTY_PER_LABEL * len(labels.found) / windows))
    return LabelledImages(reading, _pixel_sizes(scenes), round(keep, 3))


def _names(paths: Sequence[Path]) -> list[str]:
    """Names of scenes for their images; equal names are numbered."""
    stems = [path.name.split(".", 1)[0] or "scene" for path in paths]
    return [stem if stems.count(stem) == 1 else f"{stem}_{i}" for i, stem in enumerate(stems, start=1)]


def _ignored(labels: Labels, blocks: Sequence[Block], splits: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """Split -> (N,) true for labels that are neither ship nor background there: uncertain, or of another split.

    A label at the border of two blocks, or in two scenes of one place, is a ship in one split only: that of its own
    block, or of several the one that is farthest from training.
    """
    home = np.zeros(len(labels.found), np.int64)
    for block, split in zip(blocks, splits, strict=True):
        rows = list(block.homes)
        home[rows] = np.maximum(home[rows], SPLITS.index(split))
    doubted = np.array([not label.sure for label in labels.found], bool)
    return {split: doubted | (home != number) for number, split in enumerate(SPLITS)}


def _digest(path: Path) -> str:
    with open_scene(path) as scene:
        return pixel_digest(scene.read_whole())


def _pixel_sizes(scenes: Sequence[SeenScene]) -> PixelSizes | None:
    sizes = [size for scene in scenes for size in scene.gsd_m or (np.nan, np.nan)]
    if not np.isfinite(sizes).all():
        return None
    low, high = round(min(sizes), 2), round(max(sizes), 2)
    return PixelSizes(low, high, min(high, max(low, round(float(np.median(sizes)), 2))))


def _split_sentence(found: dict[str, list[Image]], side: int) -> str:
    parts = [
        f"{split} {sum(int((~image.annotated.ignored).sum()) for image in images)} ships in {len(images)}"
        for split, images in found.items()
    ]
    return (
        f"split by place, in squares of {side} pixels: {', '.join(parts)}; areas without labels count as "
        "areas without ships"
    )
