"""COCO files of CVAT, Label Studio, Roboflow, labelme2coco, VIA and RectLabel, converted to one form.

Ids may be text or missing numbers, sizes may be missing, and file names may be from another machine. Boxes may be
corners or centres, if the setting `boxes` says so. Objects keep their box, rotation and outline for the library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.datasets.labels.box_numbers import BoxFormat, guess_radians, plain_box, to_standard
from pipeline.datasets.labels.images import ImageFinder, finder_around
from pipeline.datasets.labels.label_set import LabelSet, image_size
from refinedet.data.coco import check_document
from refinedet.errors import InputError
from refinedet.files import read_json

_SHOWN = 120
"""Letters of an entry that a message shows."""


def read_coco(
    path: Path, images: Path | None = None, boxes: BoxFormat | None = None, *, split: str = "train"
) -> LabelSet:
    """Read a COCO file; its images are in folder `images`, or are searched for around the file.

    Args:
        path: the file.
        images: folder of the images; its subfolders are searched too.
        boxes: meaning of the four numbers; None: as in COCO.
        split: name of a folder in which the images may lie.

    Raises:
        FileError: the file cannot be read, or none of its images exists.
        InputError: it is not COCO, or an image is listed twice or ambiguous.
    """
    document = read_json(path)
    check_document(document, path)
    entries = [_image(entry, path) for entry in document["images"]]
    if not entries:
        raise InputError(f"expected images in {path}, found none; is it the right file?")
    finder = finder_around(path, images, split)
    places, missing = finder.find([entry["file_name"] for entry in entries])
    kept, ids = _numbered(entries, places, path)
    categories, category_ids = _categories(document["categories"], path)
    absent = {_key(entry["id"]) for entry in entries} - set(ids)
    given, renamed = _with_ids(document, path)
    rows = [_annotation(row, ids, category_ids) for row in given if _image_id(row) not in absent]
    rows, told = to_standard(rows, boxes or "xywh", radians=guess_radians(rows))
    repaired = {"images": kept, "annotations": rows, "categories": categories}
    return LabelSet(
        repaired, places, str(path), "COCO", (*_notes(finder, len(entries)), *renamed, *told), tuple(missing)
    )


def _notes(finder: ImageFinder, count: int) -> list[str]:
    notes = []
    if finder.moved:
        notes.append(
            f"{len(finder.moved)} of {count} images are not where {finder.source.name} says (such as "
            f"{finder.moved[0]}): images of the same name were taken"
        )
    if finder.uploaded:
        notes.append(
            f"{len(finder.uploaded)} of {count} images are found without the prefix of Label Studio's uploads (such as "
            f"{finder.uploaded[0]})"
        )
    return notes


def _with_ids(document: Mapping[str, Any], path: Path) -> tuple[list[Any], list[str]]:
    """Annotations with ids where all of them have names instead, or the only category; and sentences on that."""
    rows, notes = list(document["annotations"]), []
    for key, listed, field in (("image_id", "images", "file_name"), ("category_id", "categories", "name")):
        ids = {_key(entry["id"]) for entry in document[listed]}
        names = {str(entry[field]): entry["id"] for entry in document[listed]}
        values = [row.get(key) for row in rows if isinstance(row, Mapping)]
        if len(names) < len(ids) or any(_key(value) in ids for value in values):
            continue
        if any(value in names for value in values if isinstance(value, str)):
            rows = [_replaced(row, key, names) for row in rows]
            notes.append(f"the annotations have no {key} but a name, which is taken as the {field} in {listed}")
    categories = document["categories"]
    if rows and all(isinstance(row, Mapping) and row.get("category_id") is None for row in rows):
        if len(categories) != 1:
            raise InputError(
                f"expected a 'category_id' in the annotations of {path}, found none, and {len(categories)} categories; "
                "export the labels with the classes of the objects"
            )
        rows = [{**row, "category_id": categories[0]["id"]} for row in rows]
        notes.append(f"the annotations have no category_id: all are taken as {categories[0]['name']!r}")
    return rows, notes


def _replaced(row: Any, key: str, names: Mapping[str, object]) -> Any:
    value = row.get(key) if isinstance(row, Mapping) else None
    return {**row, key: names[value]} if isinstance(value, str) and value in names else row


def _image(entry: Any, path: Path) -> dict[str, Any]:
    name = entry.get("file_name") if isinstance(entry, Mapping) else None
    if not isinstance(entry, Mapping) or "id" not in entry or not isinstance(name, str) or not name:
        raise InputError(f"expected an 'id' and a 'file_name' in every image of {path}, found {_named(entry)}")
    return dict(entry)


def _named(entry: Any) -> str:
    """Names in an entry, for messages."""
    if not isinstance(entry, Mapping):
        return str(entry)[:_SHOWN]
    return f"one with {', '.join(map(str, entry))[:_SHOWN]}" if entry else "an empty one"


def _key(value: object) -> object:
    """Id as a whole number if it is one in any spelling; None for an invalid id."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        whole = int(value)
    except (ValueError, OverflowError):
        return value
    return whole if isinstance(value, str) or whole == value else value


def _numbered(
    entries: Sequence[dict[str, Any]], places: Mapping[str, Path], path: Path
) -> tuple[list[dict[str, Any]], dict[object, int]]:
    """Existing images, numbered from 1 and with their sizes; and id in the file -> number."""
    kept: list[dict[str, Any]] = []
    ids: dict[object, int] = {}
    for entry in entries:
        key = _key(entry["id"])
        if key is None or key in ids:
            found = f"{entry['id']!r} twice" if key in ids else repr(entry["id"])
            raise InputError(f"expected every image id once in {path}, as a number or text, found {found}")
        if entry["file_name"] not in places:
            continue
        ids[key] = len(ids) + 1
        width, height = (_side(entry.get(side)) for side in ("width", "height"))
        if width is None or height is None:
            width, height = image_size(places[entry["file_name"]])
        kept.append({"id": ids[key], "file_name": entry["file_name"], "width": width, "height": height})
    return kept, ids


def _side(value: object) -> int | None:
    """Width or height that a file states; None if it is missing or invalid."""
    side = _key(value)
    return side if isinstance(side, int) and side > 0 else None


def _categories(entries: Sequence[Any], path: Path) -> tuple[list[dict[str, Any]], dict[object, int]]:
    categories: list[dict[str, Any]] = []
    ids: dict[object, int] = {}
    for entry in entries:
        key = _key(entry.get("id")) if isinstance(entry, Mapping) else None
        if key is None or "name" not in entry:
            raise InputError(f"expected an 'id' and a 'name' in every category of {path}, found {_named(entry)}")
        if key in ids:
            raise InputError(f"expected no category id twice in {path}, found {entry['id']!r}")
        ids[key] = len(ids) + 1
        categories.append({"id": ids[key], "name": str(entry["name"]), "sort": key})
    if not categories:
        raise InputError(f"expected at least one category in {path}, found none; name the class of the boxes there")
    categories.sort(key=lambda one: (isinstance(one["sort"], str), one["sort"]))  # labels are in the order of the ids
    return [{"id": one["id"], "name": one["name"]} for one in categories], ids


def _image_id(row: Any) -> object:
    return _key(row.get("image_id")) if isinstance(row, Mapping) else None


def _annotation(row: Any, images: Mapping[object, int], categories: Mapping[object, int]) -> Any:
    """Annotation with the new ids, None for unknown ones."""
    if not isinstance(row, Mapping):
        return row
    box = {"bbox": plain_box(row["bbox"])} if "bbox" in row else {}
    known = {"image_id": images.get(_image_id(row)), "category_id": categories.get(_key(row.get("category_id")))}
    return {**row, **known, **box}
