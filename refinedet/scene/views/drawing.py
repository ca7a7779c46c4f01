"""Canvas of a picture: text, bars, frames and arrows, drawn by Pillow with the font of the package."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Rect = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels, y down."""

_FONTS = Path(__file__).parent / "fonts"
_PX_PER_POINT = 100 / 72
_FINER = 4
"""Factor by which a slanted shape is drawn larger, then scaled down to smooth its edges."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """Picture with coordinates in pixels from its top left corner; colours are text such as #ffb454."""

    image: Image.Image
    pen: ImageDraw.ImageDraw = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pen", ImageDraw.Draw(self.image))

    @classmethod
    def blank(cls, width: int, height: int, colour: str) -> Canvas:
        """Make a canvas of one colour."""
        return cls(Image.new("RGB", (width, height), colour))

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.image.width

    def panel(self, x: int, y: int, inner: Canvas, frame: str) -> None:
        """Put another canvas at a place, with a thin frame around it."""
        self.image.paste(inner.image, (x, y))
        self.pen.rectangle((x - 1, y - 1, x + inner.image.width, y + inner.image.height), outline=frame)

    def text(  # noqa: PLR0913 - place, text and style
        self,
        x: float,
        y: float,
        text: str,
        colour: str,
        points: float,
        *,
        bold: bool = False,
        anchor: str = "ls",
        halo: tuple[str, int] | None = None,
    ) -> None:
        """Write one line of text; characters that the font lacks become a box.

        Args:
            x: position of the anchor.
            y: position of the anchor.
            text: the line.
            colour: colour of the letters.
            points: size in points, at 100 pixels per inch.
            bold: use the bold font.
            anchor: point of the text at (x, y), in Pillow's letters; ls is the left end of the base line.
            halo: colour and width in pixels of a line around the letters.
        """
        around, width = halo or (colour, 0)
        self.pen.text(
            (x, y), text, colour, _font(points, bold=bold), anchor=anchor, stroke_width=width, stroke_fill=around
        )

    def bar(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Fill a rectangle."""
        self.pen.rectangle((round(x), round(y), round(x + width) - 1, round(y + height) - 1), fill=colour)

    def frame(self, rect: Rect, colour: str, line_px: int) -> None:
        """Draw the outline of a rectangle, with the line on its edge."""
        x1, y1 = (round(value - line_px / 2) for value in rect[:2])
        x2, y2 = (round(value + line_px / 2) - 1 for value in rect[2:])
        self.pen.rectangle((x1, y1, max(x1, x2), max(y1, y2)), outline=colour, width=line_px)

    def outline(self, corners_xy: NDArray[np.float64], colour: str, line_px: int) -> None:
        """Draw a polygon of corners (N, 2), with the line on its edge."""
        mask = Image.new("L", (self.image.width * _FINER, self.image.height * _FINER))
        ring = np.concatenate([corners_xy, corners_xy[:2]]) * _FINER  # joins the last corner, too
        ImageDraw.Draw(mask).line(ring.ravel().tolist(), fill=255, width=line_px * _FINER, joint="curve")
        self.image.paste(colour, (0, 0, *self.image.size), mask.resize(self.image.size, Image.Resampling.BOX))

    def arrow(self, middle: tuple[float, float], direction: NDArray[np.float64], reach_px: int, colour: str) -> None:
        """Draw an arrow of length 2 * `reach_px` around its middle; `direction` is a unit vector, y down."""
        side = 2 * (reach_px + 2)
        mask = Image.new("L", (side * _FINER, side * _FINER))
        pen, centre = ImageDraw.Draw(mask), np.full(2, side * _FINER / 2)
        along, across = direction * (reach_px * _FINER), np.array([-direction[1], direction[0]]) * (4.5 * _FINER)
        tip, tail, neck = centre + along, centre - along, centre + along * 0.35
        pen.line([*tail.tolist(), *neck.tolist()], fill=255, width=round(1.6 * _FINER))
        pen.polygon([*tip.tolist(), *(neck + across).tolist(), *(neck - across).tolist()], fill=255)
        smooth = mask.resize((side, side), Image.Resampling.BOX)
        place = round(middle[0] - side / 2), round(middle[1] - side / 2)
        self.image.paste(colour, (*place, place[0] + side, place[1] + side), smooth)


@cache
def _font(points: float, *, bold: bool) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    # the basic layout, because the other one is not in every build of Pillow
    return ImageFont.truetype(_FONTS / name, points * _PX_PER_POINT, layout_engine=ImageFont.Layout.BASIC)
