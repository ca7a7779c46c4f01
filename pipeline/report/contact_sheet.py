"""Pictures of hits, misses and false alarms on chips. Works on arrays, not on files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipeline.report.errors_by_chip import Event, Judged, Mark
from refinedet.data.coco import ImageRecord

Chip = NDArray[np.uint8]
View = tuple[float, float, float, float]
"""Left, top, right and bottom of the shown part, in pixels of the chip."""

LEGEND: Mapping[str, tuple[str, str]] = {
    "truth": ("#37d67a", "ship, found"),
    "hit": ("#4aa8ff", "detection that hits"),
    "miss": ("#ffb020", "ship, missed"),
    "false alarm": ("#ff4d4f", "detection that hits nothing"),
    "ignored": ("#93a1b0", "cut by the edge, not counted"),
}
"""Kind of a box -> its colour and its legend."""

CELL_PX = 208
CHIP_PX = 420
_CAPTION_PX, _GAP_PX, _HEADING_PX = 36, 10, 34
_CONTEXT, _VIEW_MIN_PX = 2.6, 56.0
_INK, _MUTED, _PAPER = "#1b2636", "#5d6b7e", "#ffffff"


@dataclass(frozen=True, slots=True)
class Picture:
    """Drawn chip, or part of one."""

    pixels: Image.Image
    title: str
    caption: str


def close_up(judged: Judged, event: Event, read: Callable[[ImageRecord], Chip]) -> Picture:
    """Draw the surroundings of one event, CELL_PX square; the area outside the chip is black."""
    x1, y1, x2, y2 = event.box_xyxy.tolist()
    side = max(_VIEW_MIN_PX, _CONTEXT * max(x2 - x1, y2 - y1))
    left, top = (x1 + x2 - side) / 2, (y1 + y2 - side) / 2
    pixels = _scaled(read(event.image), (left, top, left + side, top + side), (CELL_PX, CELL_PX))
    for mark in judged.marks(event.image):
        _draw_box(pixels, mark, (left, top), CELL_PX / side)
    return Picture(pixels, PurePosixPath(event.image.file_name).stem, event.caption)


def whole_chip(judged: Judged, image: ImageRecord, read: Callable[[ImageRecord], Chip]) -> Picture:
    """Draw one chip with its hits, misses, false alarms and scores; its long side is CHIP_PX."""
    scale = CHIP_PX / max(image.width, image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    pixels = _scaled(read(image), (0, 0, image.width, image.height), size)
    for mark in judged.marks(image):
        x, y = _draw_box(pixels, mark, (0, 0), scale)
        if mark.text:
            _draw_label(pixels, mark, (x + 3, max(13.0, y - 2)))
    matched = judged.matches[image.id]
    ships = len(matched.hits) + len(matched.misses)
    caption = f"found {len(matched.hits)} of {ships}, detections that hit nothing: {len(matched.false_alarms)}"
    return Picture(pixels, PurePosixPath(image.file_name).stem, caption)


def compose(sections: Mapping[str, Sequence[Picture]], columns: int) -> Image.Image:
    """Compose one image of all pictures: legend, a heading for each section, `columns` cells in a row, captions."""
    pitch = (CELL_PX + _GAP_PX, CELL_PX + _CAPTION_PX + _GAP_PX)
    rows = [-(-len(pictures) // columns) for pictures in sections.values()]
    size = (columns * pitch[0] + _GAP_PX, sum(rows) * pitch[1] + (len(rows) + 1) * _HEADING_PX)
    sheet = Image.new("RGB", size, _PAPER)
    pen = ImageDraw.Draw(sheet)
    _draw_legend(pen)
    y = _HEADING_PX
    for (heading, pictures), row_count in zip(sections.items(), rows, strict=True):
        pen.text((_GAP_PX, y), heading, _INK, ImageFont.load_default(18))
        y += _HEADING_PX
        for index, picture in enumerate(pictures):
            corner = (_GAP_PX + index % columns * pitch[0], y + index // columns * pitch[1])
            sheet.paste(picture.pixels, corner)
            pen.text((corner[0], corner[1] + CELL_PX + 3), picture.caption, _INK, ImageFont.load_default(13))
            pen.text((corner[0], corner[1] + CELL_PX + 19), picture.title, _MUTED, ImageFont.load_default(11))
        y += row_count * pitch[1]
    return sheet


def _scaled(chip: Chip, view: View, size: tuple[int, int]) -> Image.Image:
    picture = Image.fromarray(chip).convert("RGB")
    return picture.transform(size, Image.Transform.EXTENT, view, Image.Resampling.BICUBIC)


def _draw_box(picture: Image.Image, mark: Mark, origin: tuple[float, float], scale: float) -> tuple[float, float]:
    """Draw one box and return its top left corner in the picture."""
    x1, y1, x2, y2 = ((mark.box_xyxy - np.array(origin * 2, np.float32)) * scale).round().tolist()
    corners = (x1, y1, max(x1, x2 - 1), max(y1, y2 - 1))
    ImageDraw.Draw(picture).rectangle(corners, outline=LEGEND[mark.kind][0], width=2)
    return x1, y1


def _draw_label(picture: Image.Image, mark: Mark, place: tuple[float, float]) -> None:
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(12)
    left, top, right, bottom = pen.textbbox(place, mark.text, font, anchor="ls")
    pen.rectangle((left - 2, top - 2, right + 1, bottom + 1), fill=LEGEND[mark.kind][0])
    pen.text(place, mark.text, "black", font, anchor="ls")


def _draw_legend(pen: ImageDraw.ImageDraw) -> None:
    x, font = float(_GAP_PX), ImageFont.load_default(13)
    for colour, words in LEGEND.values():
        pen.rectangle((x, _GAP_PX, x + 12, _GAP_PX + 12), outline=colour, width=3)
        pen.text((x + 20, _GAP_PX - 2), words, _MUTED, font)
        x += 44 + pen.textlength(words, font)
