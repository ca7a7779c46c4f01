"""Finder of labels: detects the format and the splits of a file or folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.datasets.labels.box_checks import WITH_BOXES, check_boxes
from pipeline.datasets.labels.box_numbers import BoxFormat
from pipeline.datasets.labels.formats.coco import read_coco
from pipeline.datasets.labels.formats.cvat import cvat_files, is_cvat, read_cvat
from pipeline.datasets.labels.formats.dota import dota_folders, read_dota
from pipeline.datasets.labels.formats.foreign import JSON_LINES, archive_kind, foreign_document, foreign_in, foreign_xml
from pipeline.datasets.labels.formats.shapes import is_labelme, is_via, is_via_table, read_labelme, read_via
from pipeline.datasets.labels.formats.tables import is_box_table, read_box_table
from pipeline.datasets.labels.formats.voc import read_voc, voc_files
from pipeline.datasets.labels.formats.yolo import read_yolo, settings_in
from pipeline.datasets.labels.formats.yolo_files import is_yolo
from pipeline.datasets.labels.images import IMAGE_SUFFIXES, folders_of_ours
from pipeline.datasets.labels.label_set import LabelSet, split_of
from pipeline.datasets.labels.unused import tell_unused
from pipeline.datasets.voc_xml import is_annotation
from refinedet.errors import FileError, InputError
from refinedet.files import read_json

FORMATS = (
    "COCO (JSON), YOLO (a folder or its data.yaml), VIA (JSON or CSV), labelme (a folder of JSON files), VOC (a folder "
    "of XML files), CVAT (XML), DOTA (a folder of text files), or a table of boxes (CSV)"
)
_JSON, _CSV = "*.[jJ][sS][oO][nN]", "*.[cC][sS][vV]"
_TABLES = {".csv", ".tsv"}
_ROBOFLOW = "_annotations.coco.json"


def find_labels(path: Path, images: Path | None = None, boxes: BoxFormat | None = None) -> dict[str, LabelSet]:
    """Find and read the labels in a file or folder, by split: train, and val and test if the folder has them.

    Args:
        path: a file of labels, or a folder.
        images: folder of the images; None: searched for around the labels.
        boxes: meaning of the four numbers of a box in a COCO file or a table; None: as in COCO or by the names of the
            columns, or an error if that is impossible.

    Raises:
        FileError: there are no labels, or no image of the labels.
        InputError: the format of the labels is unknown or ambiguous, or the labels are invalid.
    """
    if images is not None and not images.is_dir():
        raise FileError(f"expected a folder of images at {images}, found none; check `images`")
    if not path.suffix and not path.exists():
        raise FileError(f"expected a folder of labels at {path}, found nothing there; check the name")
    if path.is_dir():
        found = _folder(path, images, boxes)
    elif path.suffix.lower() in IMAGE_SUFFIXES:
        raise InputError(f"expected a file or folder of labels, found an image, {path}; name its labels")
    elif path.suffix.lower() in {".yaml", ".yml"}:
        found = read_yolo(path.parent, path)
    elif path.suffix.lower() == ".xml" and is_cvat(path):
        found = read_cvat(path, images)
    else:
        found = {"train": _file(path, images, boxes)}
    other = next((one.kind for one in found.values() if one.kind not in WITH_BOXES), None)
    if boxes is not None and other is not None:
        raise InputError(
            f"expected a COCO file or a table where `boxes` is set, found {other} in {path}; leave `boxes` out"
        )
    if images is not None and any(one.kind == "YOLO" for one in found.values()):
        raise InputError(f"expected no `images` beside YOLO's labels in {path}, which name theirs; leave it out")
    return tell_unused({split: check_boxes(one, boxes) for split, one in found.items()})


def is_table_of_images(path: Path) -> bool:
    """True if a file is a table with the labels of images: VIA's, or one of boxes."""
    return is_via_table(path) or is_box_table(path)


def _file(path: Path, images: Path | None, boxes: BoxFormat | None) -> LabelSet:
    suffix = path.suffix.lower()
    if suffix in _TABLES:
        return read_via(path, images) if is_via_table(path) else read_box_table(path, images, boxes)
    if suffix == ".txt":
        raise InputError(f"expected the labels of all images, found those of one, {path}; name the folder")
    if suffix == ".xml" and is_annotation(path):
        raise InputError(f"expected the labels of all images, found VOC's for one, {path}; name the folder")
    if suffix == ".xml":
        raise InputError(f"expected labels that can be read in {path}, found {foreign_xml(path)}")
    if (packed := archive_kind(path)) is not None:
        raise InputError(f"expected labels that can be read in {path}, found {packed}; unpack it, and name its folder")
    if suffix == ".jsonl":
        raise InputError(f"expected labels that can be read in {path}, found {JSON_LINES}")
    document = read_json(path)
    if is_labelme(document):
        raise InputError(
            f"expected a file with the labels of all images, found labelme's for one, {path}; name the folder"
        )
    if is_via(document) and not _is_coco(document):
        return read_via(path, images)
    other = None if _is_coco(document) else foreign_document(document)
    if other is not None:
        raise InputError(f"expected labels that can be read in {path}, found {other}")
    return read_coco(path, images, boxes)


def _folder(root: Path, images: Path | None, boxes: BoxFormat | None) -> dict[str, LabelSet]:
    settings = settings_in(root)
    if settings is not None and (is_yolo(root) or not _json_files(root)):
        return read_yolo(root, settings)
    kinds = {path: _kind(path) for path in _json_files(root)}
    coco, via, labelme = ([path for path, kind in kinds.items() if kind == one] for one in ("coco", "via", "labelme"))
    if coco:
        by_split = _by_split(coco, root)
        return {split: read_coco(path, images, boxes, split=split) for split, path in by_split.items()}
    via += [path for path in sorted(root.glob("*.csv")) if is_via_table(path)]
    if via:
        return {"train": read_via(_only(via, root), images)}
    if labelme:
        return {"train": read_labelme(labelme, images)}
    return _without_json(root, images, boxes)


def _without_json(root: Path, images: Path | None, boxes: BoxFormat | None) -> dict[str, LabelSet]:
    """Labels of a folder in XML, text or tables."""
    voc = voc_files(root)
    if voc:
        return read_voc(root, voc, images)
    cvat = cvat_files(root)
    if cvat:
        return read_cvat(_only(cvat, root), images)
    dota = dota_folders(root)
    if dota:
        return read_dota(dota, images)
    if is_yolo(root):
        return read_yolo(root)
    tables = [path for path in sorted([*root.glob(_CSV), *root.glob(f"*/{_CSV}")]) if is_box_table(path)]
    if tables:
        by_split = _by_split(tables, root)
        return {split: read_box_table(path, images, boxes, split=split) for split, path in by_split.items()}
    other = foreign_in(root)
    if other is not None:
        raise FileError(f"expected labels that can be read in {root}, found {other}")
    deeper = next((path for path in sorted([*root.glob("*/"), *root.glob("*/*/")]) if _has_labels(path)), None)
    if deeper is not None:
        raise FileError(f"expected labels in {root}, as {FORMATS}, found them in {deeper} alone; name that folder")
    raise FileError(f"expected labels in {root}, as {FORMATS}, found none; name the file")


def _has_labels(folder: Path) -> bool:
    """True if a folder has labels in a format of its own files."""
    return (
        any(_kind(path) is not None for path in _json_files(folder))
        or bool(voc_files(folder) or cvat_files(folder) or dota_folders(folder))
        or is_yolo(folder)
    )


def _json_files(root: Path) -> list[Path]:
    """JSON files in a folder and its subfolders, without those of an earlier training."""
    ours = folders_of_ours(root)
    found = [path for pattern in (_JSON, f"*/{_JSON}") for path in root.glob(pattern) if path.is_file()]
    return sorted(path for path in found if path.parent == root or path.parent.name not in ours)


def _kind(path: Path) -> str | None:
    """Format of a JSON file in a folder; None for any other."""
    try:
        document = read_json(path)
    except InputError:
        return None
    if _is_coco(document):
        return "coco"
    return "labelme" if is_labelme(document) else "via" if is_via(document) else None


def _is_coco(document: Any) -> bool:
    return isinstance(document, Mapping) and "images" in document and "annotations" in document


def _by_split(files: list[Path], root: Path) -> dict[str, Path]:
    """Split -> its COCO file. A single file is `train`, whatever its name."""
    if len(files) == 1:
        return {"train": files[0]}
    splits: dict[str, list[Path]] = {}
    for path in files:
        name = path.parent.name if path.name == _ROBOFLOW else path.stem
        splits.setdefault(split_of(name) or "", []).append(path)
    named = {split: _only(paths, root) for split, paths in splits.items() if split}
    if "train" not in named or "" in splits:
        _only(files, root)
    return {split: named[split] for split in ("train", "val", "test") if split in named}


def _only(files: list[Path], root: Path) -> Path:
    if len(files) > 1:
        raise InputError(
            f"expected one file of labels in {root}, or one each named train, val and test, found {files[0].name} and "
            f"{files[1].name}; name the file"
        )
    return files[0]
