"""The report as one HTML page that needs nothing else: pictures are inside, and nothing is fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.contact_sheet import LEGEND, Picture
from pipeline.published import Published
from pipeline.templates import render_template

TEMPLATE = "page.html"

COLUMNS = ("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large", "AR_100", "precision", "recall", "F1")
VOC_COLUMNS = ("mAP07", "mAP10")
"""Measures of the table, in order."""


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the page shows."""

    title: str
    subtitle: str
    metrics: Mapping[str, Mapping[str, float]]
    """Part of the test split -> measure -> value, as evaluate writes them; and `val`."""
    published: Sequence[Published]
    curves: Path
    """PNG of precision over recall."""
    training: Path
    """PNG of the course of the training."""
    sections: Mapping[str, Sequence[Picture]]
    """Heading -> close-ups of hits, misses or false alarms."""
    samples: Sequence[Picture]
    facts: Mapping[str, Mapping[str, object]]
    """Heading -> name -> value: where the result comes from."""


def _columns(page: Page) -> tuple[str, ...]:
    """COCO's measures, and VOC's where there are any."""
    return COLUMNS + tuple(name for name in VOC_COLUMNS if any(name in row for row in page.metrics.values()))


def render(page: Page) -> str:
    """The page as HTML. Every text is escaped; equal content gives equal text."""
    filters: dict[str, Callable[..., str]] = {"percent": _percent, "part": _part}
    return render_template(TEMPLATE, filters, page=page, columns=_columns(page), legend=LEGEND)


def _percent(value: float | None, digits: int = 1) -> str:
    return "\u2013" if value is None else f"{value:.{digits}f}"


def _part(name: str) -> str:
    """`test_without_leaked` -> `Test without leaked images`, as a person would say it."""
    words = {"val": "Validation, last epoch", "test": "Test", "test_without_leaked": "Test without leaked images"}
    return words.get(name) or name.replace("test_", "Test, ").replace("_", " ")
