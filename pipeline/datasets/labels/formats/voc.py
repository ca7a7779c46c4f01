"""Labels in VOC's format: an XML file for each image, as LabelImg writes them and published sets have them.

The sizes of the images are those of the images, because some sets state none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.datasets.labels.formats.outlines import outline
from pipeline.datasets.labels.images import finder_around, name_of, names_by_stem
from pipeline.datasets.labels.label_set import LabelSet, label_set_of
from pipeline.datasets.voc_xml import VocObject, is_annotation, read_image_set, read_objects

XML = "*.[xX][mM][lL]"
"""Pattern of files, whose suffix some tools write in upper case."""
_LISTS, _OF_GDAL = "ImageSets/Main", ".aux.xml"


def voc_files(root: Path) -> list[Path]:
    """VOC's XML files in a folder or its subfolders, without GDAL's; empty if the first one is of another kind."""
    every = (path for pattern in (XML, f"*/{XML}") for path in root.glob(pattern) if path.is_file())
    found = sorted(path for path in every if not path.name.endswith(_OF_GDAL))
    return found if found and is_annotation(found[0]) else []


def read_voc(root: Path, files: Sequence[Path], images: Path | None = None) -> dict[str, LabelSet]:
    """Read VOC's XML files by split: those of the lists in ImageSets/Main, or train alone without lists.

    Args:
        root: folder of the data set.
        files: XML files in it.
        images: folder of the images; None: searched for around the labels.

    Raises:
        FileError: none of the images exists, or a file cannot be read.
        InputError: a file is invalid.
    """
    by_id = {path.stem: path for path in files}
    lists = {split: root / _LISTS / f"{split}.txt" for split in ("train", "val", "test")}
    listed = {split: read_image_set(path) for split, path in lists.items() if path.is_file()}
    if "train" not in listed:
        return {"train": _read(files, images, "train")}
    chosen = {split: [by_id[one] for one in ids if one in by_id] for split, ids in listed.items()}
    return {split: _read(some, images, split) for split, some in chosen.items() if some}


def _read(files: Sequence[Path], images: Path | None, split: str) -> LabelSet:
    folder = files[0].parent
    names = names_by_stem(folder, images)  # the name in a file often lacks its suffix
    objects = {name_of(path.stem, names): _objects(*read_objects(path)) for path in files}
    found = label_set_of(objects, finder_around(files[0], images, split), ("VOC", ""))
    return replace(found, source=str(folder))


def _objects(said: Sequence[VocObject], malformed: int) -> list[tuple[str | None, dict[str, Any]]]:
    """Class name and box of each object; an object that cannot be read has neither."""
    found: list[tuple[str | None, dict[str, Any]]] = []
    for entry in said:
        x1, y1, x2, y2 = entry.corners_xyxy
        ring = outline([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])
        drawn = ring if entry.from_outline else {"bbox": [x1, y1, x2 - x1, y2 - y1]}
        found.append((entry.name, {**drawn, "iscrowd": int(entry.difficult)}))
    return found + [(None, {})] * malformed
