"""Map of a match: detections and AIS ships without a picture, drawn as on the map of a scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.geo.pixels import pixels_of
from refinedet.geo.sheet import PIXEL_M, Sheet
from refinedet.scene.output.map_page import MapPage, columns_of, place_grid, write_page
from refinedet.scene.output.map_reports import COLUMNS as AIS
from refinedet.scene.output.map_reports import reports_data, reports_in_words
from refinedet.scene.reported import Reported
from refinedet.scene.views.columns import MEASURES
from refinedet.scene.views.page_columns import Column, measure
from refinedet.wording import ships_in_words

_USUAL_M = 60.0
"""Side of the box of a ship whose shape and length are unknown."""
_CORNERS = 4
_DIGITS = 2


@dataclass(frozen=True, slots=True)
class Drawn:
    """Detections (N,) that a map shows."""

    rows: Sequence[Mapping[str, Any]]
    """Columns of each detection, AIS columns included."""
    shapes: NDArray[Any]
    """Geometries in degrees; None where there is none."""
    numbers: Sequence[int]
    """Their rows in the match."""


def write_match_map(
    path: Path, sheet: Sheet, detections: Drawn, reports: Reported, outline: shapely.Geometry | None
) -> None:
    """Write the map; equal input gives equal bytes.

    Args:
        path: the file.
        sheet: plane on which the ships lie.
        detections: detections to draw.
        reports: the match.
        outline: outline of the scene in degrees; None: unknown.

    Raises:
        OSError: it cannot be written.
    """
    rows, shapes, numbers = detections.rows, detections.shapes, detections.numbers
    placed = [i for i, row in enumerate(rows) if row["lon"] is not None and np.isfinite([row["lon"], row["lat"]]).all()]
    kept = [_ready(rows[i]) for i in placed]
    columns = _columns(kept)
    boxes, corners = _outlines(sheet, kept, [shapes[i] for i in placed])
    facts = (ships_in_words(len(rows)), reports_in_words(rows, reports), "without a picture of the scene")
    ships = columns_of(kept, {"lon", "lat", "flags", "score", *(column.key for column in columns)} - {"bbox_px"})
    data = {
        "scene": {"width": sheet.width_px, "height": sheet.height_px},
        "columns": [column.to_dict() for column in columns],
        "ships": ships | {"bbox_px": boxes, "outline_px": corners},
        "ais": reports_data(reports, *sheet, numbers=[numbers[i] for i in placed]),
        "cutouts": [],
        "grid": place_grid(*sheet),
        "metres_per_px": PIXEL_M,
        "north_deg": 0.0,
        "outlines": _rings(sheet, outline),
    }
    write_page(path, MapPage(path.name.removesuffix(".html"), ships_in_words(len(rows)), facts, data))


def _ready(row: Mapping[str, Any]) -> dict[str, Any]:
    """Row for JSON, with a score and a list of flags."""
    plain = {
        name: None if isinstance(value, float) and not np.isfinite(value) else value for name, value in row.items()
    }
    flags = plain.get("flags") or []
    listed = [one.strip() for one in flags.split(";") if one.strip()] if isinstance(flags, str) else list(flags)
    score = plain.get("score")
    return {
        **{name: value if isinstance(value, int | float | str | None) else str(value) for name, value in plain.items()},
        "score": 1.0 if score is None else float(score),
        "flags": listed,
    }


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    known = {name for row in rows for name, value in row.items() if value is not None}
    return [
        Column("score", "score", digits=2),
        *AIS,
        *(measure(name) for name in MEASURES if name in known),
        *(Column(name, name, text=True, table=False) for name in ("class", "time", "scene") if name in known),
        Column("flags", "flags", text=True, table=any(row["flags"] for row in rows)),
    ]


def _outlines(
    sheet: Sheet, rows: Sequence[Mapping[str, Any]], shapes: Sequence[Any]
) -> tuple[list[list[float]], list[list[list[float]] | None]]:
    """Boxes of the ships on the sheet, and their corners if the shape is a rotated rectangle, else None."""
    rings = [
        shapely.get_coordinates(one.exterior)[:-1] if isinstance(one, shapely.Polygon) else np.zeros((0, 2))
        for one in shapes
    ]
    lonlat = np.concatenate([np.array([(row["lon"], row["lat"]) for row in rows]).reshape(-1, 2), *rings])
    pixels = pixels_of(*sheet, lonlat)
    boxes: list[list[float]] = []
    corners: list[list[list[float]] | None] = []
    at = len(rows)
    for row, ring, middle in zip(rows, rings, pixels, strict=False):
        own = pixels[at : at + len(ring)]
        at += len(ring)
        half = (row.get("length_m") or _USUAL_M) / 2 / PIXEL_M
        low, high = (own.min(axis=0), own.max(axis=0)) if len(own) else (middle - half, middle + half)
        boxes.append(np.concatenate([low, high]).round(_DIGITS).tolist())
        corners.append(own.round(_DIGITS).tolist() if len(own) == _CORNERS else None)
    return boxes, corners


def _rings(sheet: Sheet, outline: shapely.Geometry | None) -> list[list[list[float]]]:
    if outline is None:
        return []
    parts = [one for one in shapely.get_parts(outline) if isinstance(one, shapely.Polygon)]
    return [pixels_of(*sheet, shapely.get_coordinates(one.exterior)).round(_DIGITS).tolist() for one in parts]
