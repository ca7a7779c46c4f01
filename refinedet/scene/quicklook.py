"""One picture of a scene: the ships marked and numbered, and the strongest ones enlarged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from numpy.typing import NDArray
from PIL import Image

from refinedet.files import atomic_path
from refinedet.radiometry import to_uint8, valid_mask
from refinedet.raster import SceneReader
from refinedet.scene.position import Position, distances_m, locate
from refinedet.scene.result import SceneResult
from refinedet.scene.source import SceneChoice, open_source
from refinedet.tiling import Window

CUTOUTS = 12
"""Most ships that are shown enlarged."""

_NIGHT, _PANEL, _FRAME = "#070b12", "#0d1420", "#2a3a52"
_INK, _MUTED, _ACCENT = "#eaf1fb", "#8fa3bf", "#ffb454"
_SEA = LinearSegmentedColormap.from_list("sea", ["#05080e", "#14304a", "#4d86a8", "#c9e2ee", "#ffffff"])
_HALO = [patheffects.withStroke(linewidth=2.2, foreground=_NIGHT)]
_BY = "\N{MULTIPLICATION SIGN}"
_DPI = 100
_SCENE_PX = 1120
"""Long side of the scene in the picture."""
_MARGIN_PX, _HEAD_PX, _FOOT_PX = 44, 112, 64
_CELL_PX, _GAP_PX, _CAPTION_PX = 236, 18, 30
_LABELS_MAX = 150
"""With more ships than this only those that are shown enlarged carry their number."""
_MARK_MIN_PX = 15
"""Boxes are drawn at least this large in the picture, so that no ship is overlooked."""


@dataclass(frozen=True, slots=True)
class _Canvas:
    """A figure addressed in pixels from its top left corner."""

    figure: Figure
    width: int
    height: int

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        place = (x / self.width, 1 - (y + height) / self.height, width / self.width, height / self.height)
        axes = self.figure.add_axes(place)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_facecolor(_PANEL)
        for spine in axes.spines.values():
            spine.set_color(_FRAME)
        return axes

    def text(self, x: float, y: float, text: str, **style: Any) -> None:
        self.figure.text(x / self.width, 1 - y / self.height, text, va="baseline", **style)


def write_quicklook(
    scene_path: str | Path, result: SceneResult, path: str | Path, *, choice: SceneChoice | None = None
) -> None:
    """Write a PNG of the scene with its ships; equal input gives equal bytes. `choice` as given to detect_scene().

    Raises:
        FileError: the scene cannot be read again.
    """
    with open_source(scene_path, choice) as reader:
        figure = _draw(reader, result)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=_DPI, facecolor=_NIGHT, metadata={"Software": None})


def _draw(reader: SceneReader, result: SceneResult) -> Figure:
    info = result.info
    scale = _SCENE_PX / max(info.width, info.height)
    width, height = max(360, round(info.width * scale)), max(240, round(info.height * scale))
    shown = min(CUTOUTS, len(result.detections))
    rows = max(1, (height + _GAP_PX) // (_CELL_PX + _CAPTION_PX + _GAP_PX))
    columns = -(-shown // rows)
    side = columns * (_CELL_PX + _GAP_PX)
    page = (2 * _MARGIN_PX + max(width + side, 760), _HEAD_PX + height + _FOOT_PX)
    figure = Figure(figsize=(page[0] / _DPI, page[1] / _DPI), dpi=_DPI, facecolor=_NIGHT)
    FigureCanvasAgg(figure)
    canvas = _Canvas(figure, *page)
    position = locate(info)
    _header(canvas, result)
    axes = canvas.axes(_MARGIN_PX, _HEAD_PX, width, height)
    _scene(axes, result, (width, height))
    _mark(axes, result, info.width / width)
    _north(axes, position, info.width, info.height)
    _scale_bar(canvas, position, result, width, height)
    for i in range(shown):
        x = _MARGIN_PX + width + _GAP_PX + (i % columns) * (_CELL_PX + _GAP_PX)
        y = _HEAD_PX + (i // columns) * (_CELL_PX + _CAPTION_PX + _GAP_PX)
        _cutout(canvas, reader, result, i, (x, y))
    return figure


def _header(canvas: _Canvas, result: SceneResult) -> None:
    count = len(result.detections)
    title = Path(result.scene).stem
    fits = (canvas.width - 2 * _MARGIN_PX) / (0.95 * max(1, len(title)))  # points at which a title fills the page
    canvas.text(_MARGIN_PX, 56, title, color=_INK, fontsize=min(24.0, fits), fontweight="bold")
    facts = [
        "no ship found" if count == 0 else f"{count:,} ship{'s' if count > 1 else ''}",
        f"{result.info.width:,} {_BY} {result.info.height:,} px",
        f"{result.windows:,} window{'s' if result.windows > 1 else ''}",
    ]
    if result.label is not None:
        facts.insert(1, result.label)
    if result.windows_empty:
        facts.append(f"{result.windows_empty:,} without data")
    if count > CUTOUTS:
        facts.append(f"strongest {CUTOUTS} enlarged")
    canvas.text(_MARGIN_PX, 88, "   ·   ".join(facts), color=_MUTED, fontsize=12.5)
    canvas.figure.add_artist(
        Rectangle(
            (_MARGIN_PX / canvas.width, 1 - 22 / canvas.height), 46 / canvas.width, 4 / canvas.height, color=_ACCENT
        )
    )


def _scene(axes: Axes, result: SceneResult, size: tuple[int, int]) -> None:
    info = result.info
    picture = _picture(result.preview, result)
    scale = min(size[0] / info.width, size[1] / info.height)
    wanted = (max(1, round(info.width * scale)), max(1, round(info.height * scale)))
    smaller = wanted[0] < picture.shape[1]
    resized = Image.fromarray(picture).resize(wanted, Image.Resampling.BOX if smaller else Image.Resampling.BICUBIC)
    axes.imshow(
        np.asarray(resized),
        cmap=_SEA,
        vmin=0,
        vmax=255,
        extent=(0, info.width, info.height, 0),
        interpolation="nearest",
    )
    axes.set_aspect("equal", adjustable="datalim")


def _picture(pixels: NDArray[Any], result: SceneResult) -> NDArray[np.uint8]:
    """8-bit pixels as the network saw them, brightened in the dark for the eye; RGB stays RGB."""
    seen = to_uint8(pixels, valid_mask(pixels, result.info.nodata), result.levels)
    curve = np.round(255 * (np.arange(256) / 255) ** 0.7).astype(np.uint8)
    return seen if seen.ndim == 3 else curve[seen]


def _mark(axes: Axes, result: SceneResult, scene_px: float) -> None:
    """Boxes and numbers; `scene_px` is how many scene pixels one pixel of the picture covers."""
    boxes = result.detections.boxes_xyxy.astype(np.float64)
    size = np.maximum(boxes[:, 2:] - boxes[:, :2] + 6 * scene_px, _MARK_MIN_PX * scene_px)
    corners = (boxes[:, :2] + boxes[:, 2:] - size) / 2
    frames = [Rectangle((x, y), w, h) for (x, y), (w, h) in zip(corners.tolist(), size.tolist(), strict=True)]
    for group, width in ((frames[CUTOUTS:], 1.0), (frames[:CUTOUTS], 1.5)):  # the strongest on top
        for colour, line in ((_NIGHT, width + 1.4), (_ACCENT, width)):
            axes.add_collection(PatchCollection(group, facecolor="none", edgecolor=colour, linewidth=line))
    for i in reversed(range(len(boxes) if len(boxes) <= _LABELS_MAX else CUTOUTS)):
        strong = i < CUTOUTS
        axes.annotate(
            str(i + 1),
            (corners[i, 0] + size[i, 0], corners[i, 1]),
            xytext=(2, 1),
            textcoords="offset points",
            color=_INK if strong else _ACCENT,
            fontsize=9 if strong else 7.5,
            fontweight="bold" if strong else "normal",
            path_effects=_HALO,
            annotation_clip=True,
        )


def _north(axes: Axes, position: Position | None, width: int, height: int) -> None:
    """An arrow to the north in the upper right corner of the scene, where it is known."""
    if position is None:
        return
    middle, step = np.array([width, height]) / 2, max(width, height) / 100
    points = middle + step * np.array([[0, 0], [1, 0], [0, 1]])
    lonlat = position.lonlat(points)
    east = (lonlat[1:, 0] - lonlat[0, 0] + 180) % 360 - 180
    jacobian = np.stack([east * np.cos(np.radians(lonlat[0, 1])), lonlat[1:, 1] - lonlat[0, 1]])
    if not np.isfinite(jacobian).all() or abs(np.linalg.det(jacobian)) < np.finfo(np.float64).tiny:
        return
    direction = np.linalg.solve(jacobian, [0.0, 1.0])
    direction *= 17 / np.hypot(*direction)
    pixels = axes.get_window_extent()
    centre = np.array([pixels.x1 - 38, pixels.y1 - 38])
    offset = direction * [1, -1]
    axes.add_patch(
        FancyArrowPatch(
            tuple(centre - offset),
            tuple(centre + offset),
            arrowstyle="-|>",
            mutation_scale=13,
            color=_INK,
            transform=None,
        )
    )
    place = centre + offset * 1.55
    axes.text(
        place[0], place[1], "N", transform=None, color=_INK, fontsize=9, ha="center", va="center", path_effects=_HALO
    )


def _scale_bar(canvas: _Canvas, position: Position | None, result: SceneResult, width: int, height: int) -> None:
    info = result.info
    middle = np.array([[info.width / 2, info.height / 2]])
    unit, per_scene_px = "px", 1.0
    caption = "no position"
    if position is not None:
        step = np.array([[info.width / 200, 0.0]])
        metres = float(distances_m(position.lonlat(middle - step), position.lonlat(middle + step))[0])
        lon, lat = position.lonlat(middle)[0].tolist()
        if np.isfinite(metres) and metres > 0:
            unit, per_scene_px = "m", metres / (info.width / 100)
            caption = f"{abs(lat):.4f}° {'N' if lat >= 0 else 'S'}   {abs(lon):.4f}° {'E' if lon >= 0 else 'W'}"
    per_px = per_scene_px / min(width / info.width, height / info.height)
    length = _nice(width * per_px / 5)
    label = f"{length / 1000:g} km" if unit == "m" and length >= 1000 else f"{length:g} {unit}"
    y = 1 - (_HEAD_PX + height + 26) / canvas.height
    bar = Rectangle(
        (_MARGIN_PX / canvas.width, y), length / per_px / canvas.width, 4 / canvas.height, color=_INK, linewidth=0
    )
    canvas.figure.add_artist(bar)
    base = _HEAD_PX + height + 31
    canvas.text(_MARGIN_PX + length / per_px + 12, base, label, color=_INK, fontsize=11)
    canvas.text(_MARGIN_PX + width, base, caption, color=_MUTED, fontsize=11, ha="right")


def _nice(value: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above `value`."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(max(f * power for f in (1, 2, 5) if f * power <= value * (1 + 1e-9)))


def _cutout(canvas: _Canvas, reader: SceneReader, result: SceneResult, i: int, place: tuple[float, float]) -> None:
    """One ship enlarged, with its number, score and size."""
    info, box = result.info, result.detections.boxes_xyxy[i].astype(np.float64)
    side = max(64, round(2.2 * float((box[2:] - box[:2]).max())))
    middle = (box[:2] + box[2:]) / 2
    x, y = (int(v) for v in np.round(middle - side / 2))
    x1, y1, x2, y2 = max(0, x), max(0, y), min(info.width, x + side), min(info.height, y + side)
    picture = _picture(reader.read(Window(y1, x1, y2 - y1, x2 - x1)), result)
    axes = canvas.axes(*place, _CELL_PX, _CELL_PX)
    axes.imshow(picture, cmap=_SEA, vmin=0, vmax=255, extent=(x1, x2, y2, y1), interpolation="bicubic")
    axes.set_xlim(x, x + side)
    axes.set_ylim(y + side, y)
    axes.add_patch(
        Rectangle((box[0], box[1]), box[2] - box[0], box[3] - box[1], fill=False, edgecolor=_ACCENT, linewidth=1.4)
    )
    base = place[1] + _CELL_PX + 20
    canvas.text(place[0], base, str(i + 1), color=_ACCENT, fontsize=12, fontweight="bold")
    score = f"{float(result.detections.scores[i]):.2f}"
    canvas.text(place[0] + _CELL_PX, base, score, color=_INK, fontsize=11, ha="right")
    length, width = result.places.length_m[i], result.places.width_m[i]
    size = f"{length:.0f} {_BY} {width:.0f} m"
    if not np.isfinite(length):
        size = f"{max(box[2:] - box[:2]):.0f} {_BY} {min(box[2:] - box[:2]):.0f} px"
    note = f"   {', '.join(result.flags[i])}" if result.flags[i] else ""
    canvas.text(place[0] + 34, base, size + note, color=_MUTED, fontsize=11)
