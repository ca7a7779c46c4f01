"""Picture of densities: one panel for each period, in one scale of colours."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from refinedet.files import atomic_path
from refinedet.traffic.density import Density, Grid

_COLUMNS = 4
_PANEL_IN = 4.0
"""Width of a panel in inches."""
_DPI = 110
_UNSEEN = "#d9d9d9"
_ROOT = 0.5
"""Exponent of the colours, so that thin traffic shows beside dense."""
_STRETCH = (0.4, 2.5)
"""Least and greatest height of a panel over its width."""


def write_picture(path: Path, found: Mapping[str, Density], grid: Grid) -> None:
    """Write the densities by their names as PNG; cells that no pass saw are grey. Equal densities, equal bytes.

    Raises:
        OSError: the file cannot be written.
    """
    columns = min(len(found), _COLUMNS)
    rows = math.ceil(len(found) / columns)
    middle = grid.north - grid.height * grid.cell_deg / 2
    aspect = 1 / max(math.cos(math.radians(middle)), 0.05)
    tall = min(max(aspect * grid.height / grid.width, _STRETCH[0]), _STRETCH[1])
    figure = Figure(
        figsize=(_PANEL_IN * columns + 1.2, (_PANEL_IN * tall + 0.6) * rows), dpi=_DPI, layout="constrained"
    )
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, squeeze=False)
    most = max((float(np.nanmax(one.per_pass, initial=0.0)) for one in found.values()), default=0.0) or 1.0
    extent = (grid.west, grid.west + grid.width * grid.cell_deg, grid.north - grid.height * grid.cell_deg, grid.north)
    for panel in panels.ravel()[len(found) :]:
        panel.set_axis_off()
    for panel, (name, one) in zip(panels.ravel(), found.items(), strict=False):
        panel.set_facecolor(_UNSEEN)
        shown = panel.imshow(
            one.per_pass, extent=extent, cmap="viridis", norm=PowerNorm(_ROOT, 0, most), interpolation="nearest"
        )
        panel.set_aspect(aspect)
        panel.set_title(f"{name}, {one.passes.max():.0f} passes at most", fontsize=9)
        panel.tick_params(labelsize=7)
    figure.colorbar(shown, ax=panels, shrink=0.8, label=f"ships per pass in {grid.cell_deg:g} degrees")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=_DPI, metadata={"Software": None})
