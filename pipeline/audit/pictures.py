"""Images of a data set as small grey pictures, for hashes and for the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw

from pipeline.audit.image_alignment import Grey
from refinedet.config import Radiometry
from refinedet.raster import RasterInfo
from refinedet.stretch.stretching import stretch_whole

LONGEST_PX = 1024
"""Longest side of a picture; larger images are reduced to every n-th pixel, which keeps their grain."""

_SHOWN_PX, _LEVELS = 250, 40
Box = Sequence[float]


@dataclass(frozen=True, slots=True)
class Shown:
    """Picture for the page."""

    pixels: Image.Image
    title: str
    caption: str


def step(width: int, height: int) -> int:
    """Distance between the pixels that are used in a row or column of an image; 1: all pixels."""
    return -(-max(width, height) // LONGEST_PX)


def grey(pixels: NDArray[Any], info: RasterInfo) -> Grey:
    """Convert an image of any pixel type to 8 bits and one channel."""
    thin = step(info.width, info.height)
    picked = np.ascontiguousarray(pixels[::thin, ::thin])
    eight = stretch_whole(picked, info.nodata, Radiometry())
    return eight if eight.ndim == 2 else np.asarray(Image.fromarray(eight).convert("L"))


def shown(picture: Grey, marks: Sequence[tuple[Box, str]], title: str, caption: str) -> Shown:
    """Draw boxes (pixels of the picture, colour) on a small copy of the picture, for a page that holds many."""
    scale = min(1.0, _SHOWN_PX / max(picture.shape))
    width, height = (max(1, round(side * scale)) for side in picture.shape[::-1])
    small = np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX), np.uint16)
    image = Image.fromarray((small * _LEVELS // 256).astype(np.uint8)).convert("L")
    colours = sorted({colour for _, colour in marks})
    image.putpalette([level * 255 // (_LEVELS - 1) for level in range(_LEVELS) for _ in range(3)] + _rgb(colours))
    pen = ImageDraw.Draw(image)
    for box, colour in marks:
        x1, y1, x2, y2 = (round(value * scale) for value in box)
        corners = (x1, y1, max(x1, x2 - 1), max(y1, y2 - 1))
        pen.rectangle(corners, outline=_LEVELS + colours.index(colour))
    return Shown(image, title, caption)


def _rgb(colours: Sequence[str]) -> list[int]:
    return [value for colour in colours for value in ImageColor.getrgb(colour)[:3]]
