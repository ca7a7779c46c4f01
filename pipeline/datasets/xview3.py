"""Conversion of the labels of xView3-SAR (CSV of points and boxes) to COCO JSON in annotations/, scenes in scenes/.

A vessel with a box and at least medium confidence is truth. A vessel of low confidence or without a box is a region to
ignore, and so is an object that may or may not be a vessel. In such a region, neither a detection nor a miss counts.
Objects that are no vessels are left out.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from hashlib import sha256
from pathlib import Path

from pipeline.datasets.by_hand import copy_file
from pipeline.datasets.splits import Image, cut_off
from pipeline.stage import SPLITS
from refinedet.data.coco import Annotated, build_record, write_record
from refinedet.data.truth import Changes, ImageTruth
from refinedet.data.xview3 import SIDES, Label, read_labels
from refinedet.downloads.disk import need_room
from refinedet.errors import InputError
from refinedet.raster import open_scene

_LOG = logging.getLogger(__name__)
_LABELS, _RASTER = "validation.csv", "VV_dB.tif"
_TEST, _VAL = 0.2, 0.1


def prepare_xview3(place: Path, out: Path) -> None:
    """Copy the scenes in folder `place` and their labels to the existing folder `out`.

    Raises:
        FileError: the labels or all scenes are missing, or the disk is too small.
        InputError: the labels lack a column or a number, or there are too few scenes.
    """
    labels = _by_scene(place / _LABELS)
    scenes = {name: place / name / _RASTER for name in sorted(labels) if (place / name / _RASTER).is_file()}
    if len(scenes) < len(SPLITS):
        raise InputError(
            f"expected <scene id>/{_RASTER} in {place} for at least {len(SPLITS)} of the {len(labels)} scenes of "
            f"{_LABELS}, found {len(scenes)}; unpack more scenes there"
        )
    if len(scenes) < len(labels):
        _LOG.warning("%d of the %d scenes of %s are there: the others are left out", len(scenes), len(labels), _LABELS)
    need_room(out, sum(path.stat().st_size for path in scenes.values()), f"a copy of {place.name}")
    changes = Changes()
    images = [Image(_scene(name, path, labels[name], changes), _digest(name)) for name, path in scenes.items()]
    rest, test = cut_off(images, _TEST, "test", leave=2)
    train, val = cut_off(rest, _VAL / (1 - _TEST), "val", leave=1)
    for split, part in zip(SPLITS, (train, val, test), strict=True):
        record = build_record([image.annotated for image in part], ("ship",))
        write_record(out / "annotations" / f"{split}.json", record)
        _LOG.info("%s: %d scenes, %d boxes", split, len(part), record.box_count)
    if changes.dropped or changes.clipped:
        _LOG.warning("%s: %s", _LABELS, changes.to_dict())
    for name, path in scenes.items():
        copy_file(path, out / "scenes" / f"{name}.tif")


def _digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def _by_scene(path: Path) -> dict[str, list[Label]]:
    """Labels of the label file by scene."""
    found: dict[str, list[Label]] = defaultdict(list)
    for label in read_labels(path, SIDES):
        found[label.scene].append(label)
    return dict(found)


def _scene(name: str, path: Path, labels: list[Label], changes: Changes) -> Annotated:
    with open_scene(path) as scene:
        width, height = scene.info.width, scene.info.height
    truth = ImageTruth(width, height, changes)
    for label in labels:
        if label.is_vessel is False:
            changes.drop("no vessel")
        else:
            truth.add(label.box or label.around, 0, ignored=not label.sure or label.box is None)
    return Annotated(f"{name}.tif", width, height, *truth.arrays())
