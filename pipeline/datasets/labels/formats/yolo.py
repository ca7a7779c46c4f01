"""YOLO folders: a text file for each image, with upright boxes, turned boxes or polygons as shares of the image.

A line is `class cx cy w h`, in which a confidence may follow, or `class x1 y1 x2 y2 ...` of three corners or more (four
for a turned box). The class is a number, or its name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.datasets.labels.formats.yolo_files import LABELS, folders_of, label_file
from pipeline.datasets.labels.images import images_below, name_parts
from pipeline.datasets.labels.label_set import SPLIT_NAMES, UNNAMED, DocumentWriter, LabelSet, image_size, split_of
from refinedet.errors import FileError, InputError

_CLASS_FILES = ("classes.txt", "obj.names")
_DIGITS = 2
"""Decimals of pixels that are kept: shares have six digits, and more decimals would put boxes just beyond the image."""
_SCORED = 6
"""Number of words in a line of a class, a box and its confidence."""
_MOST_SHARE = 1.05
"""Largest share that careless drawing gives; larger numbers are pixels."""


@dataclass(slots=True)
class _Names:
    """Class names by number, and the count of key point numbers after a box."""

    names: Mapping[int, str] | None
    boxes_only: bool = False
    """True if the numbers after a box are key points."""


def read_yolo(root: Path, settings: Path | None = None) -> dict[str, LabelSet]:
    """Read a YOLO folder by split.

    The splits come from the file `settings` (data.yaml), else from the names of folders; else there is only `train`.

    Raises:
        FileError: there is no image or no label file.
        InputError: the settings are no YAML, or the labels are no shares of the image.
    """
    told = {} if settings is None else _settings(settings)
    names = _Names(_class_names(told, root), boxes_only="kpt_shape" in told)
    folders = _named_images(told, settings) if settings is not None else {}
    folders = folders or _images_by_split(root)
    shown = settings or root
    return {split: _read(places, split, shown, names) for split, places in folders.items()}


def settings_in(root: Path) -> Path | None:
    """Path of the data.yaml of a folder, by any name, if there is one."""
    for path in sorted([*root.glob("*.yaml"), *root.glob("*.yml")], key=lambda path: (path.stem != "data", path.name)):
        try:
            if "names" in _settings(path):
                return path
        except InputError:
            continue
    return None


def _settings(path: Path) -> dict[str, Any]:
    try:
        content = YAML(typ="safe").load(path)
    except OSError as error:
        raise FileError(f"expected YOLO's settings at {path}, but they cannot be read ({error.strerror})") from error
    except (YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"expected YOLO's settings in {path}, found no YAML; is it the right file?") from error
    if not isinstance(content, dict):
        raise InputError(f"expected YOLO's settings with `names` in {path}, found none; is it the right file?")
    return content


def _class_names(told: Mapping[str, Any], root: Path) -> Mapping[int, str] | None:
    names = told.get("names")
    if isinstance(names, list):
        return {number: str(name) for number, name in enumerate(names)}
    if isinstance(names, dict):
        return {int(number): str(name) for number, name in names.items() if str(number).isdigit()}
    for path in (folder / name for folder in (root, *folders_of(root, LABELS)) for name in _CLASS_FILES):
        if path.is_file():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            return dict(enumerate(line.strip() for line in lines if line.strip()))
    return None


def _named_images(told: Mapping[str, Any], settings: Path) -> dict[str, list[Path]]:
    """Images of the splits that data.yaml names; a path of another machine leads to the local folder of that name."""
    found: dict[str, list[Path]] = {}
    for split, spellings in SPLIT_NAMES.items():
        listed = [told[name] for name in spellings if isinstance(told.get(name), str | list)]
        named = [
            one for entry in listed for one in ([entry] if isinstance(entry, str) else entry) if isinstance(one, str)
        ]
        places = [place for one in named for place in _images_of(one, told.get("path"), settings)]
        if named and not places and split == "train":
            raise FileError(
                f"expected the images that {settings} names as train, {named[0]}, below {settings.parent}, found none; "
                "correct its paths"
            )
        if places:
            found[split] = list(dict.fromkeys(places))
    return found


def _images_of(name: str, path: object, settings: Path) -> list[Path]:
    """Images of one entry of a split: a folder, or a text file that lists images; the end of the path suffices."""
    tails = [name_parts(name)[first:] for first in range(len(name_parts(name)))]
    bases = [settings.parent]
    if isinstance(path, str):
        bases = (
            [Path(path).expanduser(), settings.parent / path] if Path(path).is_absolute() else [settings.parent / path]
        )
        bases.append(settings.parent)
    named = [Path(name)] if Path(name).is_absolute() else [base / name for base in bases]
    for place in (*named, *(base.joinpath(*tail) for tail in tails for base in bases)):
        if place.is_dir():
            return list(images_below(place))
        if place.is_file() and place.suffix == ".txt":
            lines = place.read_text(encoding="utf-8", errors="replace").split("\n")
            listed = [_listed(line.strip(), place, settings) for line in lines if line.strip()]
            return [one for one in listed if one is not None]
    return []


def _listed(line: str, file: Path, settings: Path) -> Path | None:
    parts = name_parts(line)
    tails = (base.joinpath(*parts[first:]) for first in range(len(parts)) for base in (file.parent, settings.parent))
    return next((place for place in (Path(line), *tails) if place.is_file()), None)


def _images_by_split(root: Path) -> dict[str, list[Path]]:
    """Images below the folder by split; the name of a folder in their path is the split."""
    found: dict[str, list[Path]] = {}
    for place in images_below(root):
        inner = place.relative_to(root).parts[:-1]
        split = next((split for part in inner if (split := split_of(part))), "train")
        found.setdefault(split, []).append(place)
    if not found:
        raise FileError(f"expected images below {root}, found none; put them there, in a folder images beside labels")
    return found if "train" in found else {"train": [place for places in found.values() for place in places]}


def _read(places: list[Path], split: str, source: Path, names: _Names) -> LabelSet:
    writer = DocumentWriter()
    for name in (names.names or {}).values():
        writer.category(name)  # their order is the order of the classes
    without, beyond, values, scored, named, full = 0, 0, 0, 0, 0, 0
    for place in places:
        width, height = image_size(place)
        image_id = writer.add_image(place, (width, height))
        path = label_file(place)
        if path is None:
            without += 1
            continue
        full += path.stem == place.name
        for words in _lines(path):
            drawn = _drawn(words, width, height, boxes_only=names.boxes_only)
            writer.add_object(image_id, _class(words[0], names), **drawn.shape)
            beyond, values = beyond + (drawn.largest > _MOST_SHARE), values + 1
            scored += len(words) == _SCORED and not names.boxes_only
            named += not _is_number(words[0])
    if beyond > values / 2:
        raise InputError(
            f"expected shares of the image from 0 to 1 in the labels of {source}, found pixels; divide them"
        )
    if without == len(places):
        raise FileError(
            f"expected a text file for each image of {split} in {source}, in a folder labels beside the folder images "
            "or beside the image, found none"
        )
    told = _notes(names, without, len(places), scored=scored, named=named > 0)
    if full:
        told += (f"{full} label files are named by the whole name of their image, such as c.png.txt for c.png",)
    return LabelSet(writer.document(), writer.places, str(source), "YOLO", told)


def _notes(names: _Names, without: int, images: int, *, scored: int, named: bool) -> tuple[str, ...]:
    found = []
    if scored:
        found.append(f"{scored} lines have a sixth number: it is taken as a confidence, and is not used")
    if names.names is None and named:
        found.append("the lines begin with the names of their classes, which are taken as they are")
    elif names.names is None:
        found.append(f"the labels name no classes: class 0 is taken as {UNNAMED!r}")
    if without:
        found.append(f"{without} of {images} images have no label file: they are taken as images without objects")
    return tuple(found)


def _lines(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"expected YOLO's labels in {path}, found no text; is it the right file?") from error
    return [_words(line) for line in text.splitlines() if line.strip()]


def _words(line: str) -> list[str]:
    """Class and numbers of a line, with decimal points; commas or semicolons may stand between them."""
    words = line.split()
    if len(words) == 1:
        return re.split("[,;]", words[0])
    return [words[0].rstrip(",;"), *(word.rstrip(",;").replace(",", ".") for word in words[1:])]


@dataclass(frozen=True, slots=True)
class _Drawn:
    shape: dict[str, Any]
    """Box or outline in pixels; empty if it cannot be read."""
    largest: float = 0.0
    """Largest of its numbers."""


def _drawn(words: list[str], width: int, height: int, *, boxes_only: bool) -> _Drawn:
    try:
        shares = [float(word) for word in words[1:]]
    except ValueError:
        return _Drawn({})
    if boxes_only:
        shares = shares[:4]
    if not shares or not all(map(math.isfinite, shares)):
        return _Drawn({})
    if len(shares) == 5:  # a detector's labels have their confidence
        shares = shares[:4]
    if len(shares) == 4:
        cx, cy, w, h = shares
        left, top = round((cx - w / 2) * width, _DIGITS), round((cy - h / 2) * height, _DIGITS)
        right, bottom = round((cx + w / 2) * width, _DIGITS), round((cy + h / 2) * height, _DIGITS)
        return _Drawn({"bbox": [left, top, right - left, bottom - top]}, max(shares))
    if len(shares) < 6 or len(shares) % 2:
        return _Drawn({})
    sides = (width, height) * (len(shares) // 2)
    ring = [round(share * side, _DIGITS) for share, side in zip(shares, sides, strict=True)]
    return _Drawn({"segmentation": [ring]}, max(shares))


def _class(word: str, names: _Names) -> str | None:
    """Name of the class of a line, which may be the word itself; None if no class has that number or name."""
    if not _is_number(word):
        return word if names.names is None or word in names.names.values() else None
    return _name(int(float(word)), names) if math.isfinite(float(word)) else None


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _name(number: int, names: _Names) -> str | None:
    if names.names is not None:
        return names.names.get(number)
    return UNNAMED if number == 0 else str(number)
