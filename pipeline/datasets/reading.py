"""Reader of data sets, published or simulated: images with their truth by split, and all problems of the images.

File names are relative to the folder of the data set. Images are identified by their decoded pixels, not by name. An
image that is missing, damaged or of another size than in its annotation is left out and listed as a problem. The
stages decide what to do about problems.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.catalogue import CATALOGUE, CocoSplit, Source, VocSplit
from pipeline.datasets.labels.label_set import LabelSet
from pipeline.datasets.splits import Image, cut_validation, pixel_digest
from pipeline.datasets.voc_xml import read_annotation, read_image_set, voc_truth
from pipeline.stage import REAL, SPLITS
from refinedet.boxes import clip, shift
from refinedet.data.coco import SIMULATED, Annotated, Record, import_coco, import_document
from refinedet.data.truth import Changes, ImageTruth
from refinedet.errors import FileError, InputError, RefineDetError
from refinedet.files import read_json
from refinedet.raster import RasterInfo, open_scene

SHIP_CLASSES = ("ship",)

_DRAWN_PX = 0.4
"""Mean distance in pixels on SSDD, on each side: people draw around the bright area, the simulator around the hull.

benchmarks/chips/label_offset.py measures it; the log is docs/runs/label_offset.txt. A network that learns from both
places its boxes between them.
"""
_OUTWARD = np.array([-1, -1, 1, 1], np.float32)

Observer = Callable[[str, NDArray[Any], RasterInfo], None]
"""Function that gets the file name, pixels and header of every image, so that no image is read twice."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One image that cannot be used."""

    file_name: str
    kind: Literal["missing", "unreadable", "another size"]
    error: RefineDetError
    """Error with one sentence on what was expected and found."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Content of a data set, in the splits of this project."""

    splits: Mapping[str, list[Image]]
    changes: Mapping[str, Changes]
    """Split as published -> changes that reading made to its boxes."""
    classes: tuple[str, ...]
    subsets: Mapping[str, list[str]] = field(default_factory=dict)
    """Name of a part of the test split -> its file names, as in the splits."""
    flags: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Split as published -> flag of an annotation, such as difficult -> number of boxes with it."""
    problems: Sequence[Problem] = ()


def read_dataset(dataset: str, val_fraction: float, folder: Path, observe: Observer | None = None) -> Reading:
    """Read the data set in `folder`: a published one of the catalogue, scenes made for training, or both.

    Raises:
        FileError: an annotation file is missing or damaged, or the folder has neither.
        InputError: an annotation file is invalid.
    """
    reader = _Reader(folder, observe)
    published = CATALOGUE.get(dataset)
    found = reader.published(published, val_fraction) if published else None
    if (folder / SIMULATED).is_dir():
        found = _with_scenes(found, reader.scenes(SIMULATED), drawn_px=_DRAWN_PX)
    if (folder / REAL).is_dir():
        found = _with_scenes(found, reader.scenes(REAL), drawn_px=0.0)
    if found is None:
        raise FileError(f"expected {dataset!r} or simulated scenes in {folder}, found neither; run `dvc repro` again")
    return replace(found, problems=tuple(reader.problems))


def read_label_sets(sets: Mapping[str, LabelSet], base: Path) -> Reading:
    """Read the images of label sets by split, whose file names are relative to the folder `base`.

    Raises:
        InputError: a document is not COCO.
    """
    reader = _Reader(base, None)
    splits: dict[str, list[Image]] = {}
    changes: dict[str, Changes] = {}
    classes: tuple[str, ...] = ()
    for name, one in sets.items():
        record, changes[name] = import_document(one.document, one.source)
        splits[name], classes = reader.images(record, one.source), record.classes
    return Reading(splits, changes, classes, problems=tuple(reader.problems))


class _Reader:
    """Reader of splits below one folder, which collects the problems of their images."""

    def __init__(self, folder: Path, observe: Observer | None) -> None:
        self.folder, self.observe = folder, observe
        self.problems: list[Problem] = []
        self.flags: dict[str, dict[str, int]] = {}

    def published(self, source: Source, val_fraction: float) -> Reading:
        """Read the splits of a data set of the catalogue; a missing validation split is cut from train."""
        splits: dict[str, list[Image]] = {}
        changes: dict[str, Changes] = {}
        classes: set[tuple[str, ...]] = set()
        for name, split in source.splits_in(self.folder).items():
            read = self.voc(name, split) if isinstance(split, VocSplit) else self.coco(split)
            splits[name], changes[name], found = read
            classes.add(found)
        if len(classes) > 1:
            raise InputError(f"expected the same classes in every split under {self.folder}, found {sorted(classes)}")
        subsets = self._subsets(source, splits["test"])
        if "val" not in splits:
            splits["train"], splits["val"] = cut_validation(splits["train"], splits["test"], val_fraction)
        ordered = {name: splits[name] for name in SPLITS}
        return Reading(ordered, changes, classes.pop(), subsets, self.flags)

    def coco(self, split: CocoSplit) -> tuple[list[Image], Changes, tuple[str, ...]]:
        """Images, changes and classes of a split in COCO JSON."""
        record, changes = import_coco(self.folder / split.annotations)
        images = self.images(record, split.annotations, split)
        places = [replace(c, file_name=_below(split.images, c.file_name)) if c.file_name else c for c in changes.boxes]
        return images, replace(changes, boxes=places), record.classes

    def images(self, record: Record, told_by: str, split: CocoSplit | None = None) -> list[Image]:
        """Images of a record with their truth; `split` states their folder and the meaning of their corners."""
        folder, at = ("", 0.0) if split is None else (split.images, split.corners_at)
        images: list[Image] = []
        for entry in record.images:
            boxes = clip(shift(record.boxes[entry.id], at, at), entry.width, entry.height)
            truth = (boxes, record.labels[entry.id], record.ignored[entry.id])
            annotated = Annotated(_below(folder, entry.file_name), entry.width, entry.height, *truth)
            images += self._read(annotated, told_by)
        return images

    def voc(self, name: str, split: VocSplit) -> tuple[list[Image], Changes, tuple[str, ...]]:
        """Images, changes and classes of a split in the layout of VOC's development kit; `name` is the split's own."""
        changes, flags = Changes(), Counter[str]()
        labels = {class_name: label for label, class_name in enumerate(split.classes)}
        images: list[Image] = []
        for image_set in split.image_sets:
            root = PurePosixPath(image_set).parents[2]  # of <root>/ImageSets/Main/<list>.txt
            for image_id in read_image_set(self.folder / image_set):
                told_by = (root / split.annotations / f"{image_id}.xml").as_posix()
                file_name = (root / split.images / f"{image_id}.jpg").as_posix()
                said = read_annotation(self.folder / told_by)
                truth = voc_truth(said, labels, changes, file_name)
                for entry in said.objects:
                    flags.update(difficult=entry.difficult, truncated=entry.truncated)
                images += self._read(Annotated(file_name, said.width, said.height, *truth.arrays()), told_by)
        self.flags[name] = dict(flags)
        return images, changes, split.classes

    def scenes(self, kind: str) -> Reading:
        """Read scenes made for training, in folders train, val and test of folder `kind`."""
        splits: dict[str, list[Image]] = {}
        changes: dict[str, Changes] = {}
        for split in SPLITS:
            found = changes[f"{kind} {split}"] = Changes()
            scenes = sorted((self.folder / kind / split).glob("*.tif"))
            splits[split] = [image for path in scenes for image in self._scene(path, f"{kind}/{split}", found)]
        return Reading(splits, changes, SHIP_CLASSES)

    def _scene(self, path: Path, place: str, changes: Changes) -> list[Image]:
        """Read a made scene and its truth: boxes in pixels, property `bbox_px`, and whether each is `ignored`."""
        told_by = path.with_suffix(".truth.geojson")
        document, name = read_json(told_by), f"{place}/{path.name}"
        try:
            with open_scene(path) as scene:
                width, height = scene.info.width, scene.info.height
        except RefineDetError as error:
            self.problems.append(Problem(name, "unreadable", error))
            return []
        truth = ImageTruth(width, height, changes, name)
        try:
            for feature in document["features"]:
                x1, y1, x2, y2 = map(float, feature["properties"]["bbox_px"])
                truth.add((x1, y1, x2, y2), 0, ignored=bool(feature["properties"].get("ignored", False)))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(f"expected features with four numbers as 'bbox_px' in {told_by}, found others") from error
        return self._read(Annotated(name, width, height, *truth.arrays()), told_by.name)

    def _read(self, annotated: Annotated, told_by: str) -> list[Image]:
        """Read an image whose size the annotation file `told_by` states; a problem is listed, without a result."""
        name = annotated.file_name
        path = self.folder / name
        try:
            with open_scene(path) as scene:
                info, pixels = scene.info, scene.read_whole()
        except RefineDetError as error:
            self.problems.append(Problem(name, "unreadable" if path.exists() else "missing", error))
            return []
        if (info.height, info.width) != (annotated.height, annotated.width):
            differs = InputError(
                f"expected {path} to be {annotated.width} x {annotated.height} pixels as {told_by} says, "
                f"found {info.width} x {info.height}; fetch the data set again, or label the images in this size"
            )
            self.problems.append(Problem(name, "another size", differs))
            return []
        if self.observe is not None:
            self.observe(name, pixels, info)
        return [Image(annotated, pixel_digest(pixels))]

    def _subsets(self, source: Source, test: list[Image]) -> dict[str, list[str]]:
        """Parts of the test split by file name, because the ids in their files differ from those of the test file."""
        by_name = {PurePosixPath(image.annotated.file_name).name: image.annotated.file_name for image in test}
        subsets: dict[str, list[str]] = {}
        for name, path in source.subsets.items():
            listed = [PurePosixPath(entry.file_name).name for entry in import_coco(self.folder / path)[0].images]
            unknown = sorted(set(listed) - set(by_name))
            if unknown and not self.problems:  # unusable images are no test images; they are listed already
                raise InputError(f"expected {path} to list test images, found {unknown[:3]} that are none of them")
            subsets[name] = sorted(by_name[item] for item in listed if item in by_name)
        return subsets


def _below(folder: str, name: str) -> str:
    return (PurePosixPath(folder) / name).as_posix()


def _with_scenes(published: Reading | None, made: Reading, *, drawn_px: float) -> Reading:
    """Join a data set and scenes made for it, whose boxes grow by `drawn_px` on each side."""
    if published is None:
        return made
    if published.classes != made.classes:
        raise InputError(
            f"expected a data set of {list(SHIP_CLASSES)} to add made scenes to, found {list(published.classes)}; "
            "set `scenes` and `real` of the recipe to null"
        )
    drawn = {split: [_drawn(image, drawn_px) for image in images] for split, images in made.splits.items()}
    splits = {split: [*images, *drawn[split]] for split, images in published.splits.items()}
    return replace(published, splits=splits, changes={**published.changes, **made.changes})


def _drawn(image: Image, outward_px: float) -> Image:
    """Copy of the image with boxes as people draw them."""
    truth = image.annotated
    boxes = clip(truth.boxes_xyxy + np.float32(outward_px) * _OUTWARD, truth.width, truth.height)
    return replace(image, annotated=replace(truth, boxes_xyxy=boxes))
