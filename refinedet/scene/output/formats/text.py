"""Result files of text: GeoJSON, CSV and COCO. Equal results give equal bytes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from refinedet.files import write_text
from refinedet.scene.result import SceneResult
from refinedet.scene.views.columns import ais_columns, score_columns, ship_columns, ship_rows, ship_shapes

_FIRST = ("x1", "y1", "x2", "y2", "lon", "lat", "score", "class")
_NOT_IN_CSV = ("bbox_px", "outline")
"""Columns that CSV splits into four (box), or omits (outline)."""

_NO_POSITION = "the scene has no position, so geometry is null; bbox_px is [x1, y1, x2, y2] in pixels of the scene"


def write_geojson(result: SceneResult, path: Path) -> None:
    """Write GeoJSON (RFC 7946): one polygon in lon/lat per ship, one per line; null geometry without a position."""
    head: dict[str, Any] = {"name": Path(result.scene).stem, "scene": result.scene, "type": "FeatureCollection"}
    if result.label is not None:
        head["label"] = result.label
    if not result.located:
        head["note"] = _NO_POSITION
    lines = [_compact(feature) for feature in _features(result)]
    body = ",\n".join(lines)
    write_text(path, _compact(head)[:-1] + ',"features":[\n' + (body + "\n" if body else "") + "]}\n")


def csv_columns(result: SceneResult) -> tuple[str, ...]:
    """Columns of CSV in their order."""
    others = (name for name in ship_columns(result) if name not in {*_FIRST, *_NOT_IN_CSV})
    return (*_FIRST, *others)


def write_csv(result: SceneResult, path: Path) -> None:
    """Write CSV: one row per ship; boxes in pixels, lon/lat of the centre, unknown values empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = csv_columns(result)
    writer.writerow(columns)
    for ship in ship_rows(result):
        values = ship | dict(zip(_FIRST, ship["bbox_px"], strict=False)) | {"flags": ";".join(ship["flags"])}
        writer.writerow(["" if values[name] is None else values[name] for name in columns])
    write_text(path, text.getvalue())


def write_coco(result: SceneResult, path: Path) -> None:
    """Write COCO results: `bbox` [x, y, w, h] in scene pixels, `category_id` from 1, `image_id` 1, `file_name`."""
    rows, ships = [], ship_rows(result)
    for i, box in enumerate(result.detections.boxes_xyxy.astype(np.float64)):
        x1, y1, x2, y2 = box.tolist()
        rows.append(
            {
                "image_id": 1,
                "file_name": result.scene,
                "category_id": int(result.detections.labels[i]) + 1,
                "bbox": [round(v, 3) for v in (x1, y1, x2 - x1, y2 - y1)],
                "score": round(float(result.detections.scores[i]), 6),
                "time": ships[i]["time"],
                "scene": result.scene,
                **{name: ships[i][name] for name in (*score_columns(result), *ais_columns(result))},
            }
        )
    write_text(path, "[\n" + ",\n".join(_compact(row) for row in rows) + ("\n]\n" if rows else "]\n"))


def _features(result: SceneResult) -> Iterable[dict[str, Any]]:
    shapes = ship_shapes(result) if result.located else [None] * len(result.detections)
    for number, (shape, ship) in enumerate(zip(shapes, ship_rows(result), strict=True), start=1):
        geometry = None if shape is None else shapely.geometry.mapping(shape)
        yield {"type": "Feature", "id": number, "geometry": geometry, "properties": ship}


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False, ensure_ascii=False)
