"""Charts of a report as inline SVG, with the fonts of the page and the colours of its light or dark theme.

Equal numbers give equal bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.report.charts import (
    COLOURS,
    GRID,
    INK,
    MUTED,
    STYLE,
    Row,
    draw_losses,
    draw_validation,
    precision_recall,
    stroke,
)

SIZE = (5.0, 3.5)
"""Size of a chart in inches of 72 units: as wide as a phone, so that its text is readable there."""

MARKERS = "oDs^vP"
PUBLISHED = "published"
"""Legend entry of published figures."""
THEME: Mapping[str, str] = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    "#ffffff": "var(--card)",
    **{colour: f"var(--s{index})" for index, colour in enumerate(COLOURS)},
}
"""Colour in the drawing -> its variable in the page's theme."""

_INLINE: Any = {
    **STYLE,
    "font.size": 10.5,
    "axes.titlesize": 11.0,
    "legend.fontsize": 10.0,
    "svg.fonttype": "none",
    "svg.hashsalt": "refinedet",
}
_PARTS_APART = 0.62
_LEGEND_ROW = 0.22


@dataclass(frozen=True, slots=True)
class Point:
    """Value with its confidence interval, if any."""

    value: float
    interval: tuple[float, float] | None = None


def precision_recall_svg(curves: Mapping[str, Sequence[Row]], point: tuple[float, float] | None, title: str) -> Markup:
    """Chart of precision over recall; arguments as in `charts.precision_recall_png`."""

    def draw() -> Figure:
        figure = precision_recall(curves, point, SIZE)
        figure.axes[0].set_title(title)
        return figure

    return _inline(draw, f"{title}: precision over recall of {', '.join(curves)}")


def training_svgs(history: Sequence[Row]) -> list[Markup]:
    """Charts of the losses and of the validation AP by epoch; `history` as in `charts.training_png`."""
    return [
        _chart(lambda _, axes: draw_losses(axes, history), "Training loss by epoch"),
        _chart(lambda _, axes: draw_validation(axes, history), "Validation AP by epoch"),
    ]


def reliability_svg(tables: Mapping[str, Sequence[Row]]) -> Markup:
    """Chart of precision over score with 95 % intervals, one line for each table of error_tables.calibration_table."""

    def draw(_: Figure, axes: Axes) -> None:
        axes.plot((0, 1), (0, 1), color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        axes.text(0.97, 0.9, "ideal", color=MUTED, ha="right", va="top", fontsize=10)
        for index, (label, rows) in enumerate(tables.items()):
            score, precision = [r["score"] for r in rows], [r["precision"] for r in rows]
            whiskers = [
                [r["precision"] - r["precision_low"] for r in rows],
                [r["precision_high"] - r["precision"] for r in rows],
            ]
            style = {**stroke(index), "marker": MARKERS[index % len(MARKERS)], "markersize": 5, "elinewidth": 1}
            axes.errorbar(score, precision, yerr=whiskers if rows else None, label=label, linewidth=1.8, **style)
        axes.set(
            title="Calibration of the scores", xlabel="mean score of the detections", ylabel="share that hits a ship"
        )
        axes.set(xlim=(0, 1.01), ylim=(0, 1.02))
        if len(tables) > 1:
            axes.legend(loc="upper left")

    return _chart(draw, f"Share of detections that hit a ship, by their score: {', '.join(tables)}")


def dots_svg(title: str, series: Mapping[str, Mapping[str, Point]], published: Mapping[str, float]) -> Markup:
    """Chart of values in percent, one line for each name, with intervals.

    Args:
        title: title above the chart.
        series: legend entry -> name of a line -> value; lines are in the order in which they first appear.
        published: name of a line -> published value of other detectors, drawn hollow.
    """
    names = list(dict.fromkeys(name for points in series.values() for name in points))

    def draw(figure: Figure, axes: Axes) -> None:
        for index, (label, points) in enumerate(series.items()):
            colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
            shift = _shift(index, len(series))
            x, y = [p.value for p in points.values()], [names.index(name) + shift for name in points]
            whiskers = [_whisker(p) for p in points.values()]
            sides = [list(side) for side in zip(*whiskers, strict=True)] or None
            axes.errorbar(
                x, y, xerr=sides, label=label, elinewidth=2, markersize=6, color=colour, marker=marker, linestyle=""
            )
        known = {name: value for name, value in published.items() if name in names}
        if known:
            y = [names.index(name) for name in known]
            axes.plot(
                list(known.values()), y, "d", color=MUTED, markerfacecolor="none", markersize=8, label="published"
            )
        axes.set(title=title, yticks=range(len(names)), yticklabels=names, ylim=(max(1, len(names)) - 0.4, -0.6))
        axes.grid(visible=False, axis="y")
        _legend_below(figure, axes)

    height = 0.75 + (0.22 + 0.16 * len(series)) * max(1, len(names))
    words = f"{title}: {', '.join(names)}, of {', '.join(series)}"
    return _chart(draw, words, height)


def bars_svg(title: str, series: Mapping[str, Mapping[str, float]], digits: int) -> Markup:
    """Chart with a bar for each name and series, and its value at the end; arguments as in `dots_svg`."""
    names = list(dict.fromkeys(name for values in series.values() for name in values))

    def draw(figure: Figure, axes: Axes) -> None:
        thickness = _PARTS_APART / max(1, len(series))
        for index, (label, values) in enumerate(series.items()):
            y = [names.index(name) + _shift(index, len(series)) for name in values]
            colour = COLOURS[index % len(COLOURS)]
            bars = axes.barh(y, list(values.values()), thickness * 0.9, color=colour, label=label)
            axes.bar_label(bars, fmt=f"{{:.{digits}f}}", padding=3, color=INK, fontsize=9.5)
        axes.set(title=title, yticks=range(len(names)), yticklabels=names, ylim=(max(1, len(names)) - 0.5, -0.5))
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.12)
        _legend_below(figure, axes)

    height = 0.75 + (0.16 + 0.2 * len(series)) * max(1, len(names))
    return _chart(draw, f"{title}: {', '.join(names)}, of {', '.join(series)}", height)


def _shift(index: int, count: int) -> float:
    """Offset of a series from the others on one line."""
    return ((index + 0.5) / count - 0.5) * _PARTS_APART if count > 1 else 0.0


def _whisker(point: Point) -> tuple[float, float]:
    low, high = point.interval or (point.value, point.value)
    return max(0.0, point.value - low), max(0.0, high - point.value)


def _legend_below(figure: Figure, axes: Axes) -> None:
    """Add a legend below the chart if there is more than one entry; published figures come last."""
    handles, labels = axes.get_legend_handles_labels()
    listed = dict(sorted(zip(labels, handles, strict=True), key=lambda entry: entry[0] == PUBLISHED))
    if len(listed) > 1:
        width, height = figure.get_size_inches()
        figure.set_size_inches(width, height + _LEGEND_ROW * -(-len(listed) // 2))
        figure.legend(listed.values(), listed, loc="outside lower center", ncols=2, handletextpad=0.4)


def _chart(draw: Callable[[Figure, Axes], None], words: str, height: float = SIZE[1]) -> Markup:
    def figure() -> Figure:
        drawn = Figure(figsize=(SIZE[0], height), layout="constrained")
        draw(drawn, drawn.add_subplot())
        return drawn

    return _inline(figure, words)


def _inline(draw: Callable[[], Figure], words: str) -> Markup:
    """Draw a figure as an SVG element for a page; `words` describe it for screen readers."""
    with rc_context(_INLINE):
        stream = io.StringIO()
        draw().savefig(
            stream, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    drawn = stream.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    width, height = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn)[0]
    body = drawn[drawn.index(">") + 1 : drawn.rindex("</svg>")]
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="[^"]*"', "<g", body)  # ids repeat from chart to chart
    body = re.sub(r" font-family: [^;\"]*;", "", body)
    for colour, name in THEME.items():
        body = body.replace(colour, name)
    body = re.sub(r"\s*\n\s*", "\n", body)
    start = f'<svg class="chart" role="img" viewBox="0 0 {width} {height}" aria-label="{escape(words)}">'
    return Markup(f"{start}{body}</svg>")  # noqa: S704 - matplotlib escapes the texts that it is given
