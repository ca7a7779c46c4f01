"""DOTA's text labels: a file for each image, a line `x1 y1 x2 y2 x3 y3 x4 y4 class difficult` for each object."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.datasets.labels.formats.outlines import outline
from pipeline.datasets.labels.images import finder_around, name_of, names_by_stem
from pipeline.datasets.labels.label_set import LabelSet, label_set_of, split_of
from refinedet.errors import FileError, InputError

_CORNERS = 8
_HEAD = ("imagesource:", "gsd:")
"""Beginnings of the lines before the objects."""
_TRIED, _LINES = 20, 5
"""Number of files of a folder, and of lines of each, by which the format is recognised."""


def dota_folders(root: Path) -> dict[str, Path]:
    """Folder of DOTA's files by split, in a folder or two levels below; empty if there is none.

    Raises:
        InputError: two folders are of one split.
    """
    below = (path for pattern in ("*/", "*/*/") for path in sorted(root.glob(pattern)))
    found: dict[str, Path] = {}
    for folder in (root, *below):
        if not _is_dota(folder):
            continue
        inner = folder.relative_to(root).parts
        split = next((one for part in inner if (one := split_of(part))), "train")
        if split in found:
            raise InputError(f"expected one folder of DOTA's labels for {split}, found {found[split]} and {folder}")
        found[split] = folder
    return found if "train" in found or not found else {"train": next(iter(found.values()))}


def read_dota(folders: dict[str, Path], images: Path | None = None) -> dict[str, LabelSet]:
    """Read the files of each split; objects marked difficult are ignored, as in VOC.

    Raises:
        FileError: a file cannot be read, or none of the images exists.
    """
    return {split: _read(folder, images, split) for split, folder in folders.items()}


def _read(folder: Path, images: Path | None, split: str) -> LabelSet:
    files = sorted(folder.glob("*.txt"))
    names = names_by_stem(folder, images)
    known = [path for path in files if path.stem in names or _has_object(path)]
    objects = {name_of(path.stem, names): [_object(line) for line in _lines(path)] for path in known}
    found = label_set_of(objects, finder_around(files[0], images, split), ("DOTA", ""))
    return replace(found, source=str(folder))


def _is_dota(folder: Path) -> bool:
    return any(_has_object(path) for path in islice(sorted(folder.glob("*.txt")), _TRIED))


def _has_object(path: Path) -> bool:
    """True if one of the first lines of a file is an object of DOTA: eight numbers, and a name that is none."""
    try:
        lines = _lines(path)[:_LINES]
    except (FileError, InputError):
        return False
    return any(
        len(words) > _CORNERS and _numbers(words[:_CORNERS]) and not _numbers(words[_CORNERS : _CORNERS + 1])
        for words in lines
    )


def _lines(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise FileError(f"expected DOTA's labels at {path}, but they cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"expected DOTA's labels in {path}, found no text; is it the right file?") from error
    return [line.split() for line in text.splitlines() if line.strip() and not line.lower().startswith(_HEAD)]


def _object(words: Sequence[str]) -> tuple[str | None, dict[str, Any]]:
    """Class and outline of a line; a line that cannot be read has no outline."""
    corners = _numbers(words[:_CORNERS])
    if len(words) <= _CORNERS or not corners:
        return None, {}
    difficult = words[_CORNERS + 1 : _CORNERS + 2] not in ([], ["0"])
    drawn = outline(list(zip(corners[::2], corners[1::2], strict=True)))
    return words[_CORNERS], {**drawn, "ignore": int(difficult)}


def _numbers(words: Sequence[str]) -> list[float]:
    """Finite numbers of words; empty if one is none."""
    try:
        found = [float(word) for word in words]
    except ValueError:
        return []
    return found if all(map(math.isfinite, found)) else []
