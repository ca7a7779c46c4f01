"""Corners of one object of a COCO file, from its box, turned box, polygons or mask as annotation tools write them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Literal

from refinedet.data.truth import LARGEST, Corners

Shape = Literal["box", "turned box", "polygon", "mask"]
"""Drawing from which the corners of an object follow."""

_RUNS = re.compile(r"[0-o]*[0-O]")
"""Compressed run lengths: characters of 6 bits; the last one of a number marks its end."""


def corners_of(annotation: Mapping[str, Any], width: int, height: int) -> tuple[Corners, Shape] | None:
    """Corners of an object, not yet cut to its image of `width` x `height` pixels, and the drawing that gives them.

    A turned box has a rotation in degrees about its centre, as the attribute `rotation` or as a fifth number; the
    result is the box around it. A box takes precedence over polygons and masks, unless it is missing, empty or turned.

    Returns:
        None if no drawing can be read.
    """
    box = numbers(annotation.get("bbox"))
    turn = _turn(annotation)
    if box is not None and len(box) in {4, 5} and turn is not None:
        corners = _box_corners(box)
        empty = corners[2] <= corners[0] or corners[3] <= corners[1]
        outline = _outline(annotation.get("segmentation"), width, height) if turn or empty else None
        if outline is not None:
            return outline
        return (around_turned(corners, turn), "turned box") if turn else (corners, "box")
    return _outline(annotation.get("segmentation"), width, height)


def around_turned(corners_xyxy: Corners, degrees: float) -> Corners:
    """Corners of the upright box around a box that is turned about its centre by `degrees`, in either sense."""
    x1, y1, x2, y2 = corners_xyxy
    cos, sin = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    width, height = (x2 - x1) * cos + (y2 - y1) * sin, (x2 - x1) * sin + (y2 - y1) * cos
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def numbers(value: object) -> list[float] | None:
    """Numbers of a list as floats, infinite where they are beyond any image; None if it is no list of numbers."""
    if not isinstance(value, list) or not value or not all(type(v) in {int, float} for v in value):
        return None
    # Python's JSON reader returns whole numbers of any size; float() of a huge one would raise.
    return [(math.inf if v > 0 else -math.inf) if abs(v) > LARGEST else float(v) for v in value]


def _box_corners(box: list[float]) -> Corners:
    x, y, w, h = box[:4]
    # Sums in double precision restore the float32 corner that was written.
    return x, y, x + w, y + h


def _turn(annotation: Mapping[str, Any]) -> float | None:
    """Rotation in degrees, 0 where the box is upright; None if it cannot be read."""
    box, attributes = annotation.get("bbox"), annotation.get("attributes")
    found = annotation.get("rotation", 0.0)
    if isinstance(attributes, Mapping):
        found = attributes.get("rotation", found)
    if isinstance(box, list) and len(box) == 5:
        found = box[4]
    try:
        degrees = float(found)
    except (TypeError, ValueError, OverflowError):
        return None
    return degrees if math.isfinite(degrees) else None


def _outline(segmentation: object, width: int, height: int) -> tuple[Corners, Shape] | None:
    if isinstance(segmentation, Mapping):
        corners = _mask_corners(segmentation, width, height)
        return None if corners is None else (corners, "mask")
    if not isinstance(segmentation, list) or not segmentation:
        return None
    polygons = [segmentation] if numbers(segmentation) else segmentation  # VIA writes one polygon without its brackets
    rings = [ring for one in polygons if (ring := numbers(one)) is not None]
    if len(rings) < len(polygons) or any(
        len(ring) < 6 or len(ring) % 2 or not all(map(math.isfinite, ring)) for ring in rings
    ):
        return None
    x, y = (sorted(v for ring in rings for v in ring[axis::2]) for axis in (0, 1))
    return (x[0], y[0], x[-1], y[-1]), "polygon"


def _mask_corners(mask: Mapping[str, Any], width: int, height: int) -> Corners | None:
    """Corners of the pixels of a mask in run lengths, compressed or not; None if it is not of this image."""
    from pycocotools import mask as masks

    counts, size = mask.get("counts"), mask.get("size")
    if size != [height, width]:
        return None
    if isinstance(counts, list):
        if not all(type(run) is int and run >= 0 for run in counts) or sum(counts) != width * height:
            return None
        packed = masks.frPyObjects({"counts": counts, "size": size}, height, width)
    elif isinstance(counts, str) and _RUNS.fullmatch(counts):  # its C code reads beyond the end of other text
        packed = {"counts": counts.encode(), "size": size}
    else:
        return None
    x, y, w, h = (float(value) for value in masks.toBbox(packed))
    return x, y, x + w, y + h
