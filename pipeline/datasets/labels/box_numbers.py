"""Meaning of the numbers of a box: corner and size (COCO), two corners, or centre and size; degrees or radians."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from refinedet.data.objects import numbers

BoxFormat = Literal["xywh", "xyxy", "cxcywh"]
"""Corner and size (COCO), two corners, or centre and size."""

_LEAST_TURNED = 3
"""Number of turned boxes from which radians and degrees can be distinguished."""


def plain_box(value: Any) -> Any:
    """Numbers (list) of a box that is a text, a list of texts, or an object of x, y, width and height; else `value`."""
    if isinstance(value, Mapping) and value.keys() >= {"x", "y", "width", "height"}:
        value = [value["x"], value["y"], value["width"], value["height"]]
    parts = value.strip("[]() ").replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(parts, list) or not any(isinstance(part, str) for part in parts):
        return parts if isinstance(value, list) else value
    try:
        return [float(part) for part in parts]
    except (TypeError, ValueError):
        return value


def guess_radians(rows: Sequence[Any]) -> bool:
    """True if the fifth numbers of boxes are radians: several are not 0, and none exceeds half a turn in radians."""
    fifth = [
        abs(box[4])
        for row in rows
        if isinstance(row, Mapping) and (box := numbers(row.get("bbox"))) is not None and len(box) == 5 and box[4]
    ]
    return len(fifth) >= _LEAST_TURNED and max(fifth) <= math.pi + 0.01


def to_standard(rows: Sequence[Any], boxes: BoxFormat, *, radians: bool) -> tuple[list[Any], list[str]]:
    """Annotations with boxes [x, y, width, height] and optional degrees, and sentences on how they were read."""
    changed: list[Any] = []
    turned = 0
    for row in rows:
        box = numbers(row.get("bbox")) if isinstance(row, Mapping) else None
        if box is None or len(box) not in {4, 5}:
            changed.append(row)
            continue
        turned += len(box) == 5
        as_read = box[:4] if boxes == "xywh" else corner_and_size(box[:4], boxes)
        degrees = [math.degrees(box[4]) if radians else box[4]] if len(box) == 5 else []
        changed.append({**row, "bbox": [*as_read, *degrees]} if boxes != "xywh" or radians else row)
    notes = [] if boxes == "xywh" else [f"the numbers of a box are taken as {_WORDS[boxes]}"]
    if turned:
        unit = "radians" if radians else "degrees"
        notes.append(
            f"boxes of five numbers: {turned}, taken as {_WORDS[boxes]} and a turn about the centre in {unit}; set "
            "`boxes` if the first four mean something else"
        )
    return changed, notes


_WORDS: Mapping[str, str] = {
    "xywh": "upper left corner, width, height",
    "xyxy": "two corners",
    "cxcywh": "centre, width, height",
}


def corner_and_size(box: Sequence[float], boxes: BoxFormat) -> list[float]:
    """Box [x, y, width, height] of two corners, or of a centre and a size."""
    a, b, c, d = box
    return [a, b, c - a, d - b] if boxes == "xyxy" else [a - c / 2, b - d / 2, c, d]
