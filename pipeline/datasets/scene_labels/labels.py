"""Labels of a vector file or table: one for each ship, with its class, its length and its scene if named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapely

from refinedet.config.options.label import LabelSettings
from refinedet.errors import InputError
from refinedet.geo.features import Features, System, in_system, parse_system, read_features
from refinedet.geo.tables import cell_number
from refinedet.wording import first_of

SHIP = "ship"
_CLASSES = ("class", "class_name", "label", "category", "ship_type", "type", "name")
_LENGTHS = ("vessel_length_m", "length_m", "ship_length_m", "length", "loa")
_SCENES = ("scene_id", "scene", "image", "image_id", "file_name", "filename")
_FEW_CLASSES, _LEAST_OF_CLASS = 20, 3
"""Limits for a column that is guessed to hold classes: few values, each several times on average, unlike ship names."""
_NO = {"false", "0", "no"}
_LONGEST_M = 1000.0
"""Largest length of a ship in metres; larger numbers are no such lengths."""


@dataclass(frozen=True, slots=True)
class Label:
    """Ship in the user's file."""

    shape: Any
    """Point or polygon, in coordinates of `system`."""
    system: System | None
    """System of its coordinates; None: the file states none."""
    name: str
    """Class."""
    length_m: float | None
    sure: bool
    """False for an uncertain label of the file: it is neither a ship nor background."""
    scene: str | None
    """Name of the scene in the file; None: the file names none."""


@dataclass(slots=True)
class Labels:
    """Labels of a file, and counts of its content."""

    path: Path
    found: list[Label] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    """Kind of geometry -> number of features."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Reason -> number of features that are no labels."""
    class_column: str | None = None


def read_labels(path: Path, scenes: Sequence[Path], settings: LabelSettings) -> Labels:
    """Read labels of GeoJSON, GeoPackage, Shapefile or CSV over `scenes`: a table may name them, and give their pixels.

    Raises:
        FileError, InputError, MissingExtra: the file cannot be used, or lacks the column of classes.
    """
    told = None if settings.labels_crs is None else parse_system(settings.labels_crs)
    layers = read_features(path)
    names = _scene_names(scenes)
    if len(scenes) == 1 or any(_scene_column(layer, names) for layer in layers):
        layers = read_features(path, in_pixels=True)
    labels = Labels(path)
    for layer in in_system(layers, told, path, "labels_crs"):
        _check_scenes(layer, names, path)
        column = _class_column(layer, settings.class_column, path)
        labels.class_column = column or labels.class_column
        _add(labels, layer, column, names)
    return labels


def scene_name(path: Path) -> str:
    """Name of a scene in tables."""
    return path.name.split(".", 1)[0].casefold()


def _scene_names(scenes: Iterable[Path]) -> dict[str, str]:
    """Spelling in a table -> name of a scene; xView3's scenes have the names of their folders."""
    found: dict[str, str] = {}
    for path in scenes:
        for spelling in (path.absolute().parent.name.casefold(), path.name.casefold(), scene_name(path)):
            found[spelling] = scene_name(path)
    return found


def _scene_column(layer: Features, names: Mapping[str, str]) -> str | None:
    """Column that names at least one of the scenes."""
    for name, values in _named(layer, _SCENES):
        if any(_text(value).casefold() in names for value in values):
            return name
    return None


def _check_scenes(layer: Features, names: Mapping[str, str], path: Path) -> None:
    """Check that pixels of several scenes are not taken for those of the scenes given.

    Raises:
        InputError: a column names several scenes, but none of those given, and the places are pixels.
    """
    if layer.system != "pixels" or _scene_column(layer, names) is not None:
        return
    for name, values in _named(layer, _SCENES):
        others = sorted({text for value in values if (text := _text(value))})
        if len(others) > 1:
            given = ", ".join(sorted(set(names.values())))
            raise InputError(
                f"expected the column {name} of {path} to name the scene whose pixels its places are, such as {given}, "
                f"found {first_of(others)}; write the name of the scene there, and leave out the rows of others"
            )


def _class_column(layer: Features, asked: str | None, path: Path) -> str | None:
    if asked is not None:
        if asked not in layer.columns:
            shown = ", ".join(list(layer.columns)[:8]) or "none"
            raise InputError(f"expected the column {asked!r} in {path}, found {shown}; is `class_column` right?")
        return asked
    for name, values in _named(layer, _CLASSES):
        texts = [text for value in values if (text := _text(value))]
        few = len({_spelled(text) for text in texts})
        numbers = all(text.replace(".", "").isdigit() for text in texts)
        if texts and not numbers and few <= min(_FEW_CLASSES, max(1, len(texts) // _LEAST_OF_CLASS)):
            return name
    return None


def _named(layer: Features, names: Sequence[str]) -> list[tuple[str, list[Any]]]:
    """Columns with these names, in upper or lower case, in the order of `names`."""
    lower = {name.casefold(): name for name in layer.columns}
    return [(lower[name], layer.columns[lower[name]]) for name in names if name in lower]


def _add(labels: Labels, layer: Features, classes: str | None, names: Mapping[str, str]) -> None:
    scene_column = _scene_column(layer, names)
    lengths = next((values for _, values in _named(layer, _LENGTHS)), None)
    vessels = next((values for _, values in _named(layer, ("is_vessel",))), None)
    sure = next((values for _, values in _named(layer, ("confidence",))), None)
    for i, shape in enumerate(layer.shapes):
        scene = _text(layer.columns[scene_column][i]) if scene_column else None
        vessel = _text(vessels[i]).casefold() if vessels else "true"
        reason = _no_label(shape, vessel, scene, names)
        if reason:
            labels.left_out[reason] += 1
            continue
        doubted = vessel == "" or (sure is not None and _text(sure[i]).casefold() == "low")
        name = _spelled(_text(layer.columns[classes][i])) if classes else ""
        length = _length(lengths[i]) if lengths else None
        parts = list(shapely.get_parts(shape))
        labels.kinds[f"{parts[0].geom_type.lower()}s"] += len(parts)
        for part in parts:
            where = names[scene.casefold()] if scene else None
            labels.found.append(Label(part, layer.system, name or SHIP, length, not doubted, where))


def _no_label(shape: Any, vessel: str, scene: str | None, names: Mapping[str, str]) -> str:
    """Reason why a feature is no label; empty if it is one."""
    if shape is None:
        return "without a place"
    if not {part.geom_type for part in shapely.get_parts(shape)} <= {"Point", "Polygon"}:
        return "lines"
    if vessel in _NO:
        return "no vessel"
    if scene and scene.casefold() not in names:
        return "of other scenes"
    return ""


def _spelled(text: str) -> str:
    """Class in one spelling."""
    return " ".join(text.casefold().replace("_", " ").split())


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _length(value: Any) -> float | None:
    length = cell_number(_text(value))
    return length if length is not None and 0 < length <= _LONGEST_M else None
