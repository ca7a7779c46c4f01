"""Map of a scene: its preview, its ships with cut-outs in full resolution, and AIS."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from refinedet.cloud.scene import Scene
from refinedet.config.options.detect import SceneSettings
from refinedet.geo.compass import ground_axes, north_xy, pixel_metres
from refinedet.geo.position import locate
from refinedet.scene.output.map_page import MapPage, columns_of, place_grid, write_page
from refinedet.scene.output.map_reports import COLUMNS as AIS
from refinedet.scene.output.map_reports import reports_data, reports_in_words
from refinedet.scene.result import SceneResult
from refinedet.scene.views.columns import MEASURES, score_columns, ship_rows
from refinedet.scene.views.imagery import Imagery, Picture, read_imagery
from refinedet.scene.views.page_columns import Column, measure
from refinedet.tiling import Window
from refinedet.wording import ships_in_words

CUTOUTS = 200
"""Largest number of enlarged ships on the page; each takes 2 to 8 kB."""

_BY = "\N{MULTIPLICATION SIGN}"
_PREVIEW_QUALITIES, _PREVIEW_MOST = (60, 45, 30, 15), 1_200_000
"""JPEG qualities of the whole scene, tried in order until it has at most this many characters, since noise compresses
badly."""
_CUTOUT_QUALITY, _CUTOUT_MOST_PX = 75, 112
_PIXEL_DIGITS = 2


def write_map(
    scene_path: str | Scene,
    result: SceneResult,
    path: str | Path,
    *,
    scene: SceneSettings | None = None,
    imagery: Imagery | None = None,
) -> None:
    """Write the map; equal input gives equal bytes.

    Arguments and errors are those of `imagery.read_imagery`; `imagery` is its result, if it was called already.
    """
    shown = imagery or read_imagery(scene_path, result, CUTOUTS, scene)
    page = MapPage(
        Path(result.scene).stem,
        ships_in_words(len(result.detections)),
        tuple(_facts(result)),
        _data(result, shown.cutouts[:CUTOUTS]),
        _preview(shown.whole),
    )
    write_page(path, page)


def _data(result: SceneResult, enlarged: list[tuple[Picture, Window]]) -> dict[str, Any]:
    info, rows, columns = result.info, ship_rows(result), _columns(result)
    position = locate(info)
    ground = ground_axes(position, info.width, info.height)
    shown = {"bbox_px", "lon", "lat", "flags", *(column.key for column in columns)}
    return {
        "scene": {"width": info.width, "height": info.height},
        "columns": [column.to_dict() for column in columns],
        "ships": columns_of(rows, shown) | {"outline_px": [_corners(result, ship) for ship in range(len(rows))]},
        "cutouts": [
            {
                "window": [window.x, window.y, window.width, window.height],
                "jpeg": _jpeg(_small(pixels), _CUTOUT_QUALITY, twice=True),
            }
            for pixels, window in enlarged
        ],
        "ais": None if result.ais is None else reports_data(result.ais, position, info.width, info.height),
        "grid": None if position is None else place_grid(position, info.width, info.height),
        "metres_per_px": None if ground is None else round(pixel_metres(ground), 6),
        "north_deg": None if ground is None else round(_turn(north_xy(ground)), 2),
    }


def _columns(result: SceneResult) -> list[Column]:
    measures = [name for name in MEASURES if np.isfinite(getattr(result.places, name)).any()]
    several = len(set(result.detections.labels.tolist())) > 1
    return [
        Column("score", "score", digits=2),
        *(() if result.ais is None else AIS),
        *(Column(name, name.replace("_", " "), digits=2) for name in score_columns(result)),
        *(measure(name) for name in measures),
        Column("class", "class", text=True, table=several),
        Column("flags", "flags", text=True, table=any(result.flags)),
        Column("bbox_px", "box", unit="px", table=False),
        Column("outline", "outline", text=True, table=False),
        Column("time", "time", text=True, table=False),
        Column("scene", "scene", text=True, table=False),
    ]


def _corners(result: SceneResult, ship: int) -> list[list[float]] | None:
    """Corners of a rotated outline in pixels; None: the outline is the box."""
    if result.outline_of(ship) == "box":
        return None
    corners: list[list[float]] = result.outline_px(ship).round(_PIXEL_DIGITS).tolist()
    return corners


def _turn(direction: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """Angle of a direction in degrees, clockwise from up in the picture."""
    return float(np.degrees(np.arctan2(direction[0], -direction[1])))


def _facts(result: SceneResult) -> list[str]:
    info = result.info
    facts = [
        ships_in_words(len(result.detections)),
        *([f"{result.flagged:,} flagged{' (dashed)' if result.ais is None else ''}"] if result.flagged else []),
        *filter(None, [result.label, result.taken]),
        f"{info.width:,} {_BY} {info.height:,} px",
    ]
    if result.ais is not None:
        facts.insert(1, reports_in_words(result.ais.detections, result.ais))
    if not result.located:
        facts.append("no position: coordinates are pixels")
    if len(result.detections) > CUTOUTS:
        facts.append(f"{CUTOUTS} highest scores in full resolution")
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


def _jpeg(pixels: Picture, quality: int, *, twice: bool = False) -> str:
    """JPEG in base64; `twice` compresses better, by a twentieth for a large picture, and by more for a small one."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, optimize=twice, subsampling=0)
    return base64.b64encode(stream.getvalue()).decode("ascii")
