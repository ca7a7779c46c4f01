"""Scenes of every kind give all of their ships, at their place, and the document says so."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

_ROOT = Path(__file__).resolve().parents[3]
_KINDS = ("across 180 degrees", "pole", "rotated", "sheared", "points, regular", "points, irregular", "no reference")
_KINDS += (
    "all nodata",
    "1 x 1",
    "100000 x 10",
    "as large as a tile",
    "NaN and infinity",
    "complex",
    "band-interleaved",
)
_KINDS += ("BigTIFF", "sparse", "COG", "overviews only", "palette", "int16 dB", "float32 dB", "mask", "alpha", "RGBA")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script that makes the table."""
    folder = str(_ROOT / "benchmarks" / "scenes")
    sys.path.insert(0, folder)
    try:
        return import_module("inputs")
    finally:
        sys.path.remove(folder)


@pytest.fixture(scope="module")
def rows(script: ModuleType) -> list[Any]:
    """Outcome of each kind of scene."""
    made: list[Any] = script.rows()
    return made


def test_every_kind_of_scene_is_there(rows: list[Any]) -> None:
    assert [kind for kind in _KINDS if not any(kind in row.name for row in rows)] == []


def test_all_ships_are_found_as_they_are_and_nothing_else(rows: list[Any]) -> None:
    assert [(row.name, row.found, row.false) for row in rows if row.found < row.expected or row.false] == []


def test_every_position_is_right_to_a_third_of_a_metre(rows: list[Any]) -> None:
    assert {row.name: row.off_m for row in rows if row.off_m is not None and row.off_m > 0.3} == {}
    unlocated = [row.name for row in rows if row.off_m is None]
    assert unlocated == ["PNG, grey", "PNG, palette", "JPEG, RGB", "no reference system"]


def test_windows_without_data_are_skipped_and_counted(rows: list[Any]) -> None:
    empty = {row.name: row.empty for row in rows if row.empty}
    hidden = ("declared nodata 7", "zero borders, nothing declared", "mask in the file", "alpha band", "RGBA")
    assert empty == dict.fromkeys(hidden, 2) | {
        "sparse": 3,
        "all nodata": 12,
        "overviews only, no full-size pixels": 12,
    }


def test_the_document_holds_the_table(script: ModuleType, rows: list[Any]) -> None:
    text = (_ROOT / "docs" / "reference" / "tested-inputs.md").read_text(encoding="utf-8")
    assert f"{script.BEGIN}\n{script.table(rows)}\n{script.END}" in text
