"""Result files of one scene: GeoJSON, CSV, GeoPackage, COCO, GeoParquet. Each is whole or absent, and valid if empty.

Equal results give equal bytes.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.errors import FileError
from refinedet.files import atomic_path, cannot_write, write_text
from refinedet.geo.feature_files import write_features
from refinedet.scene.output.columns import MEASURES, ais_columns, score_columns, ship_rows, ship_shapes
from refinedet.scene.output.format_packages import load_pyogrio
from refinedet.scene.output.geoparquet import write_geoparquet, write_partition
from refinedet.scene.output.result_paths import AIS_FORMATS, DATASET, SEEN
from refinedet.scene.output.seen import write_seen
from refinedet.scene.result import SceneResult
from refinedet.workarounds.pyogrio_messages import missing_crs_allowed

CSV_COLUMNS = ("x1", "y1", "x2", "y2", "lon", "lat", "score", "class", *MEASURES, "flags", "time", "scene")

_NO_POSITION = "the scene has no position, so geometry is null; bbox_px is [x1, y1, x2, y2] in pixels of the scene"
_WGS84 = "EPSG:4326"
_FIXED_DATE = "1970-01-01T00:00:00.000Z"
"""Date of the last change in a GeoPackage; a fixed one keeps equal results equal."""
_GPKG_VERSION = "1.2"
"""Version of the format: the files need no newer one, and older programs open it without a warning."""
_GDAL_UTC = 100
"""Zone UTC of GDAL's times."""
_LAYER = re.compile(r"(?!gpkg_|rtree_|sqlite_)\w[\w .-]*", re.IGNORECASE)
"""Names that a layer of a GeoPackage can have: no name of its own tables, no character that GDAL refuses."""


def write_results(result: SceneResult, paths: dict[str, Path]) -> None:
    """Write the result in each format that `paths` names; views and record have modules of their own.

    Raises:
        FileError: a file cannot be written.
    """
    for name, path in paths.items():
        if name in _WRITERS:
            with writing(path):
                _WRITERS[name](result, path)


def write_ships_of_ais(result: SceneResult, paths: Mapping[str, Path]) -> None:
    """Write the ships of AIS beside a scene in each format that `paths` names, at the places where it shows them.

    Raises:
        FileError: a file cannot be written.
    """
    if result.ais is None:
        return
    rows = result.ais.ships
    points = np.asarray(shapely.points([(row["lon"], row["lat"]) for row in rows] or np.zeros((0, 2))), object)
    for name in AIS_FORMATS:
        if (path := paths.get(f"ais {name}")) is not None:
            write_features(path, name, points, rows)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a system error on writing `path` into a FileError; a FileError is raised as it is."""
    try:
        yield
    except FileError:
        raise
    except OSError as error:
        raise cannot_write(path, error, path) from error


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


def write_csv(result: SceneResult, path: Path) -> None:
    """Write CSV: one row per ship with CSV_COLUMNS; boxes in pixels, lon/lat of the centre, unknown values empty.

    The score in each of two polarisations follows, and the columns of AIS.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = (*CSV_COLUMNS, *score_columns(result), *ais_columns(result))
    writer.writerow(columns)
    for ship in ship_rows(result):
        values = ship | dict(zip(CSV_COLUMNS, ship["bbox_px"], strict=False)) | {"flags": ";".join(ship["flags"])}
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


def write_gpkg(result: SceneResult, path: Path) -> None:
    """Write a GeoPackage: a layer named like the scene, in EPSG:4326, or in pixels (y down) without a position."""
    ships, shapes = ship_rows(result), ship_shapes(result)
    split = any(isinstance(shape, shapely.MultiPolygon) for shape in shapes)
    columns: dict[str, NDArray[Any]] = {
        "score": np.array([s["score"] for s in ships], np.float64),
        "class": np.array([s["class"] for s in ships], object),
        **{name: np.array([s[name] for s in ships], np.float64) for name in ("lon", "lat", *MEASURES)},  # None is NaN
        "outline": np.array([s["outline"] for s in ships], object),
        "flags": np.array([";".join(s["flags"]) for s in ships], object),
        "bbox_px": np.array([_compact(s["bbox_px"]) for s in ships], object),
        "time": np.array([_gdal_time(s["time"]) for s in ships], "datetime64[ms]"),
        "scene": np.array([s["scene"] for s in ships], object),
        **{name: np.array([s[name] for s in ships], np.float64) for name in score_columns(result)},
        **{name: _column([s[name] for s in ships], kind) for name, kind in ais_columns(result).items()},
    }
    pyogrio = load_pyogrio()
    content = io.BytesIO()  # GDAL sees no path, because it gives some characters in it a meaning of its own
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _FIXED_DATE})
    try:
        with missing_crs_allowed():
            pyogrio.raw.write(
                content,
                np.array([shapely.to_wkb(shape) for shape in shapes], object),
                list(columns.values()),
                list(columns),
                layer=_layer(result),
                driver="GPKG",
                geometry_type="MultiPolygon" if split else "Polygon",
                promote_to_multi=split,
                crs=_WGS84 if result.located else None,
                gdal_tz_offsets={"time": np.full(len(ships), _GDAL_UTC)},
                VERSION=_GPKG_VERSION,
            )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.getbuffer())


def _column(values: list[Any], kind: type) -> NDArray[Any]:
    """Column of a GeoPackage: text, or numbers with NaN for None, in which numbers of ships are exact."""
    return np.array(values, object if kind is str else np.float64)


_WRITERS: dict[str, Callable[[SceneResult, Path], None]] = {
    "geojson": write_geojson,
    "csv": write_csv,
    "gpkg": write_gpkg,
    "coco": write_coco,
    "geoparquet": write_geoparquet,
    DATASET: write_partition,
    SEEN: write_seen,
}


def _layer(result: SceneResult) -> str:
    """Name of the layer: that of the scene, as far as a GeoPackage allows it."""
    stem = Path(result.scene).stem
    return stem if _LAYER.fullmatch(stem) else "ships_" + re.sub(r"[^\w .-]", "_", stem)


def _gdal_time(text: str | None) -> str:
    """Time as NumPy reads it: without its zone, NaT if unknown."""
    return "NaT" if text is None else text.removesuffix("Z")


def _features(result: SceneResult) -> Iterable[dict[str, Any]]:
    shapes = ship_shapes(result) if result.located else [None] * len(result.detections)
    for number, (shape, ship) in enumerate(zip(shapes, ship_rows(result), strict=True), start=1):
        geometry = None if shape is None else shapely.geometry.mapping(shape)
        yield {"type": "Feature", "id": number, "geometry": geometry, "properties": ship}


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False, ensure_ascii=False)
