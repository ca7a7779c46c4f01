"""Quicklook of a scene: one picture with the ships marked and numbered, and the strongest ones enlarged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from refinedet.cloud.scene import Scene
from refinedet.config.options.detect import SceneSettings
from refinedet.files import atomic_path
from refinedet.geo.compass import ground_axes, nice_length, north_xy, pixel_metres, place_text
from refinedet.geo.position import Position, locate
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
from refinedet.scene.views.drawing import Canvas, Rect
from refinedet.scene.views.imagery import Imagery, Picture, cutout_square, read_imagery
from refinedet.tiling import Window
from refinedet.wording import counted, ships_in_words

CUTOUTS = 12
"""Largest number of enlarged ships."""

_NIGHT, _PANEL, _FRAME = "#070b12", "#0d1420", "#2a3a52"
_INK, _PALE, _MUTED, _ACCENT = "#eaf1fb", "#c4d0e0", "#8fa3bf", "#ffb454"
_BY = "\N{MULTIPLICATION SIGN}"
_COMPRESSION = 1
"""Compression level of PNG: 0.7 of the time of level 3, for up to a tenth more space. Run-length encoding (Z_RLE) is no
faster on small scenes, which are enlarged, and takes half as much space again."""
_NUMBERS = 300
"""Largest number of ships that get a number, if there is room for it."""
_HALO_PX = 2
_MARK_PX, _MARK_LEAST_PX, _CROWD = 15.0, 5.0, 300
"""Least size of a mark, so that no ship is overlooked, the smaller size from `_CROWD` ships on, and that number."""
_COMPASS_PX, _ARROW_PX = 60, 17


def write_quicklook(
    scene_path: str | Scene,
    result: SceneResult,
    path: str | Path,
    *,
    scene: SceneSettings | None = None,
    imagery: Imagery | None = None,
) -> None:
    """Write a PNG of the scene with its ships, numbered from the strongest; equal input gives equal bytes.

    Arguments and errors are those of `imagery.read_imagery`; `imagery` is its result, if it was called already.
    """
    drawn = _draw(result, imagery or read_imagery(scene_path, result, CUTOUTS, scene))
    with atomic_path(path) as temporary:
        drawn.save(temporary, format="PNG", compress_level=_COMPRESSION)


def _draw(result: SceneResult, imagery: Imagery) -> Image.Image:
    info, enlarged = result.info, imagery.cutouts[:CUTOUTS]
    page = layout(info.width, info.height, len(enlarged))
    canvas = Canvas.blank(*page.page, _NIGHT)
    _header(canvas, result)
    marked = _scene(imagery.whole, page)
    _mark(marked, result, page)
    canvas.panel(MARGIN_PX, HEAD_PX, marked, _FRAME)
    _ground(canvas, locate(info), result, page)
    for i, (place, (pixels, window)) in enumerate(zip(page.cells, enlarged, strict=True)):
        _cutout(canvas, result, i, place, (pixels, window))
    return canvas.image


def _header(canvas: Canvas, result: SceneResult) -> None:
    count = len(result.detections)
    title = " ".join(Path(result.scene).stem.split())
    room = canvas.width - 2 * MARGIN_PX - _COMPASS_PX
    title = title if len(title) <= room // 8 else f"{title[: room // 8 - 1]}…"
    canvas.bar(MARGIN_PX, 18, 46, 4, _ACCENT)
    size = min(24.0, room / (0.95 * max(1, len(title))))  # points at which a title fills the page
    canvas.text(MARGIN_PX, 56, title, _INK, size, bold=True)
    facts = [
        ships_in_words(count),
        *([f"{result.flagged:,} flagged (grey)"] if result.flagged else []),
        *filter(None, [result.label, result.taken]),
        f"{result.info.width:,} {_BY} {result.info.height:,} px",
        counted(result.windows, "window") + (f", {result.windows_skipped:,} skipped" if result.windows_skipped else ""),
    ]
    if count > CUTOUTS:
        facts.append(f"{CUTOUTS} highest scores enlarged")
    canvas.text(MARGIN_PX, 88, "   ·   ".join(facts), _MUTED, 12.5)


def _scene(pixels: Picture, page: Layout) -> Canvas:
    smaller = page.scene[0] < pixels.shape[1]
    way = Image.Resampling.BOX if smaller else Image.Resampling.BICUBIC
    return Canvas(Image.fromarray(pixels).resize(page.scene, way))


def _mark(canvas: Canvas, result: SceneResult, page: Layout) -> None:
    """Draw a frame around each ship, muted if it has a flag, and its number if there is room."""
    boxes = result.detections.boxes_xyxy.astype(np.float64) * (page.scale * 2)
    count = len(boxes)
    least = max(_MARK_LEAST_PX, _MARK_PX * min(1.0, (_CROWD / max(count, 1)) ** 0.5))
    floor = np.where(np.arange(count) < CUTOUTS, _MARK_PX, least)[:, None]
    sizes = np.maximum(boxes[:, 2:] - boxes[:, :2] + 6, floor)
    corners = (boxes[:, :2] + boxes[:, 2:] - sizes) / 2
    marks = np.concatenate([corners, corners + sizes], axis=1)
    frames: list[Rect] = [(x1, y1, x2, y2) for x1, y1, x2, y2 in marks.tolist()]
    colours = [_MUTED if flags else _ACCENT for flags in result.flags]
    for group, width in ((slice(CUTOUTS, None), 1), (slice(CUTOUTS), 2)):  # draw the strongest ships last, on top
        for frame in frames[group]:
            canvas.frame(frame, _NIGHT, width + 2)
        for frame, colour in zip(frames[group], colours[group], strict=True):
            canvas.frame(frame, colour, width)
    numbered = min(count, _NUMBERS if count <= 2 * _NUMBERS else CUTOUTS)
    points = [9 if i < CUTOUTS else 7.5 for i in range(numbered)]
    texts = [(0.95 * size * len(str(i + 1)) + 3, 1.3 * size) for i, size in enumerate(points)]
    places = place_labels(marks[:numbered], texts, (0, 0, *page.scene), CUTOUTS)
    for i, place in enumerate(places):
        if place is not None:
            strong = i < CUTOUTS
            x, y = place[0] + 2, place[1] + texts[i][1]
            colour = _INK if strong else _PALE if result.flags[i] else _ACCENT
            canvas.text(x, y, str(i + 1), colour, points[i], bold=strong, anchor="ld", halo=(_NIGHT, _HALO_PX))


def _ground(canvas: Canvas, position: Position | None, result: SceneResult, page: Layout) -> None:
    """Draw a scale bar, the position of the scene's centre, and an arrow to the north, as far as known."""
    info = result.info
    ground = ground_axes(position, info.width, info.height)
    unit, per_px, place = "px", 1.0, "no position"
    if position is not None and ground is not None:
        unit, per_px = "m", pixel_metres(ground)
        place = "centre " + place_text(*position.lonlat(np.array([[info.width / 2, info.height / 2]]))[0].tolist())
        x, y, north = canvas.width - MARGIN_PX - 16, 52, north_xy(ground, page.scale)
        canvas.arrow((x, y), north, _ARROW_PX, _INK)
        head = np.array([x, y]) + north * (1.6 * _ARROW_PX)
        canvas.text(head[0], head[1], "N", _INK, 10, anchor="mm")
    per_px /= page.scale[0]
    length = nice_length(max(page.scene[0], 200) * per_px / 5)
    label = f"{length / 1000:g} km" if unit == "m" and length >= 1000 else f"{length:g} {unit}"
    notes = "   ·   ".join(filter(None, (page.stretched, place)))
    base = HEAD_PX + page.scene[1] + FOOT_PX // 2
    canvas.bar(MARGIN_PX, base - 9, length / per_px, 4, _INK)
    canvas.text(MARGIN_PX + length / per_px + 12, base - 1, label, _INK, 11)
    canvas.text(MARGIN_PX + length / per_px + 90, base - 1, notes, _MUTED, 11)


def _cutout(
    canvas: Canvas, result: SceneResult, i: int, place: tuple[int, int], enlarged: tuple[Picture, Window]
) -> None:
    """Draw one ship enlarged, with its number, size and score."""
    pixels, window = enlarged
    left, top, side = cutout_square(result, i)
    zoom = CELL_PX / side
    cell = Canvas.blank(CELL_PX, CELL_PX, _PANEL)
    x1, y1 = round((window.x - left) * zoom), round((window.y - top) * zoom)
    x2, y2 = round((window.x + window.width - left) * zoom), round((window.y + window.height - top) * zoom)
    shown = Image.fromarray(pixels).resize((max(1, x2 - x1), max(1, y2 - y1)), Image.Resampling.BICUBIC)
    cell.image.paste(shown, (x1, y1))
    cell.outline((result.outline_px(i) - [left, top]) * zoom, _ACCENT, 2)
    if result.flags[i]:
        cell.text(7, 7, ", ".join(result.flags[i]), _INK, 9.5, anchor="la", halo=(_NIGHT, _HALO_PX))
    canvas.panel(*place, cell, _FRAME)
    base = place[1] + CELL_PX + 20
    canvas.text(place[0], base, str(i + 1), _ACCENT, 12, bold=True)
    score = f"score {float(result.detections.scores[i]):.2f}"
    canvas.text(place[0] + CELL_PX, base, score, _INK, 11, anchor="rs")
    length, width = result.places.length_m[i], result.places.width_m[i]
    size = f"{length:.0f} {_BY} {width:.0f} m"
    if not np.isfinite(length):
        box = result.detections.boxes_xyxy[i].astype(np.float64)
        across, down = (box[2:] - box[:2]).tolist()
        size = f"{max(across, down):.0f} {_BY} {min(across, down):.0f} px"
    canvas.text(place[0] + 34, base, size, _MUTED, 11)
