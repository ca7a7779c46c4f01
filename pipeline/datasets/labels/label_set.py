"""Label set: a COCO document in plain values, with the paths of its images and notes on guesses."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline.datasets.labels.images import ImageFinder
from refinedet.errors import InputError
from refinedet.raster import open_scene

UNNAMED = "ship"
"""Class of objects without a class name."""

Objects = dict[str, list[tuple[str | None, dict[str, Any]]]]
"""Name of an image -> class name and drawing of each of its objects, as in `DocumentWriter.add_object`."""

SPLIT_NAMES = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}
"""Split -> its names in files and folders."""


@dataclass(frozen=True, slots=True)
class LabelSet:
    """Labels of one split. Image ids are whole numbers; boxes are [x, y, w, h], or have a fifth number in degrees."""

    document: dict[str, Any]
    """COCO document; objects that cannot be read have neither box nor outline."""
    places: Mapping[str, Path]
    """File name in the document -> path of the image."""
    source: str
    """File or folder of the labels, for messages."""
    kind: str
    """Format, such as COCO or YOLO, for messages."""
    notes: tuple[str, ...] = ()
    """Sentences about what was guessed."""
    without_image: tuple[str, ...] = ()
    """Images that the labels name but that do not exist."""

    def renamed(self, base: Path) -> LabelSet:
        """Copy with file names relative to the folder `base`, which holds all images."""
        names = {name: place.relative_to(base).as_posix() for name, place in self.places.items()}
        images = [{**image, "file_name": names[image["file_name"]]} for image in self.document["images"]]
        places = {names[name]: place for name, place in self.places.items()}
        return replace(self, document={**self.document, "images": images}, places=places)


def split_of(name: str) -> str | None:
    """Split that a file or folder is named after, such as val for valid or instances_val2017."""
    word = name.lower().removeprefix("instances_").rstrip("0123456789_-")
    return next((split for split, names in SPLIT_NAMES.items() if word in names), None)


def common_folder(sets: Sequence[LabelSet]) -> Path:
    """Deepest folder that holds all images of the label sets."""
    return Path(os.path.commonpath([place.parent for one in sets for place in one.places.values()]))


@dataclass(slots=True)
class DocumentWriter:
    """Writer of a COCO document object by object, for formats other than COCO."""

    images: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    places: dict[str, Path] = field(default_factory=dict)
    _classes: dict[str, int] = field(default_factory=dict)

    def add_image(self, place: Path, size: tuple[int, int]) -> int:
        """Add an image of (width, height) pixels; returns its id.

        Raises:
            InputError: it was added before.
        """
        name = place.as_posix()
        if name in self.places:
            raise InputError(f"expected every image once in the labels, found {place} twice; take one of them out")
        self.places[name] = place
        self.images.append({"id": len(self.images) + 1, "file_name": name, "width": size[0], "height": size[1]})
        return len(self.images)

    def add_object(self, image_id: int, class_name: str | None, **drawn: Any) -> None:
        """Add an object with its `bbox` or `segmentation`, or with neither if it cannot be read.

        Without a class name, its category is unknown.
        """
        category = None if class_name is None else self.category(class_name)
        self.annotations.append({"image_id": image_id, "category_id": category, **drawn})

    def category(self, class_name: str) -> int:
        """Id of a class, which is added if it is new."""
        return self._classes.setdefault(class_name, len(self._classes) + 1)

    def document(self) -> dict[str, Any]:
        """Document as written so far."""
        categories = [{"id": number, "name": name} for name, number in self._classes.items()]
        return {"images": self.images, "annotations": self.annotations, "categories": categories}


def image_size(place: Path) -> tuple[int, int]:
    """Width and height of an image, from its header."""
    with open_scene(place) as scene:
        return scene.info.width, scene.info.height


def label_set_of(objects: Objects, finder: ImageFinder, told: tuple[str, str]) -> LabelSet:
    """Label set of the objects of each image: class name, and what is drawn, as in `DocumentWriter.add_object`.

    Args:
        objects: objects by the name of their image.
        finder: finder of the images.
        told: name of the format, and a note that may be empty.

    Raises:
        FileError, InputError: as `ImageFinder.find`.
    """
    places, missing = finder.find(list(objects))
    writer = DocumentWriter()
    for name, place in places.items():
        image_id = writer.add_image(place, image_size(place))
        for class_name, drawn in objects[name]:
            writer.add_object(image_id, class_name, **drawn)
    kind, note = told
    return LabelSet(writer.document(), writer.places, str(finder.source), kind, (note,) if note else (), tuple(missing))
