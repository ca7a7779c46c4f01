"""Checks of the boxes of label sets in any format: a wrong convention is an error, swapped corners are put in order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.datasets.labels.box_numbers import BoxFormat
from pipeline.datasets.labels.label_set import LabelSet
from refinedet.data.objects import corners_of
from refinedet.errors import InputError

WITH_BOXES = {"COCO", "table"}
"""Formats whose boxes may be other than corner and size, as the setting `boxes` says."""

_BEYOND_PX = 1.0
"""Distance from which a box counts as beyond its image; tools round to whole pixels."""
_MANY_BEYOND = 0.2
"""Share of boxes beyond their images that careless drawing does not explain."""
_LEAST_BEYOND = 3
"""Least number of wrong boxes where `boxes` is no setting: a small split may have a box that was drawn too far."""
_LEAST_FITTING = 0.98
"""Least share of boxes that are valid in another convention, for all to look like that convention."""
_ANY_ORDER = "set `boxes` to xyxy if they are two corners, to cxcywh if they begin with a centre, to xywh to cut them"
_CHOOSE = "set `boxes` to xywh if they are corner and size, or to xyxy if the corners are swapped"
_REWRITE = (
    "they look like corner and size: write the lower right corner in place of the size, or put swapped corners in order"
)
_RESIZED = "are the images resized, or other ones of the same names?"
_YOLO = (
    "do the lines hold two corners, or a confidence before the box? Write them as class, centre x, centre y, width, "
    "height"
)


@dataclass(frozen=True, slots=True)
class _Box:
    row: int
    """Index of its annotation."""
    xywh: list[float]
    size: tuple[int, int]
    """Width and height of its image."""


def check_boxes(one: LabelSet, boxes: BoxFormat | None) -> LabelSet:
    """Check the boxes of a label set; returns it with swapped corners in order, and a note on them.

    Args:
        one: the label set.
        boxes: meaning of the numbers that the user set, which accepts boxes beyond their images.

    Raises:
        InputError: more than a fifth of the boxes reach beyond their images, or all are smaller than a pixel, or look
            like corner and size in place of two corners.
    """
    upright = _upright(one)
    if boxes is None:
        _refuse_beyond(upright, one)
        if one.kind == "VOC":
            refuse_sizes(one)
    return _in_order(upright, one)


def refuse_sizes(one: LabelSet) -> None:
    """Refuse boxes that were read as two corners, if a corner is swapped and all can be corner and size.

    Raises:
        InputError: it is so.
    """
    upright = _upright(one)
    swapped = sum(min(box.xywh[2:]) < 0 for box in upright)
    fitting = sum(_is_within([x, y, x + w, y + h], box.size) for box in upright for x, y, w, h in [box.xywh])
    least = 1 if one.kind in WITH_BOXES else _LEAST_BEYOND
    if swapped >= least and fitting >= _LEAST_FITTING * len(upright):
        raise InputError(
            f"expected boxes as two corners in {one.source}, found {swapped} of {len(upright)} whose second corner is "
            f"left of the first or above it; {_CHOOSE if one.kind in WITH_BOXES else _REWRITE}"
        )


def _upright(one: LabelSet) -> list[_Box]:
    """Boxes of four finite numbers; objects that have a turned box or an outline alone are left out."""
    sizes = {image["id"]: (image["width"], image["height"]) for image in one.document["images"]}
    found = []
    for index, row in enumerate(one.document["annotations"]):
        size = sizes.get(row.get("image_id")) if isinstance(row, Mapping) else None
        drawn = None if size is None else corners_of(row, *size)
        if size is None or drawn is None or drawn[1] != "box" or not all(map(math.isfinite, drawn[0])):
            continue
        if any(row["bbox"]):
            found.append(_Box(index, list(map(float, row["bbox"])), size))
    return found


def _refuse_beyond(upright: Sequence[_Box], one: LabelSet) -> None:
    if not upright:
        return
    if all(max(map(abs, box.xywh)) <= 1 for box in upright) and any(min(box.size) > 2 for box in upright):
        raise InputError(
            f"expected boxes in pixels in {one.source}, found none with a number above 1, such as {upright[0].xywh}: "
            "are they shares of the image? Write them out in pixels"
        )
    beyond = sum(not _is_within(box.xywh, box.size) for box in upright)
    if beyond <= _MANY_BEYOND * len(upright) or (one.kind not in WITH_BOXES and beyond < _LEAST_BEYOND):
        return
    raise InputError(
        f"expected boxes{' as [x, y, width, height]' if one.kind in WITH_BOXES else ''} within their images in "
        f"{one.source}, found {beyond} of {len(upright)} that reach beyond; {_likely(upright, one.kind)}"
    )


def _likely(upright: Sequence[_Box], kind: str) -> str:
    """Likely reason why boxes reach beyond their images, and what helps."""
    if kind == "YOLO":
        return _YOLO
    if kind not in WITH_BOXES:
        return _RESIZED
    corners = sum(_can_be_corners(box.xywh, box.size) for box in upright)
    return "they look like two corners: set `boxes` to xyxy" if corners >= _LEAST_FITTING * len(upright) else _ANY_ORDER


def _in_order(upright: Sequence[_Box], one: LabelSet) -> LabelSet:
    """Label set without negative widths and heights, where the other order of the corners gives a box in the image."""
    inner = 1.0 if one.kind == "VOC" else 0.0  # its boxes include their last pixel, so both corners move
    changed = {box.row: found for box in upright if (found := _swapped(box, inner)) is not None}
    if not changed:
        return one
    rows: list[Any] = [
        {**row, "bbox": changed[index]} if index in changed else row
        for index, row in enumerate(one.document["annotations"])
    ]
    note = (
        f"{len(changed)} of {len(rows)} boxes have swapped corners, that is a negative width or height: their corners "
        "are taken in the other order"
    )
    return replace(one, document={**one.document, "annotations": rows}, notes=(*one.notes, note))


def _swapped(box: _Box, inner: float) -> list[float] | None:
    """Box with its corners in order; None if they are, or if the box would be a dot or not in the image.

    Zeros and -1 as second corner or size mean that there is no box.
    """
    sides = [
        (at, length) if length >= 0 else (at + length - inner, -length + 2 * inner)
        for at, length in zip(box.xywh[:2], box.xywh[2:], strict=True)
    ]
    (x, w), (y, h) = sides
    if min(box.xywh[2:]) >= 0 or min(w, h) <= _BEYOND_PX or max(x + inner, y + inner) <= 0:
        return None
    return [x, y, w, h] if _is_within([x, y, w, h], box.size) else None


def _is_within(box: Sequence[float], size: tuple[int, int]) -> bool:
    x, y, w, h = box
    return x >= -_BEYOND_PX and y >= -_BEYOND_PX and x + w <= size[0] + _BEYOND_PX and y + h <= size[1] + _BEYOND_PX


def _can_be_corners(box: Sequence[float], size: tuple[int, int]) -> bool:
    x1, y1, x2, y2 = box
    return x2 > x1 and y2 > y1 and x2 <= size[0] + _BEYOND_PX and y2 <= size[1] + _BEYOND_PX
