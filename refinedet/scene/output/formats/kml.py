"""KML 2.2: the ships of a scene for Google Earth and other globes, coloured by the classes of `looks.py`.

Each ship is a mark at its centre and its outline, on the ground. All columns are included with their types.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import shapely

from refinedet.files import write_text
from refinedet.scene.output.formats.looks import Look, look_of, looks
from refinedet.scene.output.formats.xml import add, document
from refinedet.scene.result import SceneResult
from refinedet.scene.views.columns import Kind, flat_rows, ship_columns, ship_rows, ship_shapes

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SCHEMA = "ship"
_TYPES: dict[Kind, str] = {"number": "double", "whole": "int"}
"""Types of columns; others are text."""
_ICON = "http://maps.google.com/mapfiles/kml/shapes/placemark_circle.png"
"""Mark that is built into Google Earth."""
_OPAQUE = "ff"


def write_kml(result: SceneResult, path: Path) -> None:
    """Write a placemark for each ship, without a place if the scene has no position; equal results, equal bytes.

    Raises:
        OSError: the file cannot be written.
    """
    ais, columns = result.ais is not None, ship_columns(result)
    root = Element("kml", {"xmlns": "http://www.opengis.net/kml/2.2"})
    body = add(root, "Document")
    add(body, "name", f"Ships in {result.scene}")
    if result.notes:
        add(body, "description", " ".join(f"{escape(note)}." for note in result.notes))
    for look in looks(ais=ais):
        _style(body, look)
    schema = add(body, "Schema", name=_SCHEMA, id=_SCHEMA)
    for name, kind in columns.items():
        add(schema, "SimpleField", name=name, type=_TYPES.get(kind, "string"))
    folder = add(body, "Folder")  # which readers show as a layer, even if it is empty
    add(folder, "name", "ships")
    shapes = ship_shapes(result) if result.located else [None] * len(result.detections)
    for row, flat, shape in zip(ship_rows(result), flat_rows(result), shapes, strict=True):
        _placemark(folder, flat, shape, look_of(row, ais=ais))
    write_text(path, document(root, _XML))


def _style(body: Element, look: Look) -> None:
    style = add(body, "Style", id=look.name)
    red, green, blue = (look.colour[i : i + 2] for i in (1, 3, 5))
    colour = f"{_OPAQUE}{blue}{green}{red}"  # the order of KML
    icon = add(style, "IconStyle")
    add(icon, "color", colour)
    add(icon, "scale", "0.5")
    add(add(icon, "Icon"), "href", _ICON)
    add(add(style, "LabelStyle"), "scale", "0.7")
    line = add(style, "LineStyle")
    add(line, "color", colour)
    add(line, "width", "2")
    add(add(style, "PolyStyle"), "fill", "0")


def _placemark(folder: Element, row: Mapping[str, Any], shape: shapely.Geometry | None, look: Look) -> None:
    mark = add(folder, "Placemark")
    add(mark, "name", _name(row))
    known = {name: f"{value}" for name, value in row.items() if value is not None}
    add(mark, "description", _table(known | {"class on the map": look.text}))
    add(mark, "styleUrl", f"#{look.name}")
    data = add(add(mark, "ExtendedData"), "SchemaData", schemaUrl=f"#{_SCHEMA}")
    for name, text in known.items():
        add(data, "SimpleData", text, name=name)
    if shape is None or row["lon"] is None:
        return
    several = add(mark, "MultiGeometry")
    add(add(several, "Point"), "coordinates", f"{row['lon']},{row['lat']}")
    for part in shapely.get_parts(shape):
        ring = add(add(add(several, "Polygon"), "outerBoundaryIs"), "LinearRing")
        add(ring, "coordinates", " ".join(f"{lon},{lat}" for lon, lat in shapely.get_coordinates(part).tolist()))


def _name(row: Mapping[str, Any]) -> str:
    """Name of a ship: its score, and its length if known."""
    score = f"{row['score']:.2f}"
    return score if row["length_m"] is None else f"{score}, {row['length_m']:.0f} m"


def _table(values: Mapping[str, str]) -> str:
    rows = (f"<tr><td>{escape(name)}</td><td>{escape(text)}</td></tr>" for name, text in values.items())
    return f"<table>{''.join(rows)}</table>"
