"""Points and polygons of the user: GeoJSON, GeoPackage, Shapefile, table, each with its reference system.

The first bytes decide the format. This file parses GeoJSON. GDAL only gets files that begin like a GeoPackage or a
Shapefile, so it uses no driver that would read other files or the network (such as VRT).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError, ProjError

from refinedet.errors import FileError, InputError
from refinedet.extras import missing_extra
from refinedet.geo.reference import WGS84, Box, Shapes, is_plain_degrees, reference_system, turned_boxes
from refinedet.geo.tables import is_table, read_table
from refinedet.raster.gdal import driver_of
from refinedet.workarounds.pyogrio_messages import silent_reading

Kind = Literal["geojson", "gdal", "other"]
"""Format of a file: GeoJSON; GeoPackage or Shapefile, which GDAL reads; or none of them."""

_HEAD_BYTES = 72
_FORMATS = "a GeoJSON, GeoPackage, Shapefile or table (CSV)"
_CONVERT = "convert it: ogr2ogr -f GeoJSON places.geojson {}"
_MAGIC = {b"fgb": "FlatGeobuf", b"PAR1": "Parquet", b"PK\x03\x04": "a zip or a workbook"}
"""First bytes of formats that are not read."""
_BLANK = b"\xef\xbb\xbf \r\n\t"
"""Bytes that may come before the first sign of XML."""
_DEGREES = (2 * 360.0, 90.0)
"""Largest longitude and latitude, with room for two turns; larger coordinates are no degrees."""


class Layer(NamedTuple):
    """Geometries of a file that may touch the boxes asked for, in the reference system of the file."""

    shapes: Shapes
    crs: CRS


def read_layers(path: str | Path, boxes_in: Callable[[CRS], list[Box]]) -> list[Layer]:
    """Read geometries near the boxes of `boxes_in`, layer by layer; a GeoPackage may have more than one.

    Raises:
        FileError: the file is missing, damaged, or in another format.
        InputError: its geometries or its reference system cannot be used.
        MissingExtra: GeoPackage or Shapefile without pyogrio.
    """
    path = Path(path)
    kind = file_kind(path, _FORMATS)
    with one_sentence(path):
        if kind == "gdal":
            return _with_gdal(path, boxes_in)
        if kind == "geojson":
            return [_geojson(path)]
        if is_table(path):
            return [_table(path)]
    raise other_format(path, _FORMATS)


def other_format(path: Path, formats: str) -> FileError:
    """Error for a file in another format than `formats`, with the way to convert it if its kind is known."""
    head = _head(path)
    if driver_of(head) is not None:
        found = "a raster; turn its areas into polygons, such as with gdal_polygonize, and name the file of these"
    elif head.lstrip(_BLANK).startswith(b"<"):
        found = f"XML, such as KML or GPX; {_CONVERT.format(path.name)}"
    else:
        known = next((words for magic, words in _MAGIC.items() if head.startswith(magic)), None)
        found = "something else; save it as GeoJSON" if known is None else f"{known}; {_CONVERT.format(path.name)}"
    return FileError(f"expected {formats} at {path}, found {found}")


def _table(path: Path) -> Layer:
    shapes, system, _ = read_table(path, in_pixels=False)
    known = [shape for shape in shapes if shape is not None]
    if shapes and not known:
        raise InputError(
            f"expected numbers in the columns of places in {path}, found none; write degrees as 54.5, -7.25"
        )
    if system == "pixels" or (system is None and not are_degrees(known)):
        raise InputError(
            f"expected degrees in {path}, such as columns lon and lat, found {system or 'larger numbers'}; save it as "
            "GeoJSON in EPSG:4326"
        )
    return Layer(_flat(known, path), WGS84)


def rows_without_place(path: Path) -> int:
    """Number of rows of a table that lack a number of their place; 0 for files of other formats.

    Raises:
        FileError, InputError: as `read_layers`.
    """
    if file_kind(path, _FORMATS) != "other" or not is_table(path):
        return 0
    return sum(shape is None for shape in read_table(path, in_pixels=False)[0])


def file_kind(path: Path, formats: str) -> Kind:
    """Find the format of a file from its first bytes; `formats` are those that a message says were expected.

    Raises:
        FileError: it cannot be read, or is empty.
    """
    try:
        head = _head(path)
    except IsADirectoryError as error:
        raise FileError(f"expected {formats} at {path}, found a folder; name a file in it") from error
    except OSError as error:
        raise FileError(f"expected {formats} at {path}, but it cannot be read ({error.strerror})") from error
    if not head.strip():
        raise FileError(f"expected {formats} at {path}, found an empty file")
    if head.startswith(b"SQLite format 3\0") and head[68:72] in {b"GPKG", b"GP10", b"GP11"}:
        return "gdal"
    if head.startswith(b"\0\0\x27\x0a") and path.suffix.lower() == ".shp":
        return "gdal"
    return "geojson" if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{") else "other"


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_HEAD_BYTES)


@contextmanager
def one_sentence(path: Path) -> Iterator[None]:
    """Turn library errors about the geometries or the reference system of a file into one sentence."""
    try:
        yield
    except (CRSError, ProjError) as error:
        raise InputError(
            f"expected a reference system that can be used in {path}, found none ({error}); save it in EPSG:4326"
        ) from error
    except shapely.errors.ShapelyError as error:
        raise InputError(f"expected geometries that can be used in {path}, found a broken one ({error})") from error


def parsed_geojson(path: Path) -> tuple[list[Any], list[dict[str, Any]], CRS | None]:
    """Read geometries (None for null), properties and reference system of a GeoJSON file.

    RFC 7946 uses WGS 84; older files may name another system. None: the file names no system, and the coordinates are
    no degrees.

    Raises:
        FileError, InputError: it is no such file.
    """
    content = _json(path)
    if isinstance(content, dict):
        _refuse_other_json(path, content)
    try:
        features = content.get("features", [content]) if "type" in content else content["features"]
        found = [feature.get("geometry", feature) for feature in features]
        shapes = [None if one is None else shapely.from_geojson(json.dumps(one)) for one in found]
        properties = [dict(feature.get("properties") or {}) for feature in features]
        named = content.get("crs")
        crs = WGS84 if named is None else reference_system(named["properties"]["name"])
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise InputError(f"expected GeoJSON features with a geometry in {path}, found other JSON") from error
    return shapes, properties, None if named is None and not are_degrees(shapes) else crs


def _json(path: Path) -> Any:
    """Document in a file, or a collection of the features that its lines hold, one in each."""
    text = path.read_bytes()
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        try:
            return {
                "type": "FeatureCollection",
                "features": [json.loads(line) for line in text.splitlines() if line.strip()],
            }
        except (ValueError, RecursionError):
            pass
        raise FileError(f"expected GeoJSON in {path}, found broken JSON ({error}); is the file whole?") from error


def _refuse_other_json(path: Path, content: dict[str, Any]) -> None:
    """Refuse files of JSON that people take for GeoJSON, each with its remedy."""
    if content.get("geometryType", "").startswith("esri"):
        raise InputError(
            f"expected GeoJSON features with a geometry in {path}, found Esri's JSON; {_CONVERT.format(path.name)}"
        )
    if content.get("type") == "Topology":
        raise InputError(
            f"expected GeoJSON features with a geometry in {path}, found TopoJSON; save it as GeoJSON, such as with "
            "ogr2ogr"
        )
    if {"images", "annotations"} <= content.keys():
        raise InputError(
            f"expected GeoJSON features with a geometry in {path}, found COCO; write the boxes of one image to a table "
            "(CSV) with the columns xmin, ymin, xmax and ymax, and say that they are pixels"
        )


@contextmanager
def opened_by_gdal(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Name by which pyogrio opens a file, and its layers with geometries; library errors become sentences.

    Raises:
        FileError, InputError: the file is damaged, or a geometry is.
        MissingExtra: pyogrio is not installed.
    """
    try:
        import pyogrio
    except ImportError as error:
        raise missing_extra("pyogrio", str(path), otherwise="save the file as GeoJSON") from error
    # An absolute path cannot be mistaken for an address; the first bytes choose the driver.
    name = str(path.resolve())
    try:
        with silent_reading():
            yield name, [layer for layer, kind in pyogrio.list_layers(name) if kind is not None]
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError) as error:
        raise FileError(f"expected {_FORMATS} at {path}, found a damaged one ({error})") from error
    except pyogrio.errors.GeometryError as error:
        raise InputError(f"expected geometries that can be used in {path}, found a broken one ({error})") from error


def finite(shapes: Shapes, path: Path) -> Shapes:
    """Make geometries two-dimensional, and refuse coordinates that are not finite.

    Raises:
        InputError: a coordinate is not finite.
    """
    flat = np.asarray(shapely.force_2d(shapes), object)
    if not np.isfinite(shapely.get_coordinates(flat)).all():
        raise InputError(f"expected finite coordinates in {path}, found others")
    return flat


def _geojson(path: Path) -> Layer:
    shapes, _, crs = parsed_geojson(path)
    if crs is None:
        raise InputError(
            f"expected degrees in {path}, as GeoJSON has unless it names a reference system, found larger numbers; "
            "save it in EPSG:4326"
        )
    return Layer(_flat(shapes, path), crs)


def are_degrees(shapes: Iterable[Any]) -> bool:
    """True if all coordinates of geometries may be longitudes and latitudes, or one is not finite; None has none."""
    largest = np.abs(shapely.get_coordinates([s for s in shapes if s is not None])).max(axis=0, initial=0)
    return bool((largest <= _DEGREES).all() or not np.isfinite(largest).all())


def _with_gdal(path: Path, boxes_in: Callable[[CRS], list[Box]]) -> list[Layer]:
    with opened_by_gdal(path) as (name, layers):
        return [_layer(path, name, layer, boxes_in) for layer in layers]


def _layer(path: Path, name: str, layer: str, boxes_in: Callable[[CRS], list[Box]]) -> Layer:
    import pyogrio.raw

    told = pyogrio.read_info(name, layer=layer)["crs"]
    if told is None:
        raise InputError(
            f"expected {path} to say which reference system it is in, found nothing; "
            "add its .prj file, or save it as GeoJSON in EPSG:4326"
        )
    crs = reference_system(told)
    found: list[Any] = []
    seen: set[int] = set()
    for _, box in turned_boxes(boxes_in(crs), degrees=is_plain_degrees(crs)):
        _, ids, wkb, _ = pyogrio.raw.read(name, layer=layer, bbox=box, columns=[], force_2d=True, return_fids=True)
        new = [geometry for i, geometry in zip(ids.tolist(), wkb, strict=True) if i not in seen]
        found.extend(shapely.from_wkb(geometry) for geometry in new)
        seen.update(ids.tolist())
    return Layer(_flat(found, path), crs)


def _flat(shapes: list[Any], path: Path) -> Shapes:
    """Leave out empty geometries, and make the others two-dimensional."""
    return finite(np.fromiter((s for s in shapes if s is not None and not s.is_empty), object), path)
