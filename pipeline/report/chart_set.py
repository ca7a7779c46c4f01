"""Charts of one evaluation, or of several side by side, as inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from pipeline.report.figures import Point, bars_svg, dots_svg, precision_recall_svg, reliability_svg
from pipeline.report.labels import KIND_WORDS, SIZE_WORDS, in_order, part_word
from pipeline.report.numbers import Numbers, Row
from pipeline.report.published import Published

Compared = Mapping[str, Numbers]
"""Label -> numbers; a report of one evaluation has one entry."""


def curve_charts(compared: Compared) -> list[Markup]:
    """Charts of precision over recall: one for both IoUs of a single evaluation, or one for each IoU of several."""
    if len(compared) == 1:
        (alone,) = compared.values()
        return [precision_recall_svg(iou_curves(alone), working_point(alone), "Precision and recall")]
    ious = dict.fromkeys(iou for numbers in compared.values() for iou in numbers.curves)
    return [
        precision_recall_svg(
            {f"{label}, {_at(n.test, iou):.1f}": n.curves.get(iou, []) for label, n in compared.items()},
            None,
            f"Precision and recall at IoU {iou}",
        )
        for iou in ious
    ]


def iou_curves(numbers: Numbers) -> dict[str, Sequence[Row]]:
    """Legend entry -> precision-recall curve of one evaluation, at each IoU."""
    return {f"IoU {iou}, AP {_at(numbers.test, iou):.1f}": rows for iou, rows in numbers.curves.items()}


def working_point(numbers: Numbers) -> tuple[float, float] | None:
    """(recall, precision) in [0, 1] at the score that `refinedet detect` reports from, if defined."""
    test = numbers.test
    return (test["recall"] / 100, test["precision"] / 100) if {"recall", "precision"} <= set(test) else None


def ap_charts(compared: Compared, published: Sequence[Published]) -> list[Markup]:
    """Charts of AP by part of the test split, with intervals and published figures, and by size of the ship."""
    parts = {
        label: {
            part_word(part): _ap(row)
            for part, row in in_order(numbers.metrics).items()
            if _is_part(part) and "AP" in row
        }
        for label, numbers in compared.items()
    }
    others: dict[str, float] = {}
    for row in published:
        others.setdefault(part_word(row.part), row.percent["AP"])
    sizes = {
        label: {words: n.test[name] for name, words in SIZE_WORDS.items() if name in n.test}
        for label, n in compared.items()
    }
    return [
        dots_svg("AP by part of the test split, %", parts, others),
        bars_svg("AP by size of the ship, %", sizes, digits=1),
    ]


def stacked(charts: Sequence[Markup]) -> Markup:
    """Stack charts below one another, as one cell of a row of charts."""
    return Markup("\n").join(charts)


def calibration_chart(compared: Compared) -> Markup:
    """Chart of the share of correct detections by score."""
    return reliability_svg({label: numbers.score_calibration for label, numbers in compared.items()})


def detection_error_charts(compared: Compared) -> list[Markup]:
    """Charts of the cost of each kind of detection error, and of their number at HIT_SCORE."""
    titles = {"AP50_cost": ("AP50 that each kind costs, points", 1), "count": ("Errors at a score of 0.5 or more", 0)}
    return [
        bars_svg(title, {label: _by_kind(n, measure) for label, n in compared.items()}, digits=digits)
        for measure, (title, digits) in titles.items()
    ]


def _by_kind(numbers: Numbers, measure: str) -> dict[str, float]:
    table = numbers.detection_errors.get("test", {})
    return {words.name: table[kind][measure] for kind, words in KIND_WORDS.items() if measure in table.get(kind, {})}


def _is_part(name: str) -> bool:
    """True for a part with its own line; parts of a multi-scale test have none, because they would double the lines."""
    return name.startswith("test") and not name.startswith("test_multiscale_")


def _ap(row: Mapping[str, float]) -> Point:
    return Point(row["AP"], (row["AP_low"], row["AP_high"]) if "AP_low" in row else None)


def _at(test: Mapping[str, float], iou: str) -> float:
    return test.get(f"AP{float(iou) * 100:.0f}", 0.0)
