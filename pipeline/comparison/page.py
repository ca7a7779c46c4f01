"""HTML page of several evaluations side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.report.chart_set import ap_charts, calibration_chart, curve_charts, detection_error_charts
from pipeline.report.contact_sheet import Picture
from pipeline.report.labels import short_labels
from pipeline.report.numbers import Numbers
from pipeline.report.page import columns, kinds_found, render_filled, reported_error
from pipeline.report.published import PUBLISHED, Published


@dataclass(frozen=True, slots=True)
class Difference:
    """Difference of a measure from the first experiment, in points."""

    value: float
    interval: tuple[float, float] | None
    """95 % bootstrap interval over the same drawn images."""

    @property
    def verdict(self) -> str:
        """`better` or `worse` if the interval leaves out zero, else `unclear`."""
        if self.interval is None or self.interval[0] <= 0 <= self.interval[1]:
            return "unclear"
        return "better" if self.value > 0 else "worse"


@dataclass(frozen=True, slots=True)
class SideBySide:
    """One chip with the boxes of every experiment."""

    chip: str
    drawn: Mapping[str, Picture]
    """Label -> the chip."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that the page shows."""

    compared: Mapping[str, Numbers]
    """Label -> numbers, in order."""
    differences: Mapping[str, Mapping[str, Difference]]
    """Label of each experiment but the first -> measure -> difference from the first."""
    chips: Sequence[SideBySide]
    """Chips on which the experiments differ most; empty if the chips or the detections are not available."""
    same_test: bool
    """True if all were tested on the same ships of the same chips, as far as it is known."""


def render(comparison: Comparison) -> str:
    """Render the page as HTML. Every text is escaped; equal content gives equal text."""
    compared = comparison.compared
    published = _published(compared)
    short = short_labels(list(compared))
    drawn = {short[label]: numbers for label, numbers in compared.items()}
    groups = _groups(compared, published)
    return render_filled(
        "comparison/page.html",
        comparison=comparison,
        first=next(iter(compared)),
        same_test=comparison.same_test,
        groups=groups,
        columns=columns([row for group in groups for row in group["rows"].values()]),
        published=published,
        charts={
            "curves": curve_charts(drawn),
            "parts": ap_charts(drawn, published),
            "calibration": calibration_chart(drawn),
            "detection_errors": detection_error_charts(drawn),
        },
        errors={label: (n.test.get("ECE"), reported_error(n)) for label, n in compared.items()},
        kinds_found=kinds_found(list(compared.values())),
        settings=_settings(compared),
    )


def _published(compared: Mapping[str, Numbers]) -> Sequence[Published]:
    """Published figures on the data set, if all experiments are on the same one."""
    names = {numbers.dataset for numbers in compared.values()}
    return PUBLISHED.get(names.pop(), ()) if len(names) == 1 else ()


def _groups(compared: Mapping[str, Numbers], published: Sequence[Published]) -> list[dict[str, Any]]:
    """Groups of rows, one for each part of the test split: experiments, the best of each column, published figures."""
    parts = dict.fromkeys(name for numbers in compared.values() for name in numbers.metrics)
    groups = []
    for name in parts:
        rows = {label: numbers.metrics[name] for label, numbers in compared.items() if name in numbers.metrics}
        measures = {measure for row in rows.values() for measure in row}
        best = {m: max(row[m] for row in rows.values() if m in row) for m in sorted(measures)} if len(rows) > 1 else {}
        groups.append({"part": name, "rows": rows, "best": best, "published": [p for p in published if p.part == name]})
    return groups


def _settings(compared: Mapping[str, Numbers]) -> list[tuple[str, list[Any]]]:
    """Settings that differ, each with its value in every experiment; empty if a report is missing."""
    if not all(numbers.facts for numbers in compared.values()):
        return []
    flat = [
        {f"{heading}: {name}": value for heading, facts in numbers.facts.items() for name, value in facts.items()}
        for numbers in compared.values()
    ]
    names = dict.fromkeys(name for settings in flat for name in settings)
    rows = [(name, [settings.get(name, "\u2013") for settings in flat]) for name in names]
    return [(name, values) for name, values in rows if any(value != values[0] for value in values)]
