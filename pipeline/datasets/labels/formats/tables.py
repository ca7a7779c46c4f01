"""Tables of boxes (CSV): a row for each box, with the name of its image; columns are found by their names."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.datasets.labels.box_checks import refuse_sizes
from pipeline.datasets.labels.box_numbers import BoxFormat, corner_and_size
from pipeline.datasets.labels.images import IMAGE_SUFFIXES, finder_around, name_of, names_by_stem
from pipeline.datasets.labels.label_set import UNNAMED, LabelSet, Objects, label_set_of
from refinedet.errors import FileError, InputError

_IMAGE = ("filename", "filepath", "imagepath", "imagename", "image", "file", "path", "imageid", "imgpath", "img")
_CLASS = ("class", "classname", "label", "labelname", "category", "categoryname", "name", "object")
_BOXES: Mapping[BoxFormat, tuple[tuple[str, ...], ...]] = {
    "xyxy": (
        ("xmin", "ymin", "xmax", "ymax"),
        ("x1", "y1", "x2", "y2"),
        ("left", "top", "right", "bottom"),
        ("xtl", "ytl", "xbr", "ybr"),
    ),
    "cxcywh": tuple(
        (*centre, *size)
        for centre in (("cx", "cy"), ("xcenter", "ycenter"), ("centerx", "centery"), ("xcentre", "ycentre"))
        for size in (("w", "h"), ("width", "height"))
    ),
    "xywh": (
        ("x", "y", "w", "h"),
        ("x", "y", "width", "height"),
        ("left", "top", "width", "height"),
        ("xmin", "ymin", "width", "height"),
        ("bboxx", "bboxy", "bboxwidth", "bboxheight"),
        ("bbox",),
    ),
}
"""Names of the columns of a box by their meaning, in lower-case letters and digits only: four of them, or one with a
list such as [15, 12, 10, 6], as Kaggle's tables have."""
_WORDS: Mapping[BoxFormat, str] = {
    "xyxy": "two corners",
    "cxcywh": "centre and size",
    "xywh": "upper left corner and size",
}
_NUMBERS = 4
_DELIMITERS = ";\t,"
"""Those beside which a comma may be decimal come first, where a line has as many of both."""
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
FIRST_LINE = "filename,class,xmin,ymin,xmax,ymax"
"""Names of columns for messages."""


@dataclass(frozen=True, slots=True)
class _Columns:
    image: int
    box: tuple[int, ...]
    meaning: BoxFormat
    name: int | None
    """Column of the class; None: there is none."""
    named: bool
    """False for a table without a line of names."""


def is_box_table(path: Path) -> bool:
    """True if a file is a table of boxes with the names of their images."""
    try:
        return _columns(_rows(path, most=1)) is not None
    except (FileError, InputError):
        return False


def read_box_table(
    path: Path, images: Path | None = None, boxes: BoxFormat | None = None, *, split: str = "train"
) -> LabelSet:
    """Read a table of boxes in pixels; a row without numbers is an image without objects.

    Args:
        path: the table.
        images: folder of the images; None: searched for around the table.
        boxes: meaning of the four numbers; None: by the names of their columns.
        split: name of a folder in which the images may lie.

    Raises:
        FileError: the table cannot be read, or none of its images exists.
        InputError: its columns are not found, or its boxes look like corner and size where two corners are named.
    """
    rows = _rows(path)
    columns = _columns(rows)
    if columns is None:
        raise InputError(f"expected a line of names such as {FIRST_LINE} in {path}, found {','.join(rows[0])[:120]}")
    meaning = boxes or columns.meaning
    names = names_by_stem(path.parent, images)
    objects: Objects = {}
    commas = False
    for row in rows[columns.named :]:
        cells = [row[i].strip() if i < len(row) else "" for i in (columns.image, *columns.box)]
        if len(columns.box) == 1:
            cells[1:] = cells[1].strip("[]()").replace(",", " ").split()
        drawn = objects.setdefault(_image(cells[0], names), [])
        commas = commas or any("," in cell for cell in cells[1:])
        if any(cells[1:]):
            word = UNNAMED if columns.name is None else row[columns.name].strip() if columns.name < len(row) else ""
            drawn.append((word or None, _drawn(cells[1:], meaning)))
    found = label_set_of(objects, finder_around(path, images, split), ("table", _note(columns, meaning, commas=commas)))
    if boxes is None and meaning == "xyxy":
        refuse_sizes(found)
    return found


def _rows(path: Path, most: int | None = None) -> list[list[str]]:
    """Rows that are not empty, at most so many."""
    found: list[list[str]] = []
    try:
        with path.open(encoding=_encoding(path), newline="") as stream:
            first = stream.readline()
            stream.seek(0)
            for row in csv.reader(stream, delimiter=max(_DELIMITERS, key=first.count), skipinitialspace=True):
                if any(cell.strip() for cell in row):
                    found.append(row)
                if most is not None and len(found) >= most:
                    break
    except OSError as error:
        raise FileError(f"expected a table at {path}, but it cannot be read ({error.strerror})") from error
    except UnicodeError as error:
        raise InputError(
            f"expected a table in UTF-8 or UTF-16 in {path}, found other text or none; save it as CSV in UTF-8"
        ) from error
    except csv.Error as error:
        raise InputError(f"expected a table in {path}, found something else ({error})") from error
    if not found:
        raise InputError(f"expected a table of boxes in {path}, found an empty file")
    return found


def _encoding(path: Path) -> str:
    """Encoding of a table, which spreadsheets may save in UTF-16."""
    with path.open("rb") as stream:
        return "utf-16" if stream.read(2) in _UTF16 else "utf-8-sig"


def _columns(rows: Sequence[Sequence[str]]) -> _Columns | None:
    """Columns by the names in the first row; or by their order, if it begins with an image and four numbers."""
    names = ["".join(filter(str.isalnum, name.lower())) for name in rows[0]]
    image = next((names.index(name) for name in _IMAGE if name in names), None)
    fitting = [(meaning, one) for meaning, some in _BOXES.items() for one in some if set(one) <= set(names)]
    if image is not None and fitting:
        meaning, box = fitting[0]
        name = next((names.index(word) for word in _CLASS if word in names), None)
        return _Columns(image, tuple(map(names.index, box)), meaning, name, named=True)
    if len(names) > _NUMBERS and Path(rows[0][0].strip()).suffix.lower() in IMAGE_SUFFIXES and _numbers(rows[0][1:5]):
        return _Columns(0, (1, 2, 3, 4), "xyxy", 5 if len(names) > 5 else None, named=False)
    return None


def _image(name: str, names: Mapping[str, str]) -> str:
    return name if Path(name).suffix.lower() in IMAGE_SUFFIXES else name_of(name, names)


def _drawn(cells: Sequence[str], meaning: BoxFormat) -> dict[str, Any]:
    numbers = _numbers(cells)
    if len(numbers) != _NUMBERS:
        return {}
    return {"bbox": numbers if meaning == "xywh" else corner_and_size(numbers, meaning)}


def _numbers(cells: Sequence[str]) -> list[float]:
    """Numbers of cells, which may have decimal commas; empty if one is none."""
    try:
        return [float(cell.replace(",", ".")) for cell in cells]
    except ValueError:
        return []


def _note(columns: _Columns, meaning: BoxFormat, *, commas: bool) -> str:
    order = "" if columns.named else "the table has no line of names: its columns are taken as image, box and class; "
    decimal = "a comma in a number is taken as decimal comma; " if commas else ""
    return f"{order}{decimal}the numbers of a box are taken as {_WORDS[meaning]}; `boxes` overrules this"
