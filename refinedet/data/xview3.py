"""Labels of xView3-SAR: a table (CSV) of points in many scenes, some with boxes.

The columns are those of the contest: https://iuu.xview.us. Rows and columns are pixels of the contest's own rasters,
with pixels of 10 m.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from refinedet.data.truth import Corners
from refinedet.errors import FileError, InputError

PIXEL_M = 10.0
"""Side of a pixel in every scene."""
SIDES = ("left", "top", "right", "bottom")
"""Columns of a box."""
SURE = frozenset({"HIGH", "MEDIUM"})
"""Values of confidence of labels that count."""
LOW = "LOW"
"""Value of confidence of labels that count neither as found nor as missed."""

_COLUMNS = ("scene_id", "detect_scene_row", "detect_scene_column", "is_vessel", "confidence", "vessel_length_m")
_SCENE_ID = re.compile(r"\w[\w-]{0,99}")
_UNKNOWN = frozenset({"", "nan", "none"})
_TRUE, _FALSE = frozenset({"true", "1", "1.0"}), frozenset({"false", "0", "0.0"})
_LEAST_M = 100.0
"""Side of the region around a point of unknown length."""


@dataclass(frozen=True, slots=True)
class Label:
    """Label of one object."""

    scene: str
    row: float
    """Row of its pixel, counted from 0."""
    column: float
    confidence: str
    """HIGH, MEDIUM or LOW, as the file says."""
    is_vessel: bool | None
    is_fishing: bool | None
    length_m: float
    """Length; NaN: unknown."""
    shore_km: float
    """Distance to the shore; NaN: unknown."""
    lonlat: tuple[float, float]
    """Degrees; NaN: unknown."""
    box: Corners | None
    """Box in pixels; None where the file has none."""

    @property
    def sure(self) -> bool:
        """True for a vessel of high or medium confidence."""
        return self.is_vessel is True and self.confidence in SURE

    @property
    def around(self) -> Corners:
        """Square in pixels around its place, of its length or of 100 m."""
        half = max(self.length_m if math.isfinite(self.length_m) else 0.0, _LEAST_M) / PIXEL_M / 2
        return self.column - half, self.row - half, self.column + half, self.row + half


def read_labels(path: Path, needed: Collection[str] = ()) -> list[Label]:
    """Read all labels of a file; it must have the columns `needed` besides those that every label needs.

    Raises:
        FileError: it cannot be read.
        InputError: a column is missing, or a value is no number or name where one is expected.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            lacking = sorted({*_COLUMNS, *needed} - set(reader.fieldnames or ()))
            if lacking:
                raise InputError(
                    f"expected a table of xView3 at {path}, found none of the columns {', '.join(lacking)} there; "
                    "name validation.csv of the contest"
                )
            # short rows lack values
            return [_label({key: value or "" for key, value in row.items() if key}, path) for row in reader]
    except OSError as error:
        raise FileError(f"expected labels at {path}, but they cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"expected a table in {path}, found something else ({error}); fetch it again") from error


def is_label_table(path: Path) -> bool:
    """True if a file begins like a table of labels."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            return set(_COLUMNS) <= set(next(csv.reader(stream), []))
    except (OSError, csv.Error):
        return False


def flag_of(text: str, column: str, where: str) -> bool | None:
    """Parse true or false of a cell; None for an empty one. `where` ends the message.

    Raises:
        InputError: it is something else.
    """
    plain = text.strip().lower()
    if plain in _UNKNOWN:
        return None
    if plain not in _TRUE | _FALSE:
        raise InputError(f"expected True or False as {column} of {where}, found {text!r}")
    return plain in _TRUE


def number_of(text: str, column: str, where: str) -> float:
    """Parse the number of a cell; NaN for an empty one. `where` ends the message.

    Raises:
        InputError: it is no number, or infinite.
    """
    if text.strip().lower() in _UNKNOWN:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        raise InputError(f"expected a number as {column} of {where}, found {text!r}")
    return value


def _label(row: Mapping[str, str], path: Path) -> Label:
    scene = row["scene_id"]
    if not _SCENE_ID.fullmatch(scene):  # it becomes the name of a file
        raise InputError(f"expected scene ids such as 590dd08f71056cacv in {path}, found {scene!r}")
    where = f"{scene} in {path.name}"

    def number(column: str) -> float:
        return number_of(row.get(column, ""), column, where)

    y, x = number("detect_scene_row"), number("detect_scene_column")
    if not (math.isfinite(x) and math.isfinite(y)):
        raise InputError(f"expected the place of every detection of {where}, found one without")
    length_m = number("vessel_length_m")
    left, top, right, bottom = map(number, SIDES)
    box = min(left, right), min(top, bottom), max(left, right), max(top, bottom)  # rows may count upwards
    return Label(
        scene,
        y,
        x,
        row["confidence"].strip().upper(),
        flag_of(row["is_vessel"], "is_vessel", where),
        flag_of(row.get("is_fishing", ""), "is_fishing", where),
        length_m,
        number("distance_from_shore_km"),
        (number("detect_lon"), number("detect_lat")),
        box if all(map(math.isfinite, (left, top, right, bottom))) else None,
    )
