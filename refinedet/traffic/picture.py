"""Picture of densities: one panel for each period, with one colour scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from refinedet.files import atomic_path
from refinedet.scene.views.drawing import Canvas
from refinedet.traffic.density import Density, Grid

_COLUMNS = 4
_PANEL_PX = 420
_SHAPE = (0.3, 2.5)
"""Least and greatest height of a panel over its width."""
_GAP_PX, _HEAD_PX, _SCALE_PX = 18, 28, 130
"""Space around panels, above each panel for its name, and at the right for the scale."""
_BAR_PX = 16
_PAPER, _INK, _UNSEEN = "#ffffff", "#222222", "#d9d9d9"
_COLOURS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
"""Colours from no ship to most ships, as in the colour map viridis."""
_ROOT = 0.5
"""Exponent of the colours, so that low densities are visible beside high ones."""
_TICKS = (0.0, 0.1, 0.25, 0.5, 1.0)
"""Shares of the highest density that the scale labels."""


def write_picture(path: Path, found: Mapping[str, Density], grid: Grid) -> None:
    """Write the densities by their names as PNG; cells that no pass saw are grey. Equal densities, equal bytes.

    Raises:
        OSError: the file cannot be written.
    """
    columns = min(len(found), _COLUMNS)
    rows = math.ceil(len(found) / columns)
    middle = math.radians(grid.north - grid.height * grid.cell_deg / 2)
    shape = grid.height / (grid.width * max(math.cos(middle), 0.05))
    tall = round(_PANEL_PX * min(max(shape, _SHAPE[0]), _SHAPE[1]))
    across, down = _PANEL_PX + _GAP_PX, tall + _HEAD_PX + 2 * _GAP_PX
    most = max((float(np.nanmax(one.per_pass, initial=0.0)) for one in found.values()), default=0.0) or 1.0
    page = Canvas.blank(columns * across + _GAP_PX + _SCALE_PX, rows * down, _PAPER)
    for number, (name, one) in enumerate(found.items()):
        left, top = _GAP_PX + number % columns * across, _HEAD_PX + number // columns * down
        page.text(left, top - 8, f"{name}, at most {one.passes.max():.0f} passes", _INK, 9)
        cells = Image.fromarray(_coloured(one.per_pass, most))
        page.panel(left, top, Canvas(cells.resize((_PANEL_PX, tall), Image.Resampling.NEAREST)), _INK)
        corner = f"{grid.west:.2f}, {grid.north - grid.height * grid.cell_deg:.2f}"
        page.text(left, top + tall + 16, corner, _INK, 7)
        opposite = f"{grid.west + grid.width * grid.cell_deg:.2f}, {grid.north:.2f}"
        page.text(left + _PANEL_PX, top - 8, opposite, _INK, 7, anchor="rs")
    _draw_scale(page, columns * across + _GAP_PX, tall, most)
    with atomic_path(path) as temporary:
        page.image.save(temporary, format="PNG")


def _coloured(values: NDArray[np.float64], most: float) -> NDArray[np.uint8]:
    """Colours (H, W, 3) of densities (H, W)."""
    share = np.nan_to_num(values / most).clip(0, 1) ** _ROOT * (len(_COLOURS) - 1)
    stops = np.arange(len(_COLOURS))
    channels = [np.interp(share, stops, channel) for channel in np.transpose(_COLOURS)]
    unseen = [int(_UNSEEN[i : i + 2], 16) for i in (1, 3, 5)]
    return np.where(np.isnan(values)[..., None], unseen, np.stack(channels, axis=-1)).round().astype(np.uint8)


def _draw_scale(page: Canvas, left: int, tall: int, most: float) -> None:
    """Draw the scale of colours with its numbers, beside the first row of panels."""
    ramp = most * np.linspace(1, 0, tall)[:, None] ** (1 / _ROOT)
    bar = Image.fromarray(_coloured(np.repeat(ramp, _BAR_PX, axis=1), most))
    page.text(left, _HEAD_PX - 8, "ships per pass", _INK, 9)
    page.panel(left, _HEAD_PX, Canvas(bar), _INK)
    for share in _TICKS:
        y = _HEAD_PX + round((tall - 1) * (1 - share**_ROOT))
        page.text(left + _BAR_PX + 8, y, f"{share * most:.2g}", _INK, 8, anchor="lm")
