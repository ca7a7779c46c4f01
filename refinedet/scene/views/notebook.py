"""Result of a scene as HTML for a notebook: a small picture, the strongest ships, the notes."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import Any

import numpy as np
from PIL import Image

from refinedet.scene.scene_ships import SceneShips
from refinedet.scene.views.columns import MEASURES, ais_columns, score_columns, ship_row
from refinedet.scene.views.drawing import Canvas
from refinedet.scene.views.imagery import picture
from refinedet.scene.views.page_columns import measure
from refinedet.wording import ships_in_words

_ROWS = 10
"""Largest number of listed ships."""
_SIDE_PX, _MARK_PX = 480, 9.0
_INK, _EDGE = "#ffb454", "#070b12"
_AIS = ("ais", "ais_name")
_DEGREE_DIGITS, _SCORE_DIGITS = 4, 2


def result_html(result: SceneShips) -> str:
    """HTML without script, style sheet or request; equal results give equal text."""
    count, label = ships_in_words(len(result.detections)), "" if result.label is None else f" ({result.label})"
    notes = "".join(f"<li>{escape(note)}</li>" for note in result.notes)
    return (
        f"<div><p><b>{escape(result.scene + label)}</b>: {count}</p>"
        f'<img alt="Scene with its ships marked" src="data:image/png;base64,{_thumbnail(result)}">'
        f"{_table(result)}{f'<ul>{notes}</ul>' if notes else ''}</div>"
    )


def _thumbnail(result: SceneShips) -> str:
    """Scene with its ships marked as PNG in base64."""
    image = Image.fromarray(picture(result.preview, result))
    image.thumbnail((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX)
    canvas = Canvas(image)
    scale = np.array([image.width / result.info.width, image.height / result.info.height] * 2)
    boxes = result.detections.boxes_xyxy.astype(np.float64) * scale
    half = np.maximum(boxes[:, 2:] - boxes[:, :2] + 2, _MARK_PX) / 2
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    for x1, y1, x2, y2 in np.concatenate([middles - half, middles + half], axis=1).tolist():
        canvas.frame((x1 - 1, y1 - 1, x2 + 1, y2 + 1), _EDGE, 1)
        canvas.frame((x1, y1, x2, y2), _INK, 1)
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def _table(result: SceneShips) -> str:
    rows = [ship_row(result, ship) for ship in range(min(_ROWS, len(result.detections)))]
    if not rows:
        return ""
    measures = {name: column for name in MEASURES if (column := measure(name)).table}
    known = [name for name in measures if any(row[name] is not None for row in rows)]
    scores, ais = score_columns(result), [name for name in _AIS if name in ais_columns(result)]
    names = ["score", *scores, *ais, *known, "lon", "lat", "flags"]
    digits = dict.fromkeys(("score", *scores), _SCORE_DIGITS) | dict.fromkeys(("lon", "lat"), _DEGREE_DIGITS)
    digits |= {name: column.digits for name, column in measures.items()}
    titles = {name: column.to_dict()["label"] for name, column in measures.items()}
    head = "".join(f"<th>{escape(titles.get(name, name.replace('_', ' ')))}</th>" for name in ("", *names))
    body = "".join(
        f"<tr><td>{number}</td>{''.join(f'<td>{_cell(row[name], digits.get(name, 0))}</td>' for name in names)}</tr>"
        for number, row in enumerate(rows, start=1)
    )
    more = len(result.detections) - len(rows)
    rest = f"<p>and {more:,} more</p>" if more else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"


def _cell(value: Any, digits: int) -> str:
    if isinstance(value, float):
        return f"{value:.{digits}f}"
    return "" if value is None else escape(", ".join(value) if isinstance(value, list) else str(value))
