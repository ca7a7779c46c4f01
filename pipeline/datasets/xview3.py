"""Labels of xView3-SAR, a CSV of points and boxes in scenes, as COCO JSON: annotations/<split>.json, scenes in scenes/.

A vessel with a box and at least medium confidence is truth. A vessel of low confidence or without a box is a region to
ignore, and so is an object that may or may not be a vessel. In such a region, neither a detection nor a miss counts.
Objects that are no vessels are left out.
"""

from __future__ import annotations

import csv
import logging
import re
from collections import defaultdict
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from pipeline.datasets.by_hand import copy_file
from pipeline.datasets.splits import Image, cut_off
from pipeline.stage import SPLITS
from refinedet.data.coco import Annotated, build_record, write_record
from refinedet.data.truth import Changes, Corners, ImageTruth
from refinedet.downloads.disk import need_room
from refinedet.errors import FileError, InputError
from refinedet.raster import open_scene

_LOG = logging.getLogger(__name__)
_LABELS, _RASTER = "validation.csv", "VV_dB.tif"
_COLUMNS = ("scene_id", "detect_scene_row", "detect_scene_column", "is_vessel", "confidence", "vessel_length_m")
_SIDES = ("left", "top", "right", "bottom")
_PIXEL_M = 10.0
_LEAST_M = 100.0
"""Side of the region that is ignored around a point of unknown length."""
_TEST, _VAL = 0.2, 0.1

_SCENE_ID = re.compile(r"\w[\w-]{0,99}")
_Row = Mapping[str, str]


def prepare_xview3(place: Path, out: Path) -> None:
    """Copy the scenes in folder `place` and their labels to the existing folder `out`.

    Raises:
        FileError: the labels or all scenes are missing, or the disk is too small.
        InputError: the labels lack a column or hold no number where one belongs, or there are too few scenes.
    """
    rows = _rows(place / _LABELS)
    scenes = {name: place / name / _RASTER for name in sorted(rows) if (place / name / _RASTER).is_file()}
    if len(scenes) < len(SPLITS):
        raise InputError(
            f"expected <scene id>/{_RASTER} in {place} for at least {len(SPLITS)} of the {len(rows)} scenes of "
            f"{_LABELS}, found {len(scenes)}; unpack more scenes there"
        )
    if len(scenes) < len(rows):
        _LOG.warning("%d of the %d scenes of %s are there: the others are left out", len(scenes), len(rows), _LABELS)
    need_room(out, sum(path.stat().st_size for path in scenes.values()), f"a copy of {place.name}")
    changes = Changes()
    images = [Image(_scene(name, path, rows[name], changes), _digest(name)) for name, path in scenes.items()]
    rest, test = cut_off(images, _TEST, "test", leave=2)
    train, val = cut_off(rest, _VAL / (1 - _TEST), "val", leave=1)
    for split, part in zip(SPLITS, (train, val, test), strict=True):
        record = build_record([image.annotated for image in part], ("ship",))
        write_record(out / "annotations" / f"{split}.json", record)
        _LOG.info("%s: %d scenes, %d boxes", split, len(part), record.box_count)
    if changes.dropped or changes.clipped:
        _LOG.warning("%s: %s", _LABELS, changes.to_dict())
    for name, path in scenes.items():
        copy_file(path, out / "scenes" / f"{name}.tif")


def _digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def _rows(path: Path) -> dict[str, list[_Row]]:
    """Rows of the label file by scene."""
    found: dict[str, list[_Row]] = defaultdict(list)
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            lacking = sorted({*_COLUMNS, *_SIDES} - set(reader.fieldnames or ()))
            if lacking:
                raise InputError(f"expected the columns {lacking} in {path}, found none; is it xView3's {_LABELS}?")
            for fields in reader:
                row = {column: value or "" for column, value in fields.items() if column}  # short rows lack values
                if not _SCENE_ID.fullmatch(row["scene_id"]):  # it becomes the name of a file
                    raise InputError(
                        f"expected scene ids such as 590dd08f71056cacv in {path}, found {row['scene_id']!r}"
                    )
                found[row["scene_id"]].append(row)
    except OSError as error:
        raise FileError(f"expected labels at {path}, but they cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"expected a table in {path}, found something else ({error}); fetch it again") from error
    return dict(found)


def _scene(name: str, path: Path, rows: list[_Row], changes: Changes) -> Annotated:
    with open_scene(path) as scene:
        width, height = scene.info.width, scene.info.height
    truth = ImageTruth(width, height, changes)
    for row in rows:
        vessel = row["is_vessel"].strip().lower()
        if vessel == "false":
            changes.drop("no vessel")
            continue
        corners = _corners(row)
        sure = vessel == "true" and row["confidence"].strip().upper() in {"HIGH", "MEDIUM"}
        truth.add(corners or _around(row), 0, ignored=not sure or corners is None)
    return Annotated(f"{name}.tif", width, height, *truth.arrays())


def _corners(row: _Row) -> Corners | None:
    """Box of a row, with rows counted upwards or downwards; None where it has none."""
    left, top, right, bottom = (_number(row, side) for side in _SIDES)
    if left is None or top is None or right is None or bottom is None:
        return None
    return min(left, right), min(top, bottom), max(left, right), max(top, bottom)


def _around(row: _Row) -> Corners:
    y, x = _number(row, "detect_scene_row"), _number(row, "detect_scene_column")
    if x is None or y is None:
        raise InputError(f"expected the place of every detection of {row['scene_id']} in {_LABELS}, found one without")
    half = max(_number(row, "vessel_length_m") or 0.0, _LEAST_M) / _PIXEL_M / 2
    return x - half, y - half, x + half, y + half


def _number(row: _Row, column: str) -> float | None:
    text = row[column].strip()
    if text.lower() in {"", "nan", "none"}:
        return None
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"expected a number as {column} of {row['scene_id']} in {_LABELS}, found {text!r}") from error
