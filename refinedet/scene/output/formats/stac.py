"""STAC 1.1: an item that describes a scene and names the result files of its run, for catalogues and searches.

Links are relative to the item and contain no path of this machine, so that a folder of results can be moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from posixpath import relpath
from typing import Any
from urllib.parse import quote

import shapely

from refinedet.files import write_json
from refinedet.geo.footprints import area_on_earth, bounds_on_earth
from refinedet.geo.position import locate
from refinedet.scene.naming import scene_stem
from refinedet.scene.output.formats.stac_properties import EXTENSIONS, WGS84, item_properties
from refinedet.scene.output.result_paths import COLLECTION, archive_folder
from refinedet.scene.output.seen import seen_area
from refinedet.scene.result import SceneResult
from refinedet.scene.views.columns import ship_shapes

VERSION = "1.1.0"
ITEM_TYPE, JSON_TYPE = "application/geo+json", "application/json"
"""Media types of an item and of a collection."""
SHIPS_BBOX = "refinedet:ships_bbox"
"""Property with the box around all ships, [west, south, east, north] in degrees."""

_EDGES = 8
"""Number of segments per side of a scene's outline, because a straight side in pixels is curved in degrees."""
_PARQUET = "application/vnd.apache.parquet"
_ASSETS: dict[str, tuple[str, str, str]] = {
    "geojson": ("Ships", ITEM_TYPE, "data"),
    "csv": ("Ships as a table", "text/csv", "data"),
    "gpkg": ("Ships as a styled layer", "application/geopackage+sqlite3", "data"),
    "coco": ("Ships as COCO results, in pixels", JSON_TYPE, "data"),
    "geoparquet": ("Ships as columns", _PARQUET, "data"),
    "kml": ("Ships for a globe", "application/vnd.google-earth.kml+xml", "data"),
    "fgb": ("Ships with a spatial index", "application/vnd.flatgeobuf", "data"),
    "dataset": ("Ships as columns, in the data set of the archive", _PARQUET, "data"),
    "seen": ("Area in which pixels were measured", _PARQUET, "metadata"),
    "ais geojson": ("Ships of AIS", ITEM_TYPE, "data"),
    "ais csv": ("Ships of AIS as a table", "text/csv", "data"),
    "ais gpkg": ("Ships of AIS as a layer", "application/geopackage+sqlite3", "data"),
    "quicklook": ("Picture of the scene and its ships", "image/png", "overview"),
    "map": ("Map of the scene and its ships", "text/html", "overview"),
    "record": ("Record of the run: settings, versions, counts", JSON_TYPE, "metadata"),
}
"""Title, media type and role of each file."""
_IN_DEGREES = ("geojson", "gpkg", "geoparquet", "kml", "fgb", "dataset", "seen", "ais geojson", "ais gpkg")


def write_stac(
    result: SceneResult, path: Path, *, files: Mapping[str, Path], record: Mapping[str, Any] | None = None
) -> None:
    """Write the item of a scene; equal results, equal bytes.

    Args:
        result: ships of the scene.
        path: the file.
        files: all result files of the run by format or view.
        record: record of the run, which gives the software versions.

    Raises:
        OSError: the file cannot be written.
    """
    write_json(path, stac_item(result, path, files, record))


def stac_item(
    result: SceneResult, path: Path, files: Mapping[str, Path], record: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Item of a scene, ready for JSON; the arguments are those of `write_stac`."""
    area = _footprint(result)
    ships = bounds_on_earth(ship_shapes(result)) if result.located else None
    properties = item_properties(result, record)
    properties |= {"refinedet:ships": len(result.detections)} | ({SHIPS_BBOX: ships} if ships else {})
    links, folder = _links(result), archive_folder(files)
    if folder is not None:
        href = _href(folder / COLLECTION, path)
        links += [{"rel": rel, "href": href, "type": JSON_TYPE} for rel in ("root", "parent", "collection")]
    return {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": [uri for prefix, uri in EXTENSIONS.items() if _uses(properties, prefix)],
        "id": scene_stem(result.scene),
        "geometry": None if area is None else shapely.geometry.mapping(area),
        **({} if area is None else {"bbox": bounds_on_earth([area])}),
        "properties": properties,
        "links": links,
        "assets": _assets(path, files, located=result.located),
        **({} if folder is None else {"collection": collection_id(folder)}),
    }


def collection_id(folder: Path) -> str:
    """Name of the collection of an archive, which is the name of its folder."""
    return folder.absolute().name or "ships"


def _footprint(result: SceneResult) -> shapely.Geometry | None:
    """Area of the scene in which pixels were measured, else its outline; None without a position."""
    position = locate(result.info)
    if position is None:
        return None
    seen = seen_area(result)
    if seen is not None and not seen.is_empty:
        return seen
    width, height = result.info.width, result.info.height
    outline = shapely.segmentize(shapely.box(0, 0, width, height), max(width, height) / _EDGES)
    return area_on_earth(shapely.transform(outline, position.lonlat))


def _links(result: SceneResult) -> list[dict[str, str]]:
    """Link to the item that the scene was opened from, if any."""
    item = result.read_as.get("stac_item")
    known = isinstance(item, str) and item.startswith(("https://", "http://", "s3://"))
    return [{"rel": "derived_from", "href": str(item), "type": ITEM_TYPE}] if known else []


def _assets(path: Path, files: Mapping[str, Path], *, located: bool) -> dict[str, Any]:
    assets: dict[str, Any] = {}
    for name, (title, kind, role) in _ASSETS.items():
        if (file := files.get(name)) is None:
            continue
        degrees = {"proj:code": WGS84} if located and name in _IN_DEGREES else {}
        assets[name.replace(" ", "_")] = {
            "href": _href(file, path),
            "title": title,
            "type": kind,
            "roles": [role],
            **degrees,
        }
    return assets


def _href(file: Path, item: Path) -> str:
    """Reference from an item to a file near it."""
    relative = relpath(file.absolute().as_posix(), item.absolute().parent.as_posix())
    return quote(relative if relative.startswith("..") else f"./{relative}", safe="/=")


def _uses(properties: Mapping[str, Any], prefix: str) -> bool:
    return any(name.startswith(f"{prefix}:") for name in properties)
