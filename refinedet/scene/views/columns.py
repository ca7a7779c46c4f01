"""Columns of a ship: the list of names and types from which every result file and view is written. Pure.

A measure is a number for each ship in `Places`. A field added to `Places` appears in every file without other changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any, Literal

import numpy as np
import shapely

from refinedet.geo.footprints import DIGITS, footprint
from refinedet.scene.reported import AIS_COLUMNS
from refinedet.scene.scene_ships import SceneShips
from refinedet.scene.ships.attributes import Places

Kind = Literal["number", "whole", "text", "words", "numbers", "time"]
"""Type of the values of a column: a number, a whole number, text, a list of words or of numbers, or a time in UTC."""

MEASURES = tuple(field.name for field in fields(Places) if not field.name.endswith(("_lonlat", "_px")))
"""Measures of each ship, by the names of `Places`; null if unknown. The end of a name is its unit."""

_AIS_KINDS: dict[type, Kind] = {str: "text", int: "whole", float: "number"}
_MEASURE_DIGITS = 1
_SCORE_DIGITS = 4


def score_columns(result: SceneShips) -> tuple[str, ...]:
    """Names of the columns with the score in each polarisation, such as score_vv; empty unless two were searched."""
    return tuple(f"score_{seen.name}" for seen in result.polarisations)


def ais_columns(result: SceneShips) -> dict[str, Kind]:
    """Columns of AIS and their types; empty unless the scene was matched with AIS."""
    return {} if result.ais is None else {name: _AIS_KINDS[kind] for name, kind in AIS_COLUMNS.items()}


def ship_columns(result: SceneShips) -> dict[str, Kind]:
    """Columns of `ship_row` in their order, and the types of their values."""
    return {
        "score": "number",
        "class": "text",
        "lon": "number",
        "lat": "number",
        "bbox_px": "numbers",
        **dict.fromkeys(MEASURES, "number"),
        "outline": "text",
        "flags": "words",
        "time": "time",
        "scene": "text",
        **dict.fromkeys(score_columns(result), "number"),
        **ais_columns(result),
    }


def ship_row(result: SceneShips, i: int) -> dict[str, Any]:
    """Row of ship `i`, ready for JSON.

    Keys: score, class, lon, lat (degrees), bbox_px [x1, y1, x2, y2], MEASURES, outline, flags, time (UTC, text), scene,
    `score_columns` and `ais_columns`.
    """
    lon, lat = result.places.centres_lonlat[i]
    _, top, _, bottom = result.detections.boxes_xyxy[i].astype(np.float64)
    return {
        "score": round(float(result.detections.scores[i]), _SCORE_DIGITS),
        "class": result.class_name(i),
        "lon": _known(lon, DIGITS),
        "lat": _known(lat, DIGITS),
        "bbox_px": [round(float(v), 2) for v in result.detections.boxes_xyxy[i]],
        **{name: _known(getattr(result.places, name)[i], _MEASURE_DIGITS) for name in MEASURES},
        "outline": result.outline_of(i),
        "flags": list(result.flags[i]),
        "time": result.acquired.times(np.array([(top + bottom) / 2]))[0],
        "scene": result.scene,
        **{
            name: _known(seen.scores[i], _SCORE_DIGITS)
            for name, seen in zip(score_columns(result), result.polarisations, strict=True)
        },
        **({} if result.ais is None else result.ais.detections[i]),
    }


def ship_rows(result: SceneShips) -> list[dict[str, Any]]:
    """Rows of all ships, strongest first, as `ship_row` gives them."""
    return [ship_row(result, i) for i in range(len(result.detections))]


def flat_rows(result: SceneShips) -> list[dict[str, Any]]:
    """Rows as from `ship_rows`, for files without lists: words are separated by `;`, lists of numbers are JSON."""
    as_text: dict[Kind, Callable[[list[Any]], str]] = {
        "words": ";".join,
        "numbers": lambda values: json.dumps(values, separators=(",", ":")),
    }
    lists = {name: as_text[kind] for name, kind in ship_columns(result).items() if kind in as_text}
    return [row | {name: text(row[name]) for name, text in lists.items()} for row in ship_rows(result)]


def ship_shapes(result: SceneShips) -> list[shapely.Geometry | None]:
    """Outline of each ship in lon/lat, None if a corner is not on the earth; in pixels (y down) without a position."""
    if result.located:
        return [footprint(result.outline_lonlat(i)) for i in range(len(result.detections))]
    return list(shapely.box(*result.detections.boxes_xyxy.astype(np.float64).T))


def _known(value: float, digits: int) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None
