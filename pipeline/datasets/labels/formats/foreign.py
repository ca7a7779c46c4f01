"""Formats of labels that are recognised but not read: their name, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.datasets.xml_files import xml_root
from refinedet.errors import FileError, InputError
from refinedet.files import read_json
from refinedet.raster.checks.other_kinds import ARCHIVES, HEAD_BYTES

_JSON_MIN = "Label Studio's short JSON, JSON-MIN; export the labels as COCO or YOLO"
_KEYS: tuple[tuple[str, frozenset[str]], ...] = (
    ("Label Studio's own JSON; export the labels as COCO or YOLO", frozenset({"data", "annotations"})),
    (_JSON_MIN, frozenset({"image", "annotation_id"})),
    (_JSON_MIN, frozenset({"id", "image", "label"})),
    ("CreateML's JSON; export the labels as COCO or VOC", frozenset({"image", "annotations"})),
    ("COCO's results without images; name the file of annotations", frozenset({"image_id", "bbox"})),
    ("Supervisely's JSON; export the labels as COCO", frozenset({"size", "objects"})),
    ("Datumaro's JSON; export the labels as COCO", frozenset({"categories", "items"})),
    ("a project of VIA 3; export the labels as COCO", frozenset({"project", "file", "metadata"})),
    ("a project of VoTT; export the labels as CSV or VOC", frozenset({"assets"})),
    ("GeoJSON; name the scenes of the labels with `scene`", frozenset({"type", "features"})),
)
"""Formats, and keys that a document, or each entry of its list, has in them."""

JSON_LINES = "a file of JSON lines, such as Hugging Face's metadata.jsonl; convert it to COCO"
"""Name of the format of a file with a JSON document in each line, with what to do."""
_MASKS = ("mask", "masks")


def archive_kind(path: Path) -> str | None:
    """Kind of archive that a file is; None if it is none, or cannot be read."""
    try:
        with path.open("rb") as stream:
            first = stream.read(HEAD_BYTES)
    except OSError:
        return None
    return next((kind for kind, begin in ARCHIVES if first.startswith(begin)), None)


def foreign_document(document: Any) -> str | None:
    """Name of the format of a JSON document that is not read, with what to do; None if it is not known."""
    one = document[0] if isinstance(document, list) and document else document
    if not isinstance(one, Mapping):
        return None
    return next((name for name, keys in _KEYS if keys <= one.keys()), None)


def foreign_xml(path: Path) -> str:
    """Name of the format of an XML file that is not read, with what to do.

    Raises:
        FileError, InputError: as `xml_root`.
    """
    return f"XML of another kind ({xml_root(path).tag}); convert it to VOC or COCO"


def foreign_in(folder: Path) -> str | None:
    """Name of the first file in a folder whose format is known but not read, with what to do; None without one."""
    patterns = [f"{inner}*{suffix}" for inner in ("", "*/") for suffix in (".json", ".xml", ".jsonl")]
    for path in sorted(path for pattern in patterns for path in folder.glob(pattern)):
        kind = _kind(path)
        if kind is not None and not path.name.endswith(".aux.xml"):
            return f"{kind.partition(';')[0]} ({path.name});{kind.partition(';')[2]}"
    masks = (path for pattern in ("*/*.png", "*/*/*.png") for path in sorted(folder.glob(pattern)))
    mask = next((path for path in masks if path.parent.name.lower() in _MASKS), None)
    return None if mask is None else f"masks as images ({mask.relative_to(folder)}); write each ship as a box in COCO"


def _kind(path: Path) -> str | None:
    if path.suffix == ".jsonl":
        return JSON_LINES
    try:
        return foreign_xml(path) if path.suffix == ".xml" else foreign_document(read_json(path))
    except (FileError, InputError):
        return None
