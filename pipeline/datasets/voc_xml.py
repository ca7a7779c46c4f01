"""PASCAL VOC's files: lists of image ids, and one XML annotation for each image.

VOC counts pixels from 1 and its boxes include their last pixel: its (x1, y1, x2, y2) is (x1 - 1, y1 - 1, x2, y2) in
half-open pixels. Only this file converts them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from xml.etree.ElementTree import Element

from pipeline.datasets.xml_files import xml_root
from refinedet.data.truth import Changes, ImageTruth
from refinedet.errors import FileError, InputError

_IMAGE_ID = re.compile(r"[\w-][\w.-]*")
_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_LEAST_POINTS = 3
"""Number of points of an outline."""


@dataclass(frozen=True, slots=True)
class VocObject:
    """One object, its box not yet checked against the image."""

    name: str
    corners_xyxy: tuple[float, float, float, float]
    """Corners in pixels, half-open."""
    difficult: bool
    """True for an object that VOC counts neither as object nor as background."""
    truncated: bool = False
    """True if part of the object lies beyond the image or the box; VOC counts it like any other object."""
    from_outline: bool = False
    """True if the box is that around the points of an outline."""


@dataclass(frozen=True, slots=True)
class VocAnnotation:
    """Content of one XML file about its image."""

    width: int
    height: int
    objects: tuple[VocObject, ...]
    malformed: int
    """Number of objects without a name or a box of four numbers."""


def read_image_set(path: Path) -> list[str]:
    """Read the image ids of a file of ImageSets/Main, in order; the rest of each line after the id is ignored.

    Raises:
        FileError: the file cannot be read.
        InputError: it lists an invalid image id.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise FileError(f"expected a list of images at {path}, but it cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"expected a list of image ids in {path}, found no text; fetch the data set again") from error
    ids = [line.split()[0] for line in lines if line.strip()]
    odd = [image_id for image_id in ids if not _IMAGE_ID.fullmatch(image_id)]
    if odd:
        raise InputError(f"expected image ids such as 000005 in {path}, found {odd[0]!r}; is it a list of images?")
    return ids


def is_annotation(path: Path) -> bool:
    """True if a file is XML with VOC's root element."""
    try:
        return xml_root(path).tag == "annotation"
    except (FileError, InputError):
        return False


def read_annotation(path: Path) -> VocAnnotation:
    """Read one XML annotation; parts of an object, such as a person's head, are left out.

    Raises:
        FileError: the file cannot be read.
        InputError: it is not XML, would harm the reader, or does not state the size of its image.
    """
    root = xml_root(path)
    found, malformed = _objects(root)
    width, height = (_number(root.find(f"size/{side}")) for side in ("width", "height"))
    if width is None or height is None or not (width.is_integer() and height.is_integer() and min(width, height) >= 1):
        raise InputError(f"expected the size of the image in {path}, found none; is it a VOC annotation?")
    return VocAnnotation(int(width), int(height), found, malformed)


def read_objects(path: Path) -> tuple[tuple[VocObject, ...], int]:
    """Read the objects of one XML annotation, and the number of malformed ones; it need not state a size.

    Raises:
        FileError, InputError: as `xml_root`.
    """
    return _objects(xml_root(path))


def voc_truth(said: VocAnnotation, labels: Mapping[str, int], changes: Changes, file_name: str) -> ImageTruth:
    """Boxes of an annotation, cleaned; `changes` counts the dropped and clipped ones.

    Args:
        said: annotation of the image `file_name`.
        labels: class name -> label; objects of other classes are dropped.
        changes: counts of the split, to which this call adds.
        file_name: name of the image in `changes`.
    """
    truth = ImageTruth(said.width, said.height, changes, file_name)
    for entry in said.objects:
        if entry.name in labels:
            truth.add(entry.corners_xyxy, labels[entry.name], ignored=entry.difficult)
        else:
            changes.drop("unknown category", file_name, entry.corners_xyxy)
    for _ in range(said.malformed):
        changes.drop("malformed", file_name)
    return truth


def _objects(root: Element) -> tuple[tuple[VocObject, ...], int]:
    """Objects of an annotation, and the number of malformed ones; AIR-SARShip and FAIR1M keep them in `objects`."""
    found = [_object(entry) for place in ("object", "objects/object") for entry in root.findall(place)]
    objects = tuple(entry for entry in found if entry is not None)
    return objects, len(found) - len(objects)


def _object(entry: Element) -> VocObject | None:
    name = (entry.findtext("name") or entry.findtext("possibleresult/name") or "").strip()
    drawn = _upright(entry) or _around_rotated(entry)
    corners = drawn or _around_points(entry)
    if not name or corners is None:
        return None
    difficult, truncated = (bool(_number(entry.find(flag))) for flag in ("difficult", "truncated"))  # missing: false
    return VocObject(name, corners, difficult, truncated, from_outline=drawn is None)


def _upright(entry: Element) -> tuple[float, float, float, float] | None:
    """Box of an object, half-open; None if it has none, or one without four numbers."""
    x1, y1, x2, y2 = (_number(entry.find(f"bndbox/{corner}")) for corner in _CORNERS)
    if x1 is None or y1 is None or x2 is None or y2 is None:
        return None
    return x1 - 1, y1 - 1, x2, y2


def _around_rotated(entry: Element) -> tuple[float, float, float, float] | None:
    """Upright box around the rotated box of an object, as roLabelImg writes it; None if it has none."""
    x, y, width, height, angle = (_number(entry.find(f"robndbox/{name}")) for name in ("cx", "cy", "w", "h", "angle"))
    if x is None or y is None or width is None or height is None or angle is None:
        return None
    across, along = abs(math.cos(angle)), abs(math.sin(angle))
    wide, high = (width * across + height * along) / 2, (width * along + height * across) / 2
    return x - wide, y - high, x + wide, y + high


def _around_points(entry: Element) -> tuple[float, float, float, float] | None:
    """Upright box around an outline: points `x,y` as in FAIR1M, or a polygon of x1, y1, x2, ... as Roboflow writes it.

    None without three points, or if one of them cannot be read.
    """
    pairs = [(point.text or "").split(",") for point in entry.findall("points/point")]
    if not pairs:
        sides = [[one.text or "" for one in entry.findall("polygon/*") if one.tag[:1] == axis] for axis in "xy"]
        pairs = [list(pair) for pair in zip_longest(*sides, fillvalue="")]
    points = [[_float(text) for text in pair] for pair in pairs]
    known = [(x, y) for x, y in (point for point in points if len(point) == 2) if x is not None and y is not None]
    if len(known) < max(len(points), _LEAST_POINTS):
        return None
    xs, ys = zip(*known, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _number(entry: Element | None) -> float | None:
    return _float(entry.text or "") if entry is not None else None


def _float(text: str) -> float | None:
    try:
        return float(text.strip())
    except ValueError:
        return None
