"""GeoPackage: the ships of a scene as a layer that QGIS opens styled, with the record of the run as its metadata.

Style and metadata are rows of tables that QGIS and GDAL know: `layer_styles` of QGIS, and the metadata extension of the
standard (https://www.geopackage.org/spec120/#extension_metadata).
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from refinedet.files import atomic_path
from refinedet.geo.feature_files import FIXED_DATE
from refinedet.scene.output.formats.layer_style import qml, sld
from refinedet.scene.output.formats.layers import layer_bytes
from refinedet.scene.output.formats.xml import add, document
from refinedet.scene.result import SceneResult

_VERSION = "1.2"
"""Version of the format. The files need no newer version, and older programs open this one without a warning."""
_LAYER = re.compile(r"(?!gpkg_|rtree_|sqlite_|layer_styles$)\w[\w .-]*", re.IGNORECASE)
"""Valid layer names: no name of the format's own tables, no character that GDAL refuses."""
_GEOMETRY = "geom"
"""Column of geometries, as GDAL names it."""
_STYLES = """CREATE TABLE layer_styles (
 id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
 f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
 useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
 update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))"""
_STYLE_NAME, _STYLE_TOLD = "ships", "ships by AIS, flags and score"
_QGIS = "http://mrcc.com/qgis.dtd"
"""Standard by which QGIS knows its metadata."""


def write_gpkg(result: SceneResult, path: Path, record: Mapping[str, Any] | None = None) -> None:
    """Write a layer named like the scene, in EPSG:4326, or in pixels (y down) without a position.

    Equal results give equal bytes, independent of the times in the record.

    Args:
        result: ships of the scene.
        path: the file.
        record: record of the run, which becomes metadata of the layer, except its entry `time`.

    Raises:
        OSError: the file cannot be written.
        MissingExtra: pyogrio is not installed.
    """
    layer, told = _layer(result), {} if record is None else _metadata(record)
    content = layer_bytes(
        result, "GPKG", layer, VERSION=_VERSION, DESCRIPTION=_abstract(result), layer_metadata=told or None
    )
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
        with closing(sqlite3.connect(temporary)) as base, base:
            base.execute("PRAGMA journal_mode = MEMORY")  # no file beside this one
            _add_style(base, layer, ais=result.ais is not None)
            if told:
                _add_metadata(base, layer, _for_qgis(result, layer, told))


def _layer(result: SceneResult) -> str:
    """Name of the layer: the name of the scene, if a GeoPackage allows it."""
    stem = Path(result.scene).stem
    return stem if _LAYER.fullmatch(stem) else "ships_" + re.sub(r"[^\w .-]", "_", stem)


def _metadata(record: Mapping[str, Any]) -> dict[str, str]:
    """Entries of a record as text, without the times of the run; nested entries are JSON."""
    plain = {name: value for name, value in record.items() if name != "time" and value is not None}
    return {
        name: value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
        for name, value in plain.items()
    }


def _abstract(result: SceneResult) -> str:
    count = len(result.detections)
    told = "no ship" if not count else f"{count} ship{'s' if count > 1 else ''}"
    return " ".join(f"{told} found in {result.scene} by refinedet".split())


def _add_style(base: sqlite3.Connection, layer: str, *, ais: bool) -> None:
    base.execute(_STYLES)
    _register(base, "layer_styles")
    row = {
        "f_table_catalog": "",
        "f_table_schema": "",  # if null, QGIS finds no style
        "f_table_name": layer,
        "f_geometry_column": _GEOMETRY,
        "styleName": _STYLE_NAME,
        "styleQML": qml(ais=ais),
        "styleSLD": sld(layer, ais=ais),
        "useAsDefault": True,
        "description": _STYLE_TOLD,
        "owner": "",
        "ui": None,
        "update_time": FIXED_DATE,
    }
    names = ", ".join(row)
    base.execute(f"INSERT INTO layer_styles ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values()))  # noqa: S608 - names of this function


def _register(base: sqlite3.Connection, table: str) -> None:
    """Register a table without geometries, so that programs that follow the standard list it."""
    base.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id) "
        "VALUES (?, 'attributes', ?, '', ?, 0)",
        (table, table, FIXED_DATE),
    )


def _add_metadata(base: sqlite3.Connection, layer: str, text: str) -> None:
    """Add a metadata document of QGIS to the tables that GDAL made."""
    added = base.execute(
        "INSERT INTO gpkg_metadata (md_scope, md_standard_uri, mime_type, metadata) "
        "VALUES ('dataset', ?, 'text/xml', ?)",
        (_QGIS, text),
    )
    base.execute(
        "INSERT INTO gpkg_metadata_reference (reference_scope, table_name, timestamp, md_file_id) "
        "VALUES ('table', ?, ?, ?)",
        (layer, FIXED_DATE, added.lastrowid),
    )


def _for_qgis(result: SceneResult, layer: str, told: Mapping[str, str]) -> str:
    """Metadata for the layer properties in QGIS: a title, a sentence, the notes, and the record."""
    root = Element("qgis", {"version": "3.22.0"})
    add(root, "identifier", layer)
    add(root, "language", "ENG")
    add(root, "type", "dataset")
    add(root, "title", f"Ships in {result.scene}")
    add(root, "abstract", " ".join((f"{_abstract(result)}.", *(f"{note}." for note in result.notes))))
    for name, text in told.items():
        add(root, "history", f"{name}: {text}")
    return document(root)
