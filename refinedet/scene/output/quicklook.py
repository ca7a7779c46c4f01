"""Quicklook of a scene: one picture with the ships marked and numbered, and the strongest ones enlarged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle
from numpy.typing import NDArray
from PIL import Image

from refinedet.config.detect_options import SceneSettings
from refinedet.files import atomic_path
from refinedet.geo.compass import ground_axes, nice_length, north_xy, pixel_metres, place_text
from refinedet.geo.position import Position, locate
from refinedet.scene.output.imagery import Picture, cutout_square, picture, read_cutouts
from refinedet.scene.output.quicklook_layout import (
    CELL_PX,
    FOOT_PX,
    HEAD_PX,
    MARGIN_PX,
    Layout,
    layout,
    place_labels,
)
from refinedet.scene.result import SceneResult
from refinedet.tiling import Window
from refinedet.workarounds.matplotlib_glyphs import missing_glyphs_allowed

CUTOUTS = 12
"""Most ships that are shown enlarged."""

_NIGHT, _PANEL, _FRAME = "#070b12", "#0d1420", "#2a3a52"
_INK, _MUTED, _ACCENT = "#eaf1fb", "#8fa3bf", "#ffb454"
_HALO = [patheffects.withStroke(linewidth=2.2, foreground=_NIGHT)]
_BY = "\N{MULTIPLICATION SIGN}"
_DPI = 100
_COMPRESSION = 3
"""Compression level of PNG: at the usual 6, pictures of speckle take three times as long and are larger."""
_NUMBERS = 300
"""Most ships that get a number, if there is room for it."""
_MARK_PX, _MARK_LEAST_PX, _CROWD = 15.0, 5.0, 300
"""Least size of a mark, so that no ship is overlooked; it is smaller from `_CROWD` ships on."""
_COMPASS_PX, _ARROW_PX = 60, 17


@dataclass(frozen=True, slots=True)
class _Canvas:
    """Figure addressed in pixels from its top left corner."""

    figure: Figure
    width: int
    height: int

    @classmethod
    def blank(cls, width: int, height: int) -> _Canvas:
        figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor=_NIGHT)
        FigureCanvasAgg(figure)
        return cls(figure, width, height)

    def panel(self, x: float, y: float, width: float, height: float) -> Axes:
        """Axes in pixels of their own, from their top left corner."""
        place = (x / self.width, 1 - (y + height) / self.height, width / self.width, height / self.height)
        axes = self.figure.add_axes(place, xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[], facecolor=_PANEL)
        for spine in axes.spines.values():
            spine.set_color(_FRAME)
        return axes

    def text(self, x: float, y: float, text: str, **style: Any) -> None:
        self.figure.text(x / self.width, 1 - y / self.height, text, va="baseline", parse_math=False, **style)

    def bar(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        place = (x / self.width, 1 - (y + height) / self.height)
        self.figure.add_artist(Rectangle(place, width / self.width, height / self.height, color=colour, linewidth=0))

    def arrow(self, x: float, y: float, direction: NDArray[np.float64]) -> None:
        """Draw an arrow with its middle at (x, y) and N at its head; `direction` is a unit vector, y down."""
        middle, way = np.array([x, self.height - y]), direction * [_ARROW_PX, -_ARROW_PX]
        ends = tuple(middle - way), tuple(middle + way)
        self.figure.add_artist(
            FancyArrowPatch(
                *ends, arrowstyle="-|>", mutation_scale=14, color=_INK, transform=None, shrinkA=0, shrinkB=0
            )
        )
        head = middle + way * 1.6
        self.figure.text(head[0], head[1], "N", transform=None, color=_INK, fontsize=10, ha="center", va="center")


def write_quicklook(
    scene_path: str | Path, result: SceneResult, path: str | Path, *, scene: SceneSettings | None = None
) -> None:
    """Write a PNG of the scene with its ships, numbered from the strongest; equal input gives equal bytes.

    Takes the arguments of `imagery.read_cutouts`, and raises what it raises.
    """
    figure = _draw(result, read_cutouts(scene_path, result, CUTOUTS, scene))
    with atomic_path(path) as temporary, missing_glyphs_allowed():
        figure.savefig(
            temporary,
            format="png",
            dpi=_DPI,
            facecolor=_NIGHT,
            metadata={"Software": None},
            pil_kwargs={"compress_level": _COMPRESSION},
        )


def _draw(result: SceneResult, enlarged: list[tuple[Picture, Window]]) -> Figure:
    info = result.info
    page = layout(info.width, info.height, len(enlarged))
    canvas = _Canvas.blank(*page.page)
    _header(canvas, result)
    axes = canvas.panel(MARGIN_PX, HEAD_PX, *page.scene)
    _scene(axes, result, page)
    _mark(axes, result, page)
    _ground(canvas, locate(info), result, page)
    for i, (place, (pixels, window)) in enumerate(zip(page.cells, enlarged, strict=True)):
        _cutout(canvas, result, i, place, (pixels, window))
    return canvas.figure


def _header(canvas: _Canvas, result: SceneResult) -> None:
    count = len(result.detections)
    title = " ".join(Path(result.scene).stem.split())
    room = canvas.width - 2 * MARGIN_PX - _COMPASS_PX
    title = title if len(title) <= room // 8 else f"{title[: room // 8 - 1]}…"
    canvas.bar(MARGIN_PX, 18, 46, 4, _ACCENT)
    size = min(24.0, room / (0.95 * max(1, len(title))))  # points at which a title fills the page
    canvas.text(MARGIN_PX, 56, title, color=_INK, fontsize=size, fontweight="bold")
    facts = [
        "no ship found" if count == 0 else f"{count:,} ship{'s' if count > 1 else ''}",
        f"{result.info.width:,} {_BY} {result.info.height:,} px",
        f"{result.windows:,} window{'s' if result.windows > 1 else ''}",
    ]
    if result.label is not None:
        facts.insert(1, result.label)
    if result.windows_skipped:
        facts.append(f"{result.windows_skipped:,} skipped")
    if count > CUTOUTS:
        facts.append(f"strongest {CUTOUTS} enlarged")
    canvas.text(MARGIN_PX, 88, "   ·   ".join(facts), color=_MUTED, fontsize=12.5)


def _scene(axes: Axes, result: SceneResult, page: Layout) -> None:
    pixels = picture(result.preview, result)
    smaller = page.scene[0] < pixels.shape[1]
    resized = Image.fromarray(pixels).resize(page.scene, Image.Resampling.BOX if smaller else Image.Resampling.BICUBIC)
    axes.imshow(
        np.asarray(resized), extent=(0, page.scene[0], page.scene[1], 0), interpolation="nearest", aspect="auto"
    )


def _mark(axes: Axes, result: SceneResult, page: Layout) -> None:
    """Draw a frame around each ship, and its number if there is room."""
    boxes = result.detections.boxes_xyxy.astype(np.float64) * (page.scale * 2)
    count = len(boxes)
    least = max(_MARK_LEAST_PX, _MARK_PX * min(1.0, (_CROWD / max(count, 1)) ** 0.5))
    floor = np.where(np.arange(count) < CUTOUTS, _MARK_PX, least)[:, None]
    sizes = np.maximum(boxes[:, 2:] - boxes[:, :2] + 6, floor)
    corners = (boxes[:, :2] + boxes[:, 2:] - sizes) / 2
    frames = [Rectangle((x, y), w, h) for (x, y), (w, h) in zip(corners.tolist(), sizes.tolist(), strict=True)]
    thin = 1.0 if count <= _CROWD else 0.7
    for group, width in ((frames[CUTOUTS:], thin), (frames[:CUTOUTS], 1.5)):  # the strongest on top
        for colour, line in ((_NIGHT, width + 1.4), (_ACCENT, width)):
            axes.add_collection(PatchCollection(group, facecolor="none", edgecolor=colour, linewidth=line))
    numbered = min(count, _NUMBERS if count <= 2 * _NUMBERS else CUTOUTS)
    points = [9 if i < CUTOUTS else 7.5 for i in range(numbered)]
    texts = [(0.95 * size * len(str(i + 1)) + 3, 1.3 * size) for i, size in enumerate(points)]
    marks = np.concatenate([corners, corners + sizes], axis=1)[:numbered]
    places = place_labels(marks, texts, (0, 0, *page.scene), CUTOUTS)
    for i, place in enumerate(places):
        if place is not None:
            strong = i < CUTOUTS
            style: dict[str, Any] = {"color": _INK, "fontweight": "bold"} if strong else {"color": _ACCENT}
            x, y = place[0] + 2, place[1] + texts[i][1]
            axes.text(x, y, str(i + 1), fontsize=points[i], va="bottom", path_effects=_HALO, **style)


def _ground(canvas: _Canvas, position: Position | None, result: SceneResult, page: Layout) -> None:
    """Draw a scale bar, the place of the middle, and an arrow to the north, as far as they are known."""
    info = result.info
    ground = ground_axes(position, info.width, info.height)
    unit, per_px, place = "px", 1.0, "no position"
    if position is not None and ground is not None:
        unit, per_px = "m", pixel_metres(ground)
        place = "centre " + place_text(*position.lonlat(np.array([[info.width / 2, info.height / 2]]))[0].tolist())
        canvas.arrow(canvas.width - MARGIN_PX - 16, 52, north_xy(ground, page.scale))
    per_px /= page.scale[0]
    length = nice_length(max(page.scene[0], 200) * per_px / 5)
    label = f"{length / 1000:g} km" if unit == "m" and length >= 1000 else f"{length:g} {unit}"
    notes = "   ·   ".join(filter(None, (page.stretched, place)))
    base = HEAD_PX + page.scene[1] + FOOT_PX // 2
    canvas.bar(MARGIN_PX, base - 9, length / per_px, 4, _INK)
    canvas.text(MARGIN_PX + length / per_px + 12, base - 1, label, color=_INK, fontsize=11)
    canvas.text(MARGIN_PX + length / per_px + 90, base - 1, notes, color=_MUTED, fontsize=11)


def _cutout(
    canvas: _Canvas, result: SceneResult, i: int, place: tuple[int, int], enlarged: tuple[Picture, Window]
) -> None:
    """Draw one ship enlarged, with its number, size and score."""
    pixels, window = enlarged
    left, top, side = cutout_square(result, i)
    axes = canvas.panel(*place, CELL_PX, CELL_PX)
    extent = (window.x, window.x + window.width, window.y + window.height, window.y)
    axes.imshow(pixels, extent=extent, interpolation="bicubic")
    axes.set(xlim=(left, left + side), ylim=(top + side, top))
    x1, y1, x2, y2 = result.detections.boxes_xyxy[i].astype(np.float64).tolist()
    axes.add_patch(Polygon(result.outline_px(i), fill=False, edgecolor=_ACCENT, linewidth=1.4))
    base = place[1] + CELL_PX + 20
    canvas.text(place[0], base, str(i + 1), color=_ACCENT, fontsize=12, fontweight="bold")
    score = f"score {float(result.detections.scores[i]):.2f}"
    canvas.text(place[0] + CELL_PX, base, score, color=_INK, fontsize=11, ha="right")
    length, width = result.places.length_m[i], result.places.width_m[i]
    size = f"{length:.0f} {_BY} {width:.0f} m"
    if not np.isfinite(length):
        size = f"{max(x2 - x1, y2 - y1):.0f} {_BY} {min(x2 - x1, y2 - y1):.0f} px"
    canvas.text(place[0] + 34, base, size, color=_MUTED, fontsize=11)
    if result.flags[i]:
        note = ", ".join(result.flags[i])
        axes.text(0.03, 0.97, note, transform=axes.transAxes, color=_INK, fontsize=9.5, va="top", path_effects=_HALO)
