"""Detections and labels of files, as the rules of xView3 compare them.

Detections come from a submission of the contest, from a result file of a scene, or from the data set of an archive.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.data.xview3 import Label, flag_of, number_of
from refinedet.errors import FileError, InputError
from refinedet.evaluation.xview3.rules import Numbers, Things
from refinedet.extras import load_extra
from refinedet.files import parse_json, visible_files
from refinedet.geo.features import read_features

SUBMISSION = (
    "detect_scene_row",
    "detect_scene_column",
    "scene_id",
    "is_vessel",
    "is_fishing",
    "vessel_length_m",
)
"""Columns of a submission, in the order of the contest."""

_RESULTS = ("scene", "bbox_px", "score", "length_m", "coast_m", "lon", "lat")
"""Columns of our results that are read."""
_CORNERS = ("x1", "y1", "x2", "y2")
"""Columns of a box in our tables."""
_ARCHIVE = "dataset"
"""Folder of the data set in the results of an archive."""
_PARQUET = ".parquet"

Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Found:
    """Detections of a file or an archive."""

    things: Things
    """Detections; of our results `shore_km` is the distance to the coast."""
    ours: bool
    """True for our results, which say neither whether a thing is a vessel nor whether it fishes."""
    without_length: int
    """Number of detections of unknown length."""


def things_of(labels: Sequence[Label]) -> Things:
    """Labels as the rules compare them."""

    def column(values: list[Any]) -> Numbers:
        return np.array([math.nan if one is None else one for one in values], np.float64)

    return Things(
        np.array([one.scene for one in labels], str),
        np.array([(one.row, one.column) for one in labels], np.float64).reshape(-1, 2),
        column([one.is_vessel for one in labels]),
        column([one.is_fishing for one in labels]),
        column([one.length_m for one in labels]),
        column([one.shore_km for one in labels]),
        np.array([one.lonlat for one in labels], np.float64).reshape(-1, 2),
    )


def read_found(path: Path, score_min: float = 0.0) -> Found:
    """Read detections: a submission (CSV), a result file, or the folder of an archive's results.

    In our results, the place is the pixel that holds the middle of the box, and the id is the stem of the scene's name.

    Args:
        path: the file or folder.
        score_min: lowest score of a detection of ours; a submission has no scores.

    Raises:
        FileError, InputError, MissingExtra: it cannot be used.
    """
    if path.is_dir() or path.suffix.lower() == _PARQUET:
        return _ours(_parquet(path), path, score_min)
    layers = [one.columns for one in read_features(path, in_pixels=True)]
    columns: dict[str, list[Any]] = {name: [] for layer in layers for name in layer}
    for layer in layers:
        count = len(next(iter(layer.values()), []))
        for name, values in columns.items():
            values.extend(layer.get(name, [None] * count))
    if set(SUBMISSION) <= set(columns):
        if score_min > 0:
            raise InputError(f"expected no `score_min`, since the submission {path} has no scores, found {score_min:g}")
        return _submission(columns, path)
    if set(_CORNERS) <= set(columns):
        columns["bbox_px"] = list(zip(*(columns[side] for side in _CORNERS), strict=True))
    return _ours(columns, path, score_min)


def _parquet(path: Path) -> Columns:
    pa = load_extra("pyarrow", "GeoParquet files")
    import pyarrow.dataset

    folder = path / _ARCHIVE if (path / _ARCHIVE).is_dir() else path
    files = visible_files(folder, f"**/*{_PARQUET}") if folder.is_dir() else [path]
    if not files:
        raise FileError(f"expected the results of an archive in {path}, with the folder {_ARCHIVE} in it, found none")
    numbers = dict.fromkeys(_RESULTS[2:], pa.float64())
    schema = pa.schema([("scene", pa.string()), ("bbox_px", pa.list_(pa.float64())), *numbers.items()])
    try:
        table = pyarrow.dataset.dataset(list(map(str, files)), schema=schema, format="parquet").to_table()
    except (OSError, ValueError, TypeError, NotImplementedError) as error:
        said = " ".join(str(error).split())
        raise FileError(f"expected GeoParquet files of ships in {path}, found others ({said})") from error
    columns: Columns = table.to_pydict()
    return columns


def _submission(columns: Columns, path: Path) -> Found:
    def numbers(name: str) -> Numbers:
        return np.array([number_of(value or "", name, str(path)) for value in columns[name]], np.float64)

    def flags(name: str) -> Numbers:
        found = [flag_of(value or "", name, str(path)) for value in columns[name]]
        return np.array([math.nan if one is None else one for one in found], np.float64)

    places = np.stack([numbers(name) for name in SUBMISSION[:2]], axis=1)
    if not np.isfinite(places).all():
        raise InputError(f"expected the place of every detection in {path}, found one without")
    length_m = numbers("vessel_length_m")
    nowhere = np.full(len(places), math.nan)
    scene = np.array([one or "" for one in columns["scene_id"]], str)
    things = Things(
        scene, places, flags("is_vessel"), flags("is_fishing"), length_m, nowhere, np.stack([nowhere] * 2, 1)
    )
    return Found(things, ours=False, without_length=int(np.isnan(length_m).sum()))


def _ours(columns: Columns, path: Path, score_min: float) -> Found:
    lacking = [name for name in ("scene", "bbox_px", "score") if name not in columns]
    if lacking and any(map(len, columns.values())):
        raise InputError(
            f"expected a submission of xView3 or results of detect in {path}, found no column {lacking[0]}; "
            f"a submission has the columns {', '.join(SUBMISSION)}"
        )
    count = len(columns.get("scene", ()))

    def numbers(name: str) -> Numbers:
        values = columns.get(name, [None] * count)
        return np.array([number_of("" if one is None else str(one), name, str(path)) for one in values], np.float64)

    boxes = np.array([_box(one, path) for one in columns.get("bbox_px", ())], np.float64).reshape(-1, 4)
    middles = np.floor((boxes[:, [1, 0]] + boxes[:, [3, 2]]) / 2)
    length_m, yes = numbers("length_m"), np.ones(count)
    lonlat = np.stack([numbers("lon"), numbers("lat")], axis=1)
    scene = np.array([Path(one or "").stem for one in columns.get("scene", ())], str)
    things = Things(scene, middles, yes, 0 * yes, length_m, numbers("coast_m") / 1000, lonlat)
    things = things.only(numbers("score") >= score_min)
    return Found(things, ours=True, without_length=int(np.isnan(things.length_m).sum()))


def _box(value: Any, path: Path) -> NDArray[np.float64]:
    """Box of a row: four numbers, or their text in a GeoPackage or a table."""
    parts = parse_json(value, str(path)) if isinstance(value, str) else value
    numbers = [number_of(str(one), "bbox_px", str(path)) for one in parts] if isinstance(parts, list | tuple) else []
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise InputError(f"expected four numbers as bbox_px of each detection in {path}, found {value!r}")
    return np.array(numbers)
