"""Curves of precision over recall and of a training, as PNG files or as figures for a page.

Equal numbers give equal bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from refinedet.files import atomic_path

Row = Mapping[str, float]

INK, MUTED, GRID = "#1b2636", "#5d6b7e", "#e4e9ef"
COLOURS = ("#0b5cad", "#c2570c", "#0a8a5f", "#8a4bc8", "#b5257a", "#66737f")
STROKES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (3, 1)), (0, (8, 2)))
_DPI = 160
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
    "legend.frameon": False,
}


def precision_recall_png(path: Path, curves: Mapping[str, Sequence[Row]], point: tuple[float, float] | None) -> None:
    """Draw precision over recall.

    Args:
        path: PNG to write.
        curves: legend entry -> rows with `recall` and `precision` in [0, 1].
        point: (recall, precision) in [0, 1] at the score that `refinedet detect` reports from, if defined.
    """
    with rc_context(STYLE):
        _save(precision_recall(curves, point, (6.2, 4.2)), path)


def precision_recall(
    curves: Mapping[str, Sequence[Row]], point: tuple[float, float] | None, size: tuple[float, float]
) -> Figure:
    """Make the figure of `precision_recall_png` with `size` in inches; lines differ in colour and dashes."""
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.02))
    for index, (label, rows) in enumerate(curves.items()):
        recall, precision = [r["recall"] for r in rows], [r["precision"] for r in rows]
        axes.plot(recall, precision, linewidth=2, label=label, **stroke(index))
    if point is not None:
        axes.plot(*point, "o", color=COLOURS[0], markersize=8, markeredgecolor="white", label="IoU 0.5, score 0.5")
    if curves or point is not None:
        axes.legend(loc="best")
    return figure


def stroke(index: int) -> dict[str, Any]:
    """Colour and dashes of the line with this number; lines also differ without colour."""
    return {"color": COLOURS[index % len(COLOURS)], "linestyle": STROKES[index % len(STROKES)]}


def training_png(path: Path, history: Sequence[Row]) -> None:
    """Draw the losses and the validation AP by epoch, side by side.

    Args:
        path: PNG to write.
        history: one row per epoch: `epoch`, `lr`, `loss`, the parts of the loss, and `val_...` in percent.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(9.6, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        draw_losses(left, history)
        draw_validation(right, history)
        _save(figure, path)


def draw_losses(axes: Axes, history: Sequence[Row]) -> None:
    """Draw the mean losses of each epoch, as `training_png` takes them."""
    names = list(dict.fromkeys(name for row in history for name in row))
    losses = [n for n in names if n not in ("epoch", "lr", "loss") and not n.startswith("val_")]
    _lines(axes, history, {"loss": "sum", **{n: n.replace("_", " ") for n in losses}})
    axes.set(title="Training loss", ylim=(0, None))


def draw_validation(axes: Axes, history: Sequence[Row]) -> None:
    """Draw the AP on the validation split after each epoch, as `training_png` takes it."""
    _lines(axes, history, {"val_AP": "AP", "val_AP50": "AP50", "val_AP75": "AP75"})
    axes.set(title="Validation AP, %", ylim=(0, 100))


def histograms_png(path: Path, panels: Mapping[str, Mapping[str, int]]) -> None:
    """Draw bar charts of counts, side by side.

    Args:
        path: PNG to write.
        panels: title -> name of a bar -> count; two panels or more.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(3.4 * len(panels), 3.0), layout="constrained")
        for axes, (title, counts) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
            axes.bar(range(len(counts)), list(counts.values()), color=COLOURS[0], width=0.85)
            axes.set_xticks(range(len(counts)), list(counts), rotation=45, ha="right", fontsize=7.5)
            axes.set_title(title)
            axes.grid(visible=False, axis="x")
        _save(figure, path)


def _lines(axes: Axes, history: Sequence[Row], series: Mapping[str, str]) -> None:
    for index, (name, label) in enumerate(series.items()):
        points = [(row["epoch"], row[name]) for row in history if name in row]
        style = {"linewidth": 2.2 if index == 0 else 1.4, **stroke(index)}
        axes.plot(*zip(*points, strict=True) if points else ([], []), label=label, marker=_marker(points), **style)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.legend()


def _marker(points: Sequence[object]) -> str:
    """Marker of the points; a single epoch needs one, because a line of one point is invisible."""
    return "o" if len(points) == 1 else ""


def _save(figure: Figure, path: Path) -> None:
    FigureCanvasAgg(figure)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=_DPI, metadata={"Software": None})
