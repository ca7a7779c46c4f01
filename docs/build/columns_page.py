"""The page of the columns, made from the JSON Schemas of a ship and of the run record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_SCHEMAS = Path(__file__).resolve().parent.parent / "reference" / "schemas"
_INTRO = """# Columns and schemas

This page lists what the result files hold, with types, for programs that read them.
[Outputs](outputs.md#columns) explains the columns and flags in words. The tables are made from two JSON
Schemas, and the tests hold real results against these:

- [ship.schema.json](schemas/ship.schema.json): the `properties` of a feature in `<stem>.geojson`
- [run.schema.json](schemas/run.schema.json): the whole of `<stem>.run.json`

An unknown value is null in JSON, NULL in GeoPackage and GeoParquet, and an empty field in CSV. New columns
may appear in any version; the ones here keep name, type and unit until a breaking change says otherwise.
"""
_OTHERS = """
## How formats differ

The second kind of geometry is that of a scene without a position.

| format | file | geometry | `bbox_px` | `flags` | `time` |
|---|---|---|---|---|---|
| GeoJSON (RFC 7946) | `<stem>.geojson` | polygon in degrees, or null | list of four numbers | list | text |
| CSV | `<stem>.csv` | none | columns `x1`, `y1`, `x2`, `y2` | text, separated by `;` | text |
| GeoPackage 1.2 | `<stem>.gpkg` | polygon in EPSG:4326, or pixels | text | text, separated by `;` | date and time |
| FlatGeobuf | `<stem>.fgb` | polygon in EPSG:4326, or pixels | text | text, separated by `;` | date and time |
| KML 2.2 | `<stem>.kml` | point and polygon in WGS 84, or none | text | text, separated by `;` | text |
| GeoParquet 1.1 | `<stem>.parquet` | polygon in OGC:CRS84, or pixels; box in `bbox` | list | list | date and time |
| COCO results | `<stem>.coco.json` | none | `bbox` as x, y, width, height | none | text |
"""


def text() -> str:
    """Markdown of the page."""
    ship, run = (json.loads((_SCHEMAS / f"{name}.schema.json").read_text("utf-8")) for name in ("ship", "run"))
    parts = [_INTRO, "## A ship\n", _table(ship), _OTHERS, "## The run record\n", _table(run)]
    return "\n".join(parts)


def _table(schema: dict[str, Any]) -> str:
    always = set(schema.get("required", ()))
    rows = [
        f"| `{name}` | {_kind(one)} | {'yes' if name in always else 'no'} | {one.get('description', '')} |"
        for name, one in schema["properties"].items()
    ]
    return "\n".join(["| name | type | always there | meaning |", "|---|---|---|---|", *rows, ""])


def _kind(one: dict[str, Any]) -> str:
    if "enum" in one:
        return ", ".join(f"`{value}`" for value in one["enum"])
    kinds = one.get("type", "any")
    words = " or ".join(kinds) if isinstance(kinds, list) else kinds
    limits = [f"{one[key]:g}" for key in ("minimum", "maximum") if key in one]
    return f"{words}, {' to '.join(limits)}" if limits else words
