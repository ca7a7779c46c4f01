"""Features of a user's file with their columns: GeoJSON, GeoPackage, Shapefile, or a table of points (CSV)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError, ProjError

from refinedet.errors import InputError
from refinedet.geo.reference import Shapes, reference_system
from refinedet.geo.vectors import file_kind, finite, one_sentence, opened_by_gdal, other_format, parsed_geojson

System = CRS | Literal["pixels"]
"""System of coordinates: a reference system, or pixels of a scene, x first."""

_STAC_SHIPS = "refinedet:ships"
"""Property of the STAC item of a scene, whose geometry is the outline of the scene and no ship."""
FORMATS = "GeoJSON, a GeoPackage, a Shapefile or a table (CSV)"


@dataclass(frozen=True, slots=True)
class Features:
    """Features of one layer."""

    shapes: Shapes
    """(N,) flat geometries; None for a feature without one."""
    system: System | None
    """System of the coordinates; None: the file states none."""
    columns: dict[str, list[Any]]
    """Name -> N values, None where a feature has none."""


def read_features(path: str | Path, *, in_pixels: bool = False) -> list[Features]:
    """Read all features of a file, layer by layer.

    Args:
        path: the file.
        in_pixels: if a table has places both in degrees and in pixels, take the pixels.

    Raises:
        FileError: the file is missing, damaged, or in another format.
        InputError: its geometries or its reference system cannot be used.
        MissingExtra: GeoPackage or Shapefile without pyogrio.
    """
    from refinedet.geo.tables import is_table, read_table

    path = Path(path)
    kind = file_kind(path, FORMATS)
    with one_sentence(path):
        if kind == "geojson":
            shapes, properties, crs = parsed_geojson(path)
            names = dict.fromkeys(name for one in properties for name in one)
            if _STAC_SHIPS in names:
                raise InputError(f"expected ships in {path}, found the STAC item of a scene; name its GeoJSON")
            columns = {name: [one.get(name) for one in properties] for name in names}
            found = [Features(_array(shapes, path), crs, columns)]
        elif kind == "gdal":
            with opened_by_gdal(path) as (name, layers):
                found = [_layer(path, name, layer) for layer in layers]
        elif is_table(path):
            shapes, told, columns = read_table(path, in_pixels=in_pixels)
            found = [Features(_array(shapes, path), told, columns)]
        else:
            raise other_format(path, FORMATS)
    return found


def in_system(layers: list[Features], system: System | None, path: str | Path, setting: str) -> list[Features]:
    """Layers whose coordinates are in `system` where the file states none.

    Args:
        layers: layers of the file `path`.
        system: system that the user states; None: nothing changes.
        path: the file, for a message.
        setting: name of the setting that states the system, for a message.

    Raises:
        InputError: a layer states another system.
    """
    if system is None:
        return layers
    own = next((one.system for one in layers if one.system not in (None, system)), None)
    if own is not None:
        told = own if isinstance(own, str) else own.name
        raise InputError(
            f"expected no other system by `{setting}` than that of {path} itself, which is {told}, found "
            f"{system if isinstance(system, str) else system.name}; leave `{setting}` out"
        )
    return [replace(one, system=system) for one in layers]


def parse_system(text: str) -> System:
    """Parse a reference system, such as EPSG:32633, or the word pixels.

    Raises:
        InputError: it is neither.
    """
    if text == "pixels":
        return "pixels"
    try:
        return reference_system(text)
    except (CRSError, ProjError) as error:
        raise InputError(f"expected a reference system such as EPSG:4326, or pixels, found {text[:80]!r}") from error


def _layer(path: Path, name: str, layer: str) -> Features:
    import pyogrio.raw

    meta, _, wkb, fields = pyogrio.raw.read(name, layer=layer, force_2d=True)
    crs = None if meta["crs"] is None else reference_system(meta["crs"])
    columns = {str(key): [_plain(v) for v in values] for key, values in zip(meta["fields"], fields, strict=True)}
    return Features(_array([None if one is None else shapely.from_wkb(one) for one in wkb], path), crs, columns)


def _array(shapes: list[Any], path: Path) -> Shapes:
    found = np.empty(len(shapes), object)
    found[:] = [None if one is None or one.is_empty else one for one in shapes]
    return finite(found, path)


def _plain(value: Any) -> Any:
    """Plain value of a column; None for NaN."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124 - NaN alone differs
