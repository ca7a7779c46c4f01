"""Stage convert: every data set becomes the canonical record, in train, val and test.

File names in the records are relative to outputs/download. Images are told apart by their decoded pixels, not by name:
copies are reported, and a validation split never holds a copy of an image that is elsewhere.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.catalogue import CATALOGUE, CocoSplit, Source, VocSplit
from pipeline.params import load_params
from pipeline.splits import Image, cut_off, cut_validation, duplicate_groups, keep_some, pixel_digest
from pipeline.stage import OUTPUTS, SIMULATED, SPLITS, run_stage
from pipeline.voc_xml import read_annotation, read_image_set
from refinedet.boxes import clip, shift
from refinedet.data.coco import Annotated, Changes, ImageTruth, Record, build_record, import_coco, write_record
from refinedet.errors import FileError, InputError
from refinedet.files import atomic_folder, read_json, write_json
from refinedet.raster import open_scene
from refinedet.tiling import Window

_LOG = logging.getLogger(__name__)
SHIP_CLASSES = ("ship",)

_DRAWN_PX = 0.4
"""People draw around what shines, the simulator around the hull: the mean distance of the two on SSDD, each side.

Measured by benchmarks/label_offset.py, log in docs/runs/label_offset.txt: a network that learns from both puts its
boxes between them.
"""
_OUTWARD = np.array([-1, -1, 1, 1], np.float32)


@dataclass(frozen=True, slots=True)
class Converted:
    """A data set in canonical form."""

    splits: Mapping[str, list[Image]]
    changes: Mapping[str, Changes]
    """Split as published -> what reading it changed."""
    classes: tuple[str, ...]
    subsets: Mapping[str, list[str]]
    """Name of a part of the test split -> file names, as in the record."""


def convert(dataset: str, val_fraction: float, source: Path, out: Path, *, train_images: int | None = None) -> None:
    """Write the records of the data set in folder `source` to folder `out`, with a summary.

    Simulated scenes, in folders train, val and test of `SIMULATED`, are added to a data set of the catalogue, or are
    all there is. With `train_images`, only that many training images are kept, chosen by a stable hash.

    Raises:
        FileError: an image or annotation file is missing or damaged.
        InputError: an annotation file is not what it should be.
    """
    published = CATALOGUE.get(dataset)
    converted = _published(published, source, val_fraction) if published else None
    if (source / SIMULATED).is_dir():
        converted = _joined(converted, _simulated(source, SIMULATED))
    if converted is None:
        raise FileError(f"expected {dataset!r} or simulated scenes in {source}, found neither; run `dvc repro` again")
    splits = {**converted.splits, "train": keep_some(converted.splits["train"], train_images)}
    _write(dataset, replace(converted, splits=splits), out)


def convert_coco_file(annotations: Path, images: Path, out: Path, *, val_fraction: float, test_fraction: float) -> None:
    """Write the records of one COCO file, whose file names lie in folder `images`, to folder `out`.

    Validation and test images are cut off by the digests of their pixels, both as shares of all images; each split gets
    at least one.

    Raises:
        FileError: an image or the annotation file is missing or damaged.
        InputError: the file is not COCO, or has fewer than three different images.
    """
    listed, changes, classes = _read_coco_split(images, CocoSplit(str(annotations.resolve()), "."))
    if changes.dropped:
        _LOG.warning("%s: left out %s", annotations, dict(changes.dropped))
    if all(image.annotated.ignored.all() for image in listed):  # true of an image without boxes as well
        raise InputError(
            f"expected boxes in {annotations}, found none that can be used (left out: {dict(changes.dropped)}); "
            "do the ids of images and categories match?"
        )
    if len({image.digest for image in listed}) < len(SPLITS):
        raise InputError(
            f"expected at least {len(SPLITS)} different images in {annotations}, one each to train, validate and test "
            f"on, found {len({image.digest for image in listed})}"
        )
    rest, test = cut_off(listed, test_fraction, "test", leave=2)
    train, val = cut_off(rest, val_fraction / (1 - test_fraction), "val", leave=1)
    splits = {"train": train, "val": val, "test": test}
    _write(annotations.name, Converted(splits, {"file": changes}, classes, {}), out)


def _write(dataset: str, converted: Converted, out: Path) -> None:
    splits = converted.splits
    groups = duplicate_groups(splits)
    across = [group for group in groups if len({split for split, _ in group}) > 1]
    leaked = sorted({name for group in across for split, name in group if split == "test"})
    subsets = dict(converted.subsets) | ({"leaked": leaked} if converted.subsets or leaked else {})
    with atomic_folder(out) as staged:
        records = {name: _record(splits[name], converted.classes) for name in SPLITS}
        for name, record in records.items():
            write_record(staged / f"{name}.json", record)
        if subsets:
            write_json(staged / "subsets.json", subsets)
        summary = {
            "dataset": dataset,
            "classes": list(converted.classes),
            "splits": {name: _counts(record) for name, record in records.items()},
            "changes": {name: changes.to_dict() for name, changes in converted.changes.items()},
            "duplicates": {
                "within": [[name for _, name in group] for group in groups if group not in across],
                "across": [[f"{split}: {name}" for split, name in group] for group in across],
            },
            "subsets": {name: len(names) for name, names in subsets.items()},
        }
        write_json(staged / "summary.json", summary)
    _LOG.info("%s: %s; %d test images are also in training", dataset, summary["splits"], len(leaked))


def _published(source: Source, folder: Path, val_fraction: float) -> Converted:
    splits: dict[str, list[Image]] = {}
    changes: dict[str, Changes] = {}
    classes: set[tuple[str, ...]] = set()
    for name, split in source.splits.items():
        if isinstance(split, CocoSplit) and split.optional and not (folder / split.annotations).exists():
            continue
        splits[name], changes[name], found = _read_split(folder, split)
        classes.add(found)
    if len(classes) > 1:
        raise InputError(f"expected the same classes in every split under {folder}, found {sorted(classes)}")
    if "val" not in splits:
        splits["train"], splits["val"] = cut_validation(splits["train"], splits["test"], val_fraction)
    subsets = _subsets(source, folder, splits["test"])
    return Converted({name: splits[name] for name in SPLITS}, changes, classes.pop(), subsets)


def _read_split(folder: Path, split: CocoSplit | VocSplit) -> tuple[list[Image], Changes, tuple[str, ...]]:
    return _read_voc_split(folder, split) if isinstance(split, VocSplit) else _read_coco_split(folder, split)


def _read_coco_split(folder: Path, split: CocoSplit) -> tuple[list[Image], Changes, tuple[str, ...]]:
    record, changes = import_coco(folder / split.annotations)
    images: list[Image] = []
    for entry in record.images:
        name = (PurePosixPath(split.images) / entry.file_name).as_posix()
        boxes = clip(shift(record.boxes[entry.id], split.corners_at, split.corners_at), entry.width, entry.height)
        truth = (boxes, record.labels[entry.id], record.ignored[entry.id])
        annotated = Annotated(name, entry.width, entry.height, *truth)
        images.append(_with_digest(folder, annotated, split.annotations))
    return images, changes, record.classes


def _read_voc_split(folder: Path, split: VocSplit) -> tuple[list[Image], Changes, tuple[str, ...]]:
    changes = Changes()
    labels = {name: label for label, name in enumerate(split.classes)}
    images: list[Image] = []
    for image_set in split.image_sets:
        root = PurePosixPath(image_set).parents[2]  # of <root>/ImageSets/Main/<list>.txt
        for image_id in read_image_set(folder / image_set):
            told_by = (root / split.annotations / f"{image_id}.xml").as_posix()
            said = read_annotation(folder / told_by)
            truth = ImageTruth(said.width, said.height, changes)
            for entry in said.objects:
                if entry.name in labels:
                    truth.add(entry.corners_xyxy, labels[entry.name], ignored=entry.difficult)
                else:
                    changes.dropped["unknown category"] += 1
            if said.malformed:
                changes.dropped["malformed"] += said.malformed
            name = (root / split.images / f"{image_id}.jpg").as_posix()
            images.append(_with_digest(folder, Annotated(name, said.width, said.height, *truth.arrays()), told_by))
    return images, changes, split.classes


def _with_digest(folder: Path, annotated: Annotated, told_by: str) -> Image:
    """Decode the image and check its size, which the annotation file `told_by` tells."""
    path = folder / annotated.file_name
    pixels = _pixels(path)
    if pixels.shape[:2] != (annotated.height, annotated.width):
        raise InputError(
            f"expected {path} to be {annotated.width} x {annotated.height} pixels as {told_by} says, "
            f"found {pixels.shape[1]} x {pixels.shape[0]}; fetch the data set again"
        )
    return Image(annotated, pixel_digest(pixels))


def _subsets(source: Source, folder: Path, test: list[Image]) -> dict[str, list[str]]:
    """Parts of the test split by file name: the ids of their files are not those of the test file."""
    by_name = {PurePosixPath(image.annotated.file_name).name: image.annotated.file_name for image in test}
    subsets: dict[str, list[str]] = {}
    for name, path in source.subsets.items():
        listed = [PurePosixPath(entry.file_name).name for entry in import_coco(folder / path)[0].images]
        unknown = sorted(set(listed) - set(by_name))
        if unknown:
            raise InputError(f"expected {path} to list test images, found {unknown[:3]} that are none of them")
        subsets[name] = sorted(by_name[item] for item in listed)
    return subsets


def _simulated(folder: Path, name: str) -> Converted:
    splits: dict[str, list[Image]] = {}
    changes: dict[str, Changes] = {}
    for split in SPLITS:
        found = changes[f"{name} {split}"] = Changes()
        scenes = sorted((folder / name / split).glob("*.tif"))
        splits[split] = [_read_scene(path, f"{name}/{split}/{path.name}", found) for path in scenes]
    return Converted(splits, changes, SHIP_CLASSES, {})


def _joined(published: Converted | None, simulated: Converted) -> Converted:
    if published is None:
        return simulated
    if published.classes != simulated.classes:
        raise InputError(
            f"expected a data set of {list(SHIP_CLASSES)} to add simulated scenes to, found {list(published.classes)}; "
            "set `scenes` of the recipe to null"
        )
    drawn = {split: [_drawn(image) for image in images] for split, images in simulated.splits.items()}
    splits = {split: [*images, *drawn[split]] for split, images in published.splits.items()}
    return Converted(splits, {**published.changes, **simulated.changes}, published.classes, published.subsets)


def _drawn(image: Image) -> Image:
    """The image with boxes as people draw them."""
    truth = image.annotated
    boxes = clip(truth.boxes_xyxy + np.float32(_DRAWN_PX) * _OUTWARD, truth.width, truth.height)
    return replace(image, annotated=replace(truth, boxes_xyxy=boxes))


def _read_scene(path: Path, name: str, changes: Changes) -> Image:
    """A simulated scene and its truth, which is given in pixels by the property `bbox_px`."""
    document = read_json(path.with_suffix(".truth.geojson"))
    pixels = _pixels(path)
    height, width = pixels.shape[:2]
    truth = ImageTruth(width, height, changes)
    for feature in document["features"]:
        truth.add(tuple(feature["properties"]["bbox_px"]), 0, ignored=False)
    return Image(Annotated(name, width, height, *truth.arrays()), pixel_digest(pixels))


def _pixels(path: Path) -> NDArray[Any]:
    with open_scene(path) as scene:
        return scene.read(Window(0, 0, scene.info.height, scene.info.width))


def _record(images: list[Image], classes: tuple[str, ...]) -> Record:
    return build_record([image.annotated for image in images], classes)


def _counts(record: Record) -> dict[str, int]:
    return {
        "images": len(record.images),
        "boxes": record.box_count,
        "ignored": int(sum(mask.sum() for mask in record.ignored.values())),
        "without_boxes": sum(len(boxes) == 0 for boxes in record.boxes.values()),
    }


def main() -> None:
    """Run the stage in the current folder."""
    params = load_params()
    few, share = params.convert.train_images, params.convert.val_fraction
    convert(params.dataset, share, OUTPUTS / "download", OUTPUTS / "convert", train_images=few)


if __name__ == "__main__":
    run_stage(main)
