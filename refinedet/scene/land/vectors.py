"""Points and polygons of the user: GeoJSON, GeoPackage, Shapefile, each with its reference system.

The first bytes alone decide the format. GeoJSON is parsed here. GDAL only gets files that begin as a GeoPackage or a
Shapefile, so it opens no driver that would read other files or the network (VRT above all).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from refinedet.errors import FileError, InputError, MissingExtra
from refinedet.scene.land.region import WGS84, Box, Shapes, is_plain_degrees, turned_boxes
from refinedet.workarounds.pyogrio_messages import silent_reading

_HEAD_BYTES = 72
_FORMATS = "a GeoJSON, GeoPackage or Shapefile"


class Layer(NamedTuple):
    """Geometries of a file that may touch the boxes asked for, in the reference system of the file."""

    shapes: Shapes
    crs: CRS


def read_layers(path: str | Path, boxes_in: Callable[[CRS], list[Box]]) -> list[Layer]:
    """Read geometries near the boxes, which `boxes_in` gives in a reference system. A GeoPackage may have more layers.

    Raises:
        FileError: the file is missing, damaged, or in another format.
        InputError: its geometries or its reference system cannot be used.
        MissingExtra: GeoPackage or Shapefile without pyogrio.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError as error:
        raise FileError(f"expected {_FORMATS} at {path}, but it cannot be read ({error.strerror})") from error
    try:
        if head.startswith(b"SQLite format 3\0") and head[68:72] in {b"GPKG", b"GP10", b"GP11"}:
            return _with_gdal(path, boxes_in)
        if head.startswith(b"\0\0\x27\x0a") and path.suffix.lower() == ".shp":
            return _with_gdal(path, boxes_in)
        if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
            return [_geojson(path)]
    except (CRSError, ProjError) as error:
        raise InputError(
            f"expected a reference system that can be used in {path}, found none ({error}); save it in EPSG:4326"
        ) from error
    except shapely.errors.ShapelyError as error:
        raise InputError(f"expected geometries that can be used in {path}, found a broken one ({error})") from error
    raise FileError(f"expected {_FORMATS} at {path}, found something else; save it as GeoJSON")


def _geojson(path: Path) -> Layer:
    """Read GeoJSON: RFC 7946 has WGS 84, older files may name another reference system."""
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise FileError(f"expected GeoJSON in {path}, found broken JSON ({error}); is the file whole?") from error
    try:
        features = content.get("features", [content])
        found = [feature.get("geometry", feature) for feature in features]
        shapes = [shapely.from_geojson(json.dumps(geometry)) for geometry in found if geometry is not None]
        named = content.get("crs")
        crs = WGS84 if named is None else _reference_system(named["properties"]["name"])
    except (TypeError, KeyError, AttributeError) as error:
        raise InputError(f"expected GeoJSON features with a geometry in {path}, found other JSON") from error
    return Layer(_flat(shapes, path), crs)


def _with_gdal(path: Path, boxes_in: Callable[[CRS], list[Box]]) -> list[Layer]:
    try:
        import pyogrio
    except ImportError as error:
        raise MissingExtra(
            f"expected pyogrio to read {path}, found none; pip install 'refinedet[gpkg]', or save the file as GeoJSON"
        ) from error
    # The absolute path cannot be taken for an address, and the driver is the one that the first bytes name.
    name = str(path.resolve())
    layers = []
    try:
        with silent_reading():
            for layer, kind in pyogrio.list_layers(name):
                if kind is not None:
                    layers.append(_layer(path, name, layer, boxes_in))
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError) as error:
        raise FileError(f"expected {_FORMATS} at {path}, found a damaged one ({error})") from error
    except pyogrio.errors.GeometryError as error:
        raise InputError(f"expected geometries that can be used in {path}, found a broken one ({error})") from error
    return layers


def _layer(path: Path, name: str, layer: str, boxes_in: Callable[[CRS], list[Box]]) -> Layer:
    import pyogrio.raw

    told = pyogrio.read_info(name, layer=layer)["crs"]
    if told is None:
        raise InputError(
            f"expected {path} to say which reference system it is in, found nothing; "
            "add its .prj file, or save it as GeoJSON in EPSG:4326"
        )
    crs = _reference_system(told)
    found: list[Any] = []
    seen: set[int] = set()
    for _, box in turned_boxes(boxes_in(crs), degrees=is_plain_degrees(crs)):
        _, ids, wkb, _ = pyogrio.raw.read(name, layer=layer, bbox=box, columns=[], force_2d=True, return_fids=True)
        new = [geometry for i, geometry in zip(ids.tolist(), wkb, strict=True) if i not in seen]
        found.extend(shapely.from_wkb(geometry) for geometry in new)
        seen.update(ids.tolist())
    return Layer(_flat(found, path), crs)


def _reference_system(told: str) -> CRS:
    """Reference system from which coordinates can be converted to degrees."""
    crs = CRS.from_user_input(told)
    Transformer.from_crs(crs, WGS84)
    return crs


def _flat(shapes: list[Any], path: Path) -> Shapes:
    """Make geometries two-dimensional, leave out empty ones, and refuse coordinates that are not finite."""
    flat = np.fromiter((s for s in shapes if s is not None and not s.is_empty), object)
    flat = np.asarray(shapely.force_2d(flat), object)
    if not np.isfinite(shapely.get_coordinates(flat)).all():
        raise InputError(f"expected finite coordinates in {path}, found others")
    return flat
