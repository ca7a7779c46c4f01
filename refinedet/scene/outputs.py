"""Result files of one scene: GeoJSON, CSV, GeoPackage, COCO. Each is whole or absent, and valid without a ship.

Equal results give equal bytes.
"""

from __future__ import annotations

import csv
import io
import json
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.errors import FileError, MissingExtra
from refinedet.files import atomic_path, write_text
from refinedet.scene.footprints import DIGITS, footprint
from refinedet.scene.result import SceneResult

Format = Literal["geojson", "csv", "gpkg", "coco"]

SUFFIXES: dict[Format, str] = {"geojson": ".geojson", "csv": ".csv", "gpkg": ".gpkg", "coco": ".coco.json"}
QUICKLOOK_SUFFIX = ".png"
_MEASURES = ("length_m", "width_m", "heading_deg", "contrast_db", "coast_m")
"""What is measured of each ship, by the names of `Places`; null where unknown."""
CSV_COLUMNS = ("x1", "y1", "x2", "y2", "lon", "lat", "score", "class", *_MEASURES, "flags")

_NO_POSITION = "the scene has no position, so geometry is null; bbox_px is [x1, y1, x2, y2] in pixels of the scene"
_WGS84 = "EPSG:4326"
_FIXED_DATE = "1970-01-01T00:00:00.000Z"
"""GeoPackage stores when it was last changed; a fixed date keeps equal results equal."""


def result_paths(
    scene_path: str | Path, folder: str | Path | None, formats: Iterable[Format], quicklook: bool
) -> dict[str, Path]:
    """Where the results of a scene go: format name (and "quicklook") to path.

    `folder` None stands for `<stem>_ships` in the current folder.
    """
    stem = Path(scene_path).stem
    target = Path(f"{stem}_ships") if folder is None else Path(folder)
    paths = {name: target / f"{stem}{suffix}" for name, suffix in SUFFIXES.items() if name in set(formats)}
    return paths | ({"quicklook": target / f"{stem}{QUICKLOOK_SUFFIX}"} if quicklook else {})


def check_writable(paths: dict[str, Path], *, overwrite: bool) -> None:
    """Find out before the work whether `write_results` would be refused.

    Raises:
        FileError: a file exists and `overwrite` is false, or a file is where a folder is needed.
        MissingExtra: a format needs a package that is not installed.
    """
    if "gpkg" in paths:
        _pyogrio()
    for path in paths.values():
        blocking = next((p for p in path.parents if p.exists() and not p.is_dir()), None)
        if blocking is not None:
            raise FileError(
                f"expected a folder for results at {path.parent}, found a file at {blocking}; choose another"
            )
        if path.is_dir():
            raise FileError(f"expected to write a file at {path}, found a folder of that name; choose another --out")
        if path.exists() and not overwrite:
            raise FileError(
                f"expected no results at {path} yet, found some; name another --out, or replace them with --overwrite"
            )


def write_results(result: SceneResult, paths: dict[str, Path]) -> None:
    """Write the result in each format that `paths` names; "quicklook" is left to scene/quicklook.py.

    Raises:
        FileError: a file cannot be written.
    """
    for name, path in paths.items():
        if name in _WRITERS:
            try:
                _WRITERS[name](result, path)
            except OSError as error:
                raise FileError(f"expected to write {path}, but that failed ({error}); is there room?") from error


def write_geojson(result: SceneResult, path: Path) -> None:
    """RFC 7946: one polygon in lon/lat per ship, one ship per line; geometry null where the scene has no position."""
    head: dict[str, Any] = {"name": Path(result.scene).stem, "scene": result.scene, "type": "FeatureCollection"}
    if result.label is not None:
        head["label"] = result.label
    if not result.located:
        head["note"] = _NO_POSITION
    lines = [_compact(feature) for feature in _features(result)]
    body = ",\n".join(lines)
    write_text(path, _compact(head)[:-1] + ',"features":[\n' + (body + "\n" if body else "") + "]}\n")


def write_csv(result: SceneResult, path: Path) -> None:
    """One row per ship with CSV_COLUMNS; boxes in pixels, lon/lat of the centre, unknown values empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for i in range(len(result.detections)):
        ship = _properties(result, i)
        place = [_known(v, DIGITS) for v in result.places.centres_lonlat[i]]
        measures = (ship[name] for name in _MEASURES)
        row = [*ship["bbox_px"], *place, ship["score"], ship["class"], *measures, ";".join(ship["flags"])]
        writer.writerow(["" if value is None else value for value in row])
    write_text(path, text.getvalue())


def write_coco(result: SceneResult, path: Path) -> None:
    """COCO results list: `bbox` [x, y, w, h] in scene pixels, `category_id` from 1, `image_id` 1, `file_name`."""
    rows = []
    for i, box in enumerate(result.detections.boxes_xyxy.astype(np.float64)):
        x1, y1, x2, y2 = box.tolist()
        rows.append(
            {
                "image_id": 1,
                "file_name": result.scene,
                "category_id": int(result.detections.labels[i]) + 1,
                "bbox": [round(v, 3) for v in (x1, y1, x2 - x1, y2 - y1)],
                "score": round(float(result.detections.scores[i]), 6),
            }
        )
    write_text(path, "[\n" + ",\n".join(_compact(row) for row in rows) + ("\n]\n" if rows else "]\n"))


def write_gpkg(result: SceneResult, path: Path) -> None:
    """One layer named like the scene: polygons in EPSG:4326, or in pixels (y down) without a reference system."""
    ships = [_properties(result, i) for i in range(len(result.detections))]
    shapes = _lonlat_shapes(result) if result.located else _pixel_shapes(result)
    split = any(isinstance(shape, shapely.MultiPolygon) for shape in shapes)
    columns: dict[str, NDArray[Any]] = {
        "score": np.array([s["score"] for s in ships], np.float64),
        "class": np.array([s["class"] for s in ships], object),
        **{m: np.array([np.nan if s[m] is None else s[m] for s in ships], np.float64) for m in _MEASURES},
        "flags": np.array([";".join(s["flags"]) for s in ships], object),
        "bbox_px": np.array([_compact(s["bbox_px"]) for s in ships], object),
    }
    pyogrio = _pyogrio()
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _FIXED_DATE})
    try:
        with atomic_path(path) as temporary, warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="'crs' was not provided")  # pixels: there is none
            temporary.unlink()  # the driver insists on making the file itself
            pyogrio.raw.write(
                str(temporary),
                np.array([shapely.to_wkb(shape) for shape in shapes], object),
                list(columns.values()),
                list(columns),
                layer=Path(result.scene).stem,
                driver="GPKG",
                geometry_type="MultiPolygon" if split else "Polygon",
                promote_to_multi=split,
                crs=_WGS84 if result.located else None,
            )
    except pyogrio.errors.DataSourceError as error:
        raise FileError(f"expected to write {path}, but that failed ({error}); is there room?") from error
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


_WRITERS: dict[str, Callable[[SceneResult, Path], None]] = {
    "geojson": write_geojson,
    "csv": write_csv,
    "gpkg": write_gpkg,
    "coco": write_coco,
}


def _pyogrio() -> Any:
    try:
        import pyogrio
        import pyogrio.raw
    except ImportError as error:
        raise MissingExtra(
            "expected pyogrio for GeoPackage files, found none; pip install 'refinedet[gpkg]'"
        ) from error
    return pyogrio


def _features(result: SceneResult) -> Iterable[dict[str, Any]]:
    for i, shape in enumerate(_lonlat_shapes(result)):
        geometry = None if shape is None else shapely.geometry.mapping(shape)
        yield {"type": "Feature", "id": i + 1, "geometry": geometry, "properties": _properties(result, i)}


def _properties(result: SceneResult, i: int) -> dict[str, Any]:
    return {
        "score": round(float(result.detections.scores[i]), 4),
        "class": result.class_name(i),
        "bbox_px": [round(float(v), 2) for v in result.detections.boxes_xyxy[i]],
        **{name: _known(getattr(result.places, name)[i], 1) for name in _MEASURES},
        "flags": list(result.flags[i]),
    }


def _lonlat_shapes(result: SceneResult) -> list[shapely.Geometry | None]:
    return [footprint(corners) for corners in result.places.corners_lonlat]


def _pixel_shapes(result: SceneResult) -> list[shapely.Geometry | None]:
    return list(shapely.box(*result.detections.boxes_xyxy.astype(np.float64).T))


def _known(value: float, digits: int) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False, ensure_ascii=False)
