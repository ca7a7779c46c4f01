"""Canonical annotation record, and its file format: plain COCO JSON.

N boxes of an image, K classes. In memory labels are 0-based class indices; in files category ids are 1..K and
annotation ids start at 1, because pycocotools takes an id of 0 for "unmatched".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import Boxes
from refinedet.data.objects import corners_of
from refinedet.data.truth import LARGEST, Changes, ImageTruth
from refinedet.errors import InputError
from refinedet.files import read_json, write_json

BESIDE = "beside"
"""Key in `ImageRecord.extra` of a chip from a scene added to the data set; its value is the origin of the scene."""
SIMULATED = "simulated"
"""Origin of a simulated scene."""

_LARGEST_PX = 2**31 - 1
_IMAGE_KEYS = ("id", "file_name", "width", "height")


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image: its path and size."""

    id: int
    file_name: str
    """Relative path with forward slashes; the owner of the record knows its base folder."""
    width: int
    height: int
    extra: dict[str, Any] = field(default_factory=dict)
    """Further JSON values of the image, such as the scene and window it was cut from."""


@dataclass(frozen=True, slots=True)
class Record:
    """Images and their truth. Every image id is a key of all three mappings, also if N is 0."""

    images: tuple[ImageRecord, ...]
    boxes: dict[int, Boxes]
    """Image id -> (N, 4) float32 [x1, y1, x2, y2], pixels of that image, within it, with positive area."""
    labels: dict[int, NDArray[np.int64]]
    """Image id -> (N,) 0-based class index."""
    ignored: dict[int, NDArray[np.bool_]]
    """Image id -> (N,) true for a box that is neither object nor background."""
    classes: tuple[str, ...]
    """Class names by label."""

    @property
    def box_count(self) -> int:
        """Boxes of all images, ignored ones included."""
        return sum(len(boxes) for boxes in self.boxes.values())

    def select(self, ids: Iterable[int]) -> Record:
        """Select the images with these ids, in the order of this record."""
        wanted = set(ids)
        images = tuple(image for image in self.images if image.id in wanted)
        return Record(
            images,
            {image.id: self.boxes[image.id] for image in images},
            {image.id: self.labels[image.id] for image in images},
            {image.id: self.ignored[image.id] for image in images},
            self.classes,
        )

    def without_simulated(self) -> Record:
        """Record without the chips of simulated scenes that were added to a data set."""
        return self.select(image.id for image in self.images if image.extra.get(BESIDE) != SIMULATED)


@dataclass(frozen=True, slots=True)
class Annotated:
    """One image with its truth, before `build_record` gives it an id."""

    file_name: str
    width: int
    height: int
    boxes_xyxy: Boxes
    labels: NDArray[np.int64]
    ignored: NDArray[np.bool_]
    extra: dict[str, Any] = field(default_factory=dict)


def build_record(images: Iterable[Annotated], classes: tuple[str, ...]) -> Record:
    """Build the record of `images`, sorted by file name, with ids 1, 2, ...

    Raises:
        InputError: two images have one file name.
    """
    ordered = sorted(images, key=lambda image: image.file_name)
    names = [image.file_name for image in ordered]
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise InputError(f"expected file names that differ, found {twice!r} twice; rename one of the images")
    numbered = list(enumerate(ordered, start=1))
    return Record(
        tuple(ImageRecord(i, image.file_name, image.width, image.height, image.extra) for i, image in numbered),
        {i: image.boxes_xyxy for i, image in numbered},
        {i: image.labels for i, image in numbered},
        {i: image.ignored for i, image in numbered},
        classes,
    )


def read_record(path: str | Path) -> Record:
    """Read a record that this project wrote, without repairing anything.

    Raises:
        FileError: the file cannot be read.
        InputError: it is not COCO JSON, or holds a box that `import_coco` would drop, clip or ignore.
    """
    record, changes = import_coco(path)
    if changes.dropped or changes.clipped or changes.ignored:
        raise InputError(f"expected only valid boxes in {path}, found {changes.to_dict()}; run the convert stage again")
    return record


def write_record(path: str | Path, record: Record) -> None:
    """Write `record` as COCO JSON, atomically; pycocotools reads it, and `read_record` gives an equal record."""
    write_json(path, to_coco(record))


def to_coco(record: Record) -> dict[str, Any]:
    """Convert `record` to a COCO document of plain values: category ids 1..K, ignored boxes as iscrowd."""
    annotations: list[dict[str, Any]] = []
    for image in record.images:
        rows = zip(record.boxes[image.id], record.labels[image.id], record.ignored[image.id], strict=True)
        for box, label, ignored in rows:
            x1, y1, x2, y2 = (float(value) for value in box)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image.id,
                    "category_id": int(label) + 1,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": (x2 - x1) * (y2 - y1),
                    "iscrowd": int(ignored),
                }
            )
    return {
        "images": [
            {"id": i.id, "file_name": i.file_name, "width": i.width, "height": i.height}
            | ({"extra": i.extra} if i.extra else {})
            for i in record.images
        ],
        "annotations": annotations,
        "categories": [{"id": label + 1, "name": name} for label, name in enumerate(record.classes)],
    }


def import_coco(path: str | Path) -> tuple[Record, Changes]:
    """Read any COCO detection file: category ids of any kind (0 too) become labels in the order of their ids.

    Raises:
        FileError: the file cannot be read.
        InputError: it is not COCO JSON, or an image entry is invalid or repeated.
    """
    return import_document(read_json(path), path)


def import_document(document: Any, source: str | Path) -> tuple[Record, Changes]:
    """Read a COCO document; `source` names it in errors.

    An object without an upright box gets one from its polygons, mask or turned box (`corners_of`). Boxes are clipped to
    their image. A box without area, outside its image, repeated, or of an unknown image is dropped and counted. An
    object that is malformed, not finite or of an unknown category is ignored; if its place is unknown, the whole image
    is ignored. Image ids are kept.

    Raises:
        InputError: it is not COCO JSON, or an image entry is invalid or repeated.
    """
    check_document(document, source)
    images = _images(document["images"], source)
    labels, classes = _categories(document["categories"], source)
    changes = Changes()
    truth = {image.id: ImageTruth(image.width, image.height, changes, image.file_name) for image in images}
    by_id = {image.id: image for image in images}
    for annotation in document["annotations"]:
        image = _image_of(annotation, by_id)
        if image is None:
            reason = "unknown image" if isinstance(annotation, Mapping) and "image_id" in annotation else "malformed"
            found = corners_of(annotation, 0, 0) if isinstance(annotation, Mapping) else None
            changes.drop(reason, "", found[0] if found else None)
            continue
        _add(annotation, image, labels, truth[image.id])
    arrays = {key: rows.arrays() for key, rows in truth.items()}
    record = Record(
        images,
        {key: boxes for key, (boxes, _, _) in arrays.items()},
        {key: found for key, (_, found, _) in arrays.items()},
        {key: ignored for key, (_, _, ignored) in arrays.items()},
        classes,
    )
    return record, changes


def check_document(document: Any, source: str | Path) -> None:
    """Check that a document has the lists of a COCO file.

    Raises:
        InputError: a list is missing.
    """
    for key in ("images", "annotations", "categories"):
        if not isinstance(document, Mapping) or not isinstance(document.get(key), list):
            raise InputError(
                f"expected COCO JSON with a list '{key}' in {source}, found none; is it an annotation file?"
            )


def _images(entries: list[Any], path: str | Path) -> tuple[ImageRecord, ...]:
    images: list[ImageRecord] = []
    for entry in entries:
        if not isinstance(entry, Mapping) or any(key not in entry for key in _IMAGE_KEYS):
            raise InputError(f"expected {_IMAGE_KEYS} in every image of {path}, found {str(entry)[:120]}")
        extra = entry.get("extra") or {}
        if not isinstance(extra, Mapping):
            raise InputError(f"expected a mapping as 'extra' of an image in {path}, found {str(extra)[:120]}")
        image = ImageRecord(**{key: entry[key] for key in _IMAGE_KEYS}, extra=dict(extra))
        sides = (image.width, image.height)
        whole = all(type(value) is int for value in (image.id, *sides))
        if not whole or not 1 <= min(sides) <= max(sides) <= _LARGEST_PX or not _is_relative(image.file_name):
            raise InputError(f"expected a whole id, a relative file name and a positive size in {path}, found {image}")
        images.append(image)
    for name, values in (("id", [i.id for i in images]), ("file name", [i.file_name for i in images])):
        twice = [value for value, count in Counter(values).items() if count > 1]
        if twice:
            raise InputError(f"expected every image {name} once in {path}, found {twice[0]!r} more than once")
    return tuple(images)


def _is_relative(name: object) -> bool:
    if not isinstance(name, str) or not name or "\\" in name:
        return False
    return not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts


def _categories(entries: list[Any], path: str | Path) -> tuple[dict[int, int], tuple[str, ...]]:
    try:
        names = {int(entry["id"]): str(entry["name"]) for entry in entries}
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"expected a whole 'id' and a 'name' in every category of {path}, found {entries[:3]}"
        ) from error
    if not names or len(names) < len(entries):
        raise InputError(f"expected at least one category and no id twice in {path}, found {entries[:3]}")
    ordered = sorted(names)
    return {category: label for label, category in enumerate(ordered)}, tuple(names[category] for category in ordered)


def _image_of(annotation: Any, images: Mapping[int, ImageRecord]) -> ImageRecord | None:
    image_id = annotation.get("image_id") if isinstance(annotation, Mapping) else None
    return images.get(image_id) if isinstance(image_id, int) else None


def _add(annotation: Mapping[str, Any], image: ImageRecord, labels: Mapping[int, int], truth: ImageTruth) -> None:
    """Add one object to the truth of its image; add an ignored region if the object cannot be read."""
    category = annotation.get("category_id")
    label = labels.get(category) if isinstance(category, int) else None
    of = [label] if label is not None else range(len(labels))
    found = corners_of(annotation, image.width, image.height)
    if found is None:
        truth.ignore("malformed", of)
    elif not all(abs(corner) <= LARGEST for corner in found[0]):
        truth.ignore("not finite", of, found[0])
    elif label is None:
        truth.ignore("unknown category", of, found[0])
    else:
        crowd = bool(annotation.get("iscrowd") or annotation.get("ignore"))
        truth.add(found[0], label, ignored=crowd, drawn_as=found[1])
