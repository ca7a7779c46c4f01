"""Detections of a result file, with the facts on the scene from its run record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from refinedet.ais.evidence import Detected
from refinedet.ais.geometry import SceneGeometry, from_record, from_times
from refinedet.ais.results.told import footprint_told, missing_told, view_told
from refinedet.errors import FileError, InputError
from refinedet.files import read_json
from refinedet.geo.features import Features, read_features
from refinedet.geo.reference import WGS84
from refinedet.geo.tables import cell_number
from refinedet.utc import in_utc, parse_utc
from refinedet.wording import first_of

Array = NDArray[np.float64]

_RECORD = ".run.json"
_OF_AIS = {"mmsi", "real_lon", "status"}
"""Columns of the file of AIS ships that a match writes, and that no file of detections has."""


@dataclass(frozen=True, slots=True)
class ShipsFile:
    """Detections of one scene from a file."""

    path: Path
    shapes: NDArray[Any]
    """(N,) geometries in degrees; None where there is none."""
    columns: dict[str, list[Any]]
    """Columns of the file, N values each."""
    detected: Detected
    score: Array
    """(N,) scores; 1 where the file has none."""
    flags: tuple[tuple[str, ...], ...]
    geometry: SceneGeometry
    footprint: shapely.Geometry | None
    """Outline of the scene from its record, in degrees; None: unknown."""
    missing: shapely.Geometry | None
    """Areas within it without measurements, from its record, in degrees; None: none."""


def read_ships(path: str | Path, time: str | None = None) -> ShipsFile:
    """Read a result file of `detect`: GeoJSON, GeoPackage, Shapefile or CSV, and the run record beside it.

    Args:
        path: the file.
        time: time of the scene, for a file whose ships have none.

    Raises:
        FileError: a file cannot be read.
        InputError: it has no places in degrees, no time, or ships of several scenes.
        MissingExtra: a package is not installed.
    """
    path = Path(path)
    layers = [one for one in read_features(path) if len(one.shapes)]
    if len(layers) > 1:
        raise InputError(f"expected one layer of ships in {path}, found {len(layers)}; save the one to match alone")
    layer = layers[0] if layers else Features(np.zeros(0, object), WGS84, {})
    if layer.columns.keys() >= _OF_AIS:
        raise InputError(f"expected detected ships in {path}, found ships of AIS; name the result file of `detect`")
    scenes = sorted({str(one) for one in layer.columns.get("scene", []) if one})
    if len(scenes) > 1:
        raise InputError(f"expected ships of one scene in {path}, found {first_of(scenes)}; match each by itself")
    shapes = _in_degrees(path, layer)
    lonlat = _places(layer, shapes)
    told = _record(path)
    view = view_told(told)
    times = _times(path, layer, time, told, annotated=view is not None)
    return ShipsFile(
        path,
        shapes,
        layer.columns,
        Detected(lonlat, _numbers(layer, "length_m"), _numbers(layer, "heading_deg")),
        np.nan_to_num(_numbers(layer, "score"), nan=1.0),
        tuple(_flags(one) for one in layer.columns.get("flags", [None] * len(shapes))),
        from_record(view) if view is not None else from_times(*_known(path, lonlat, times)),
        footprint_told(told),
        missing_told(told),
    )


def _record(path: Path) -> dict[str, Any]:
    """Facts on the scene from the run record beside a result file; empty if there is none."""
    beside = path.with_name(path.name.split(".")[0] + _RECORD)
    names = dict.fromkeys((path.with_name(path.stem + _RECORD), beside))
    found = next((name for name in names if name.is_file()), None)
    if found is None:
        return {}
    content = read_json(found)
    try:
        told = content["scene"]["read_as"]
    except (KeyError, TypeError) as error:
        raise FileError(f"expected the record of a run at {found}, found another file; move it away") from error
    return told if isinstance(told, dict) else {}


def _in_degrees(path: Path, layer: Features) -> NDArray[Any]:
    if layer.system == "pixels" or (len(layer.shapes) and all(shape is None for shape in layer.shapes)):
        raise InputError(f"expected ships with a position in {path}, found pixels alone; AIS is in degrees")
    if layer.system is None or layer.system == WGS84:
        return layer.shapes
    if not isinstance(layer.system, CRS):
        raise InputError(f"expected degrees in {path}, found another system of coordinates; save it in EPSG:4326")
    to_degrees = Transformer.from_crs(layer.system, WGS84, always_xy=True)
    moved = layer.shapes.copy()
    known = np.array([shape is not None for shape in layer.shapes], bool)
    moved[known] = shapely.transform(layer.shapes[known], to_degrees.transform, interleaved=False)
    return moved


def _places(layer: Features, shapes: NDArray[Any]) -> Array:
    """Middle of each detection (N, 2) in degrees: from the columns lon and lat, else from its shape."""
    if {"lon", "lat"} <= layer.columns.keys():
        return np.stack([_numbers(layer, "lon"), _numbers(layer, "lat")], axis=1)
    found = np.full((len(shapes), 2), np.nan)
    known = np.array([shape is not None for shape in shapes], bool)
    found[known] = shapely.get_coordinates(shapely.centroid(shapes[known]))
    return found


def _numbers(layer: Features, name: str) -> Array:
    return np.array([_number(one) for one in layer.columns.get(name, [None] * len(layer.shapes))], np.float64)


def _number(value: Any) -> float:
    if isinstance(value, str):  # a table holds text
        found = cell_number(value)
        return float("nan") if found is None else found
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _flags(value: Any) -> tuple[str, ...]:
    """Flags from a list, or from text with semicolons."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(str(one) for one in value)
    return tuple(one.strip() for one in str(value or "").split(";") if one.strip())


def _times(
    path: Path, layer: Features, asked: str | None, told: dict[str, Any], *, annotated: bool
) -> NDArray[np.datetime64]:
    """Times (N,) of the detections; for a file without detections, the time of its scene."""
    known = [_time(one) for one in layer.columns.get("time", [None] * len(layer.shapes))]
    if not len(layer.shapes):
        known = [_time(told.get("time", {}).get("start"))]
    if asked is not None:
        if annotated or any(one is not None for one in known):
            raise InputError(f"expected no `time` for {path}, whose scene has one, found {asked}; leave it out")
        known = [parse_utc(asked)] * len(known)
    return np.array(
        [np.datetime64("NaT") if one is None else np.datetime64(one.replace(tzinfo=None), "ms") for one in known],
        "datetime64[ms]",
    )


def _time(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return in_utc(value)
    return parse_utc(str(value)) if value else None


def _known(path: Path, lonlat: Array, times: NDArray[np.datetime64]) -> tuple[Array, NDArray[np.datetime64]]:
    """Places and times of the detections that have both."""
    if len(times) and not np.isnat(times).all():
        if not len(lonlat):
            return np.zeros((1, 2)), times[:1]
        rows = ~np.isnat(times) & np.isfinite(lonlat).all(axis=1)
        if rows.any():
            return lonlat[rows], times[rows]
    raise InputError(f"expected the time of the ships in {path}, found none; name the time of the scene with `time`")
