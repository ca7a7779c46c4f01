"""Map of a scene as one HTML page: pan, zoom, filter, sort and look at its ships, from a file and without a network.

The map lies in the pixels of the scene, as the picture does. So nothing is warped, and scenes at a pole or without a
position need no exception. Pictures, data, style and script are inside the page. Its policy forbids every request, and
every script except the one whose hash it names. Template, style and script are files in the folder web.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from refinedet.config.detect_options import SceneSettings
from refinedet.files import write_text
from refinedet.geo.compass import ground_axes, north_xy, pixel_metres
from refinedet.geo.position import Position, locate
from refinedet.scene.output.columns import MEASURES, score_columns, ship_rows
from refinedet.scene.output.imagery import Picture, picture, read_cutouts
from refinedet.scene.result import SceneResult
from refinedet.tiling import Window

CUTOUTS = 200
"""Most ships that the page holds enlarged: 2 to 8 kB each."""

_BY = "\N{MULTIPLICATION SIGN}"
_WEB = Path(__file__).with_name("web")
_SCRIPTS = ("map.js", "panel.js")
_PREVIEW_QUALITIES, _PREVIEW_MOST = (60, 45, 30, 15), 1_200_000
"""JPEG qualities of the whole scene, tried until it has no more than this many characters: noise compresses badly."""
_CUTOUT_QUALITY, _CUTOUT_MOST_PX = 75, 112
_GRID = 33
"""Places on a side of the grid from which the page interpolates longitude and latitude."""
_PIXEL_DIGITS = 2
_GRID_DIGITS = 9
"""Decimals of unit vectors: less than a centimetre."""


@dataclass(frozen=True, slots=True)
class _Column:
    """Column of the page: a value of each ship under one heading."""

    key: str
    name: str
    """Name in full, such as `length`."""
    unit: str = ""
    digits: int = 0
    table: bool = True
    text: bool = False

    def to_dict(self) -> dict[str, Any]:
        label = f"{self.name} ({self.unit})" if self.unit else self.name
        return {name: getattr(self, name) for name in self.__slots__} | {"label": label}


_UNITS = {"m": ("m", 0), "deg": ("°", 0), "db": ("dB", 1), "px": ("px", 0)}
"""End of a measure's name -> unit and decimals."""


def write_map(
    scene_path: str | Path, result: SceneResult, path: str | Path, *, scene: SceneSettings | None = None
) -> None:
    """Write the map; equal input gives equal bytes.

    Takes the arguments of `imagery.read_cutouts`, and raises what it raises.
    """
    write_text(path, _page(result, _data(result, read_cutouts(scene_path, result, CUTOUTS, scene))))


def _page(result: SceneResult, data: dict[str, Any]) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    script = "".join((_WEB / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    style = (_WEB / "map.css").read_text(encoding="utf-8")
    text = json.dumps(data, separators=(",", ":"), sort_keys=True, allow_nan=False).replace("<", "\\u003c")
    environment = Environment(loader=FileSystemLoader(_WEB), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("map.html").render(
        title=Path(result.scene).stem,
        count=_count(result),
        facts=" · ".join(_facts(result)),
        preview=_preview(picture(result.preview, result)),
        data=Markup(text),  # noqa: S704 - JSON without any <, read as text by the script
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - ditto
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _data(result: SceneResult, enlarged: list[tuple[Picture, Window]]) -> dict[str, Any]:
    info, rows, columns = result.info, ship_rows(result), _columns(result)
    position = locate(info)
    ground = ground_axes(position, info.width, info.height)
    shown = {"bbox_px", "lon", "lat", "flags", *(column.key for column in columns)}
    return {
        "scene": {"width": info.width, "height": info.height},
        "columns": [column.to_dict() for column in columns],
        "ships": {
            **{name: [row[name] for row in rows] for name in sorted(shown)},
            "outline_px": [_corners(result, ship) for ship in range(len(rows))],
        },
        "cutouts": [
            {
                "window": [window.x, window.y, window.width, window.height],
                "jpeg": _jpeg(_small(pixels), _CUTOUT_QUALITY),
            }
            for pixels, window in enlarged
        ],
        "grid": None if position is None else _grid(position, info.width, info.height),
        "metres_per_px": None if ground is None else round(pixel_metres(ground), 6),
        "north_deg": None if ground is None else round(_turn(north_xy(ground)), 2),
    }


def _columns(result: SceneResult) -> list[_Column]:
    measures = [name for name in MEASURES if np.isfinite(getattr(result.places, name)).any()]
    several = len(set(result.detections.labels.tolist())) > 1
    return [
        _Column("score", "score", digits=2),
        *(_Column(name, name.replace("_", " "), digits=2) for name in score_columns(result)),
        *(_measure(name) for name in measures),
        _Column("class", "class", text=True, table=several),
        _Column("flags", "flags", text=True, table=any(result.flags)),
        _Column("bbox_px", "box", unit="px", table=False),
        _Column("outline", "outline", text=True, table=False),
        _Column("time", "time", text=True, table=False),
        _Column("scene", "scene", text=True, table=False),
    ]


def _corners(result: SceneResult, ship: int) -> list[list[float]] | None:
    """Corners of a turned outline in pixels; None: the outline is the box."""
    if result.outline_of(ship) == "box":
        return None
    corners: list[list[float]] = result.outline_px(ship).round(_PIXEL_DIGITS).tolist()
    return corners


def _measure(name: str) -> _Column:
    stem, _, end = name.rpartition("_")
    unit, digits = _UNITS.get(end, ("", 1))
    return _Column(name, (stem if unit else name).replace("_", " "), unit, digits)


def _grid(position: Position, width: int, height: int) -> dict[str, Any]:
    """Unit vectors from the earth's centre at the nodes of a grid over the scene, row by row; null where unknown.

    Between them the page interpolates, which errs by metres: neither the pole nor the antimeridian is special.
    """
    x, y = np.meshgrid(np.linspace(0, width, _GRID), np.linspace(0, height, _GRID))
    lon, lat = np.radians(position.lonlat(np.stack([x.ravel(), y.ravel()], axis=1))).T
    vectors = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1).round(_GRID_DIGITS)
    points = [vector if np.isfinite(vector).all() else None for vector in vectors]
    return {"columns": _GRID, "rows": _GRID, "points": [None if v is None else v.tolist() for v in points]}


def _turn(direction: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """Degrees clockwise from up in the picture."""
    return float(np.degrees(np.arctan2(direction[0], -direction[1])))


def _count(result: SceneResult) -> str:
    count = len(result.detections)
    return "no ship found" if count == 0 else f"{count:,} ship{'s' if count > 1 else ''}"


def _facts(result: SceneResult) -> list[str]:
    info = result.info
    facts = [_count(result), *filter(None, [result.label]), f"{info.width:,} {_BY} {info.height:,} px"]
    if not result.located:
        facts.append("no position: coordinates are pixels")
    if len(result.detections) > CUTOUTS:
        facts.append(f"strongest {CUTOUTS} in full resolution")
    return facts


def _preview(pixels: Picture) -> str:
    for quality in _PREVIEW_QUALITIES[:-1]:
        encoded = _jpeg(pixels, quality)
        if len(encoded) <= _PREVIEW_MOST:
            return encoded
    return _jpeg(pixels, _PREVIEW_QUALITIES[-1])


def _small(pixels: Picture) -> Picture:
    image = Image.fromarray(pixels)
    image.thumbnail((_CUTOUT_MOST_PX, _CUTOUT_MOST_PX), Image.Resampling.BOX)
    return np.asarray(image)


def _jpeg(pixels: Picture, quality: int) -> str:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, optimize=True, subsampling=0)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
