"""Map of ships or other objects as one HTML page that works offline: pan, zoom, filter, sort and view them.

The map uses pixels of a scene, or of a sheet without a picture. So pictures are not warped, and scenes at a pole or
without a position need no exception. Pictures, data, style and script are inside the page. Its content security policy
forbids every request, and every script except the one whose hash it names. Template, style and script are files in the
folder web.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from refinedet.files import write_text
from refinedet.geo.position import Position

if TYPE_CHECKING:
    from jinja2 import Template

_WEB = Path(__file__).with_name("web")
_SCRIPTS = ("map.js", "reports.js", "panel.js")
_GRID = 33
"""Number of nodes per side of the grid from which the page interpolates longitude and latitude."""
_GRID_DIGITS = 9
"""Decimals of unit vectors; the rounding error is below a centimetre."""
_UNITS = {"m": ("m", 0), "deg": ("°", 0), "db": ("dB", 1), "px": ("px", 0)}
"""End of a measure's name -> unit and decimals."""
_ENDS = ("low", "high")
"""Ends of the names of the bounds of an interval, after the unit."""


@dataclass(frozen=True, slots=True)
class Column:
    """Column of the page: one value of each ship, with a heading."""

    key: str
    name: str
    """Full name, such as `length`."""
    unit: str = ""
    digits: int = 0
    table: bool = True
    text: bool = False
    spare: bool = False
    """True to omit the value from the list of a chosen ship if it is unknown."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, with the heading."""
        label = f"{self.name} ({self.unit})" if self.unit else self.name
        return {name: getattr(self, name) for name in self.__slots__} | {"label": label}


@dataclass(frozen=True, slots=True)
class Words:
    """Words for the objects on a map."""

    one: str = "ship"
    many: str = "ships"
    score: str = "score"
    """Word for the column `score`, by which objects are coloured and filtered."""


@dataclass(frozen=True, slots=True)
class MapPage:
    """Content of a page."""

    title: str
    count: str
    """Number of ships in words."""
    facts: tuple[str, ...]
    data: Mapping[str, Any]
    """Data for the script, ready for JSON."""
    preview: str | None = None
    """Picture of the whole scene as JPEG in base64; None: a sheet without a picture."""
    words: Words = Words()


def write_page(path: str | Path, page: MapPage) -> None:
    """Write the page; equal content gives equal bytes.

    Raises:
        OSError: it cannot be written.
    """
    from markupsafe import Markup

    template, style, script = _page_parts()
    words = {name: getattr(page.words, name) for name in page.words.__slots__}
    text = json.dumps({**page.data, "words": words}, separators=(",", ":"), sort_keys=True, allow_nan=False).replace(
        "<", "\\u003c"
    )
    made = template.render(
        title=page.title,
        count=page.count,
        facts=" · ".join(page.facts),
        preview=page.preview,
        words=words,
        data=Markup(text),  # noqa: S704 - JSON without any <, read as text by the script
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - ditto
        style_hash=_hash(style),
        script_hash=_hash(script),
    )
    write_text(path, made)


@cache
def _page_parts() -> tuple[Template, str, str]:
    """Template, style and script, which all pages share."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(_WEB), autoescape=True, undefined=StrictUndefined)
    script = "".join((_WEB / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    return environment.get_template("map.html"), (_WEB / "map.css").read_text(encoding="utf-8"), script


def measure(name: str) -> Column:
    """Column of a measure of ships, by the name that it has in result files; bounds are not in the table."""
    plain, _, bound = name.rpartition("_")
    plain, bound = (plain, f" {bound}") if bound in _ENDS else (name, "")
    stem, _, end = plain.rpartition("_")
    unit, digits = _UNITS.get(end, ("", 1))
    shown = (stem if unit else plain).replace("_", " ") + bound
    return Column(name, shown, unit, digits, table=not bound)


def place_grid(position: Position, width: int, height: int) -> dict[str, Any]:
    """Unit vectors from the earth's centre at the nodes of a grid over the scene, row by row; null where unknown.

    The page interpolates between them, with errors of metres. So poles and antimeridian need no special treatment.
    """
    x, y = np.meshgrid(np.linspace(0, width, _GRID), np.linspace(0, height, _GRID))
    lon, lat = np.radians(position.lonlat(np.stack([x.ravel(), y.ravel()], axis=1))).T
    vectors = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1).round(_GRID_DIGITS)
    points = [vector if np.isfinite(vector).all() else None for vector in vectors]
    return {"columns": _GRID, "rows": _GRID, "points": [None if v is None else v.tolist() for v in points]}


def columns_of(rows: Iterable[Mapping[str, Any]], names: Iterable[str]) -> dict[str, list[Any]]:
    """Values of rows by column."""
    listed = list(rows)
    return {name: [row[name] for row in listed] for name in sorted(set(names))}


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
