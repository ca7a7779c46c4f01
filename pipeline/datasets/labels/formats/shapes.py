"""Labels of tools with their own shape formats: VIA's projects (JSON, CSV), and labelme's file for each image."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.datasets.labels.formats.outlines import around, outline
from pipeline.datasets.labels.images import finder_around
from pipeline.datasets.labels.label_set import UNNAMED, LabelSet, Objects, label_set_of
from refinedet.errors import FileError, InputError
from refinedet.files import read_json

_VIA_COLUMNS = {"filename", "region_shape_attributes", "region_attributes"}
_CLASS_ATTRIBUTES = ("class", "label", "name", "type", "category", "object")
"""Attributes of a region that may be its class, the likeliest first."""


@dataclass(frozen=True, slots=True)
class _Region:
    drawn: dict[str, Any]
    """Box or outline; empty if it cannot be read."""
    attributes: Mapping[str, Any]


def is_via(document: object) -> bool:
    """True if a JSON document is a project or an export of VIA 2."""
    return bool(_via_entries(document))


def is_labelme(document: object) -> bool:
    """True if a JSON document is from labelme."""
    return isinstance(document, Mapping) and isinstance(document.get("shapes"), list) and "imagePath" in document


def is_via_table(path: Path) -> bool:
    """True if a file is VIA's export as a table."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return set(next(csv.reader(stream), [])) >= _VIA_COLUMNS
    except (OSError, UnicodeDecodeError, csv.Error):
        return False


def read_via(path: Path, images: Path | None = None) -> LabelSet:
    """Read a project of VIA 2, or its export as JSON or CSV.

    Raises:
        FileError: the file cannot be read, or none of its images exists.
        InputError: it is not VIA's.
    """
    if path.suffix.lower() == ".csv":
        by_image = _via_table(path)
    else:
        entries = _via_entries(read_json(path))
        by_image = {str(entry["filename"]): _via_regions(entry["regions"]) for entry in entries}
    if not by_image:
        raise InputError(f"expected images with regions in {path}, found none; is it a project of VIA?")
    regions = [region for listed in by_image.values() for region in listed]
    attribute = _class_attribute(regions)
    note = (
        f"the attribute {attribute!r} of a region is taken as its class"
        if attribute is not None
        else f"no attribute of the regions can be a class: all are taken as {UNNAMED!r}"
    )
    objects = {name: [(_via_class(one, attribute), one.drawn) for one in listed] for name, listed in by_image.items()}
    return label_set_of(objects, finder_around(path, images), ("VIA", note))


def read_labelme(files: Sequence[Path], images: Path | None = None) -> LabelSet:
    """Read labelme's files, one for each image.

    Raises:
        FileError: none of the images exists.
        InputError: two files describe one image.
    """
    objects: Objects = {}
    finder = finder_around(files[0], images)
    for path in files:
        document = read_json(path)
        name = str(document["imagePath"])
        if name in objects:
            raise InputError(f"expected one labelme file for each image, found {path} and another of {name}")
        if document.get("imageData"):
            finder.help = "the files hold copies of them as imageData: write these to image files beside them"
        shapes = [shape for shape in document["shapes"] if isinstance(shape, Mapping)]
        objects[name] = [
            (str(shape["label"]) if shape.get("label") else None, _labelme_drawn(shape)) for shape in shapes
        ]
    return label_set_of(objects, finder, ("labelme", ""))


def _via_entries(document: object) -> list[Mapping[str, Any]]:
    """Images of a VIA document; empty for another document."""
    if not isinstance(document, Mapping):
        return []
    held = document.get("_via_img_metadata", document)
    entries = list(held.values()) if isinstance(held, Mapping) else []
    fit = all(isinstance(entry, Mapping) and "filename" in entry and "regions" in entry for entry in entries)
    return entries if fit else []


def _via_regions(regions: object) -> list[_Region]:
    listed = list(regions.values()) if isinstance(regions, Mapping) else regions  # VIA 1 numbers them
    return [_via_region(region) for region in listed] if isinstance(listed, list) else []


def _via_region(region: object) -> _Region:
    shape = region.get("shape_attributes") if isinstance(region, Mapping) else None
    attributes = region.get("region_attributes") if isinstance(region, Mapping) else None
    return _Region(
        _via_drawn(shape) if isinstance(shape, Mapping) else {}, attributes if isinstance(attributes, Mapping) else {}
    )


def _via_table(path: Path) -> dict[str, list[_Region]]:
    found: dict[str, list[_Region]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            for row in csv.DictReader(stream):
                regions = found.setdefault(str(row["filename"]), [])
                shape, attributes = (json.loads(row[f"region_{name}attributes"] or "{}") for name in ("shape_", ""))
                if shape:
                    regions.append(_via_region({"shape_attributes": shape, "region_attributes": attributes}))
    except OSError as error:
        raise FileError(f"expected VIA's table at {path}, but it cannot be read ({error.strerror})") from error
    except (KeyError, TypeError, ValueError, RecursionError, csv.Error) as error:
        raise InputError(
            f"expected VIA's table in {path}, found a row that is none ({error}); export it again"
        ) from error
    return found


def _via_drawn(shape: Mapping[str, Any]) -> dict[str, Any]:
    try:
        match shape.get("name"):
            case "rect":
                return {"bbox": [float(shape[side]) for side in ("x", "y", "width", "height")]}
            case "polygon" | "polyline":
                return outline(list(zip(shape["all_points_x"], shape["all_points_y"], strict=True)))
            case "circle":
                return around(float(shape["cx"]), float(shape["cy"]), (float(shape["r"]), float(shape["r"])))
            case "ellipse":
                radii = (float(shape["rx"]), float(shape["ry"]))
                return around(float(shape["cx"]), float(shape["cy"]), radii, float(shape.get("theta") or 0.0))
            case _:
                return {}
    except (KeyError, TypeError, ValueError, OverflowError):
        return {}


def _labelme_drawn(shape: Mapping[str, Any]) -> dict[str, Any]:
    try:
        points = [(float(x), float(y)) for x, y in shape["points"]]
    except (KeyError, TypeError, ValueError, OverflowError):
        return {}
    kind = shape.get("shape_type", "polygon")
    if kind == "circle" and len(points) == 2:  # its centre, and a point on it
        radius = math.dist(*points)
        return around(*points[0], (radius, radius))
    if kind in {"rectangle", "mask"} and len(points) == 2:
        (x1, y1), (x2, y2) = points
        return {"bbox": [min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1)]}
    return {} if kind in {"point", "points"} else outline(points)


def _class_attribute(regions: Sequence[_Region]) -> str | None:
    """Attribute with the class: one of the usual names, else the only attribute."""
    counts = Counter(name for region in regions for name in region.attributes)
    usual = [name for word in _CLASS_ATTRIBUTES for name in counts if name.casefold() == word]
    if usual:
        return usual[0]
    return next(iter(counts)) if len(counts) == 1 else None


def _via_class(region: _Region, attribute: str | None) -> str | None:
    if attribute is None:
        return UNNAMED
    value = region.attributes.get(attribute)
    if isinstance(value, Mapping):  # check boxes: the box that is set
        chosen = [name for name, is_set in value.items() if is_set]
        value = chosen[0] if len(chosen) == 1 else None
    return str(value) if value else None
