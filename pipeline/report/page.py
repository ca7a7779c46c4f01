"""Report as one self-contained HTML page: it contains its pictures and charts, and loads nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.report.chart_set import ap_charts, calibration_chart, curve_charts, detection_error_charts, stacked
from pipeline.report.contact_sheet import LEGEND, Picture
from pipeline.report.labels import KIND_WORDS, in_order, part
from pipeline.report.numbers import Numbers
from pipeline.report.published import Published
from pipeline.report.templates import render_template
from refinedet.evaluation.metrics import HIT_SCORE
from refinedet.evaluation.score_calibration import mean_gap

COLUMNS = ("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large", "AR_100", "precision", "recall", "F1")
VOC_COLUMNS = ("mAP07", "mAP10")
"""Measures of the table, in order."""


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the page of one evaluation shows."""

    title: str
    subtitle: str
    numbers: Numbers
    validation: Mapping[str, float]
    """Measure -> value on the validation split."""
    published: Sequence[Published]
    training: Sequence[Markup]
    """Charts of the training."""
    sections: Mapping[str, Sequence[Picture]]
    """Heading -> close-ups of hits, misses or detections that hit nothing."""
    worst: Sequence[Picture]
    """Whole chips, the worst first."""
    samples: Sequence[Picture]


def columns(rows: Sequence[Mapping[str, float]]) -> tuple[str, ...]:
    """Measures of the table: COCO's, and those of VOC that `rows` have."""
    return COLUMNS + tuple(name for name in VOC_COLUMNS if any(name in row for row in rows))


def render(page: Page) -> str:
    """Render the page as HTML. Every text is escaped; equal content gives equal text."""
    rows = {**in_order(page.numbers.metrics), "val": page.validation}
    alone = {"": page.numbers}
    return render_filled(
        "report/page.html",
        page=page,
        test=page.numbers.test,
        rows=rows,
        columns=columns(list(rows.values())),
        charts={
            "curves": [*curve_charts(alone), stacked(ap_charts(alone, page.published))],
            "calibration": calibration_chart(alone),
            "detection_errors": detection_error_charts(alone),
        },
        kinds_found=kinds_found([page.numbers]),
        reported_error=reported_error(page.numbers),
    )


def kinds_found(listed: Sequence[Numbers]) -> list[str]:
    """Kinds of detection errors that any of these evaluations counts, in the order of the tables."""
    return [kind for kind in KIND_WORDS if any(kind in numbers.detection_errors.get("test", {}) for numbers in listed)]


def reported_error(numbers: Numbers) -> float | None:
    """Calibration error in percent of the detections with a score of at least 0.5, which `refinedet detect` reports."""
    rows = [row for row in numbers.score_calibration if row["from"] >= HIT_SCORE]
    gap = mean_gap([(row["count"], row["score"], row["precision"]) for row in rows])
    return None if gap is None else 100.0 * gap


def render_filled(name: str, **content: object) -> str:
    """Fill a template of evaluations; a missing name is an error."""
    filters: dict[str, Callable[..., str]] = {"percent": _percent, "part": part}
    return render_template(name, filters, legend=LEGEND, kinds=KIND_WORDS, **content)


def _percent(value: float | None, digits: int = 1) -> str:
    return "\u2013" if value is None else f"{value:.{digits}f}"
