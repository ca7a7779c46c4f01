"""CVAT's own format for images (CVAT for images 1.1): one XML file with the boxes and outlines of all images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from pipeline.datasets.labels.formats.outlines import around, outline
from pipeline.datasets.labels.images import finder_around
from pipeline.datasets.labels.label_set import LabelSet, Objects, label_set_of, split_of
from pipeline.datasets.xml_files import xml_root
from refinedet.errors import FileError, InputError

_ROOT, _TRACK = "annotations", "track"
_OF_IMAGE = "tag"
"""Element that labels a whole image."""


def cvat_files(root: Path) -> list[Path]:
    """CVAT's XML files in a folder or its subfolders."""
    return sorted(path for pattern in ("*.xml", "*/*.xml") for path in root.glob(pattern) if is_cvat(path))


def is_cvat(path: Path) -> bool:
    """True if a file is an XML file of CVAT, for images or for a video."""
    try:
        return xml_root(path).tag == _ROOT
    except (FileError, InputError):
        return False


def read_cvat(path: Path, images: Path | None = None) -> dict[str, LabelSet]:
    """Read CVAT's file for images by split, which is the subset of an image; else there is only `train`.

    Raises:
        FileError: the file cannot be read, or none of its images exists.
        InputError: it is for a video, or has no images.
    """
    root = xml_root(path)
    if root.find(_TRACK) is not None:
        raise InputError(
            f"expected CVAT's labels of images in {path}, found those of a video; export them as COCO or as CVAT for "
            "images"
        )
    entries = list(root.iter("image"))
    if not entries:
        raise InputError(f"expected images in {path}, found none; export the task as CVAT for images 1.1")
    by_split: dict[str, Objects] = {}
    for entry in entries:
        split = split_of(entry.get("subset", "")) or "train"
        by_split.setdefault(split, {})[_name(entry, path)] = list(_objects(entry))
    if "train" not in by_split:
        by_split = {"train": {name: drawn for some in by_split.values() for name, drawn in some.items()}}
    return {
        split: label_set_of(objects, finder_around(path, images, split), ("CVAT", ""))
        for split, objects in by_split.items()
    }


def _name(entry: Element, path: Path) -> str:
    name = entry.get("name")
    if not name:
        raise InputError(f"expected a name of every image in {path}, found one without; export it again")
    return name


def _objects(entry: Element) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """Class and drawing of each object of an image; one that cannot be read has no drawing."""
    for shape in entry:
        if shape.tag != _OF_IMAGE:
            yield shape.get("label"), _drawn(shape.tag, shape.attrib)


def _drawn(kind: str, told: Mapping[str, str]) -> dict[str, Any]:
    try:
        match kind:
            case "box":
                x1, y1, x2, y2 = (float(told[side]) for side in ("xtl", "ytl", "xbr", "ybr"))
                turn = {"attributes": {"rotation": float(told["rotation"])}} if "rotation" in told else {}
                return {"bbox": [x1, y1, x2 - x1, y2 - y1], **turn}
            case "polygon" | "polyline":
                return outline([tuple(map(float, point.split(",", 1))) for point in told["points"].split(";")])
            case "ellipse":
                return around(float(told["cx"]), float(told["cy"]), (float(told["rx"]), float(told["ry"])))
            case "mask":
                return {"bbox": [float(told[side]) for side in ("left", "top", "width", "height")]}
            case _:
                return {}
    except (KeyError, ValueError, OverflowError):
        return {}
