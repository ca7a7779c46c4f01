"""Stored view of MLflow's page of runs: its columns and charts, and their order.

MLflow stores such a view in a tag of the experiment, and the key of the tag is part of the page's address. The names of
the fields are those of MLflow's front end (ExperimentPageUIState, RunsChartsCardConfig).
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.tracking.groups import STD_SUFFIX

VIEW_KEY = "refinedet"
VIEW_TAG = f"mlflow.sharedViewState.{VIEW_KEY}"
"""Tag of the experiment that holds the view."""
VIEW_NAME = "Side by side"
"""Name of the view in the menu of the page."""
COLOUR_TAG = "mlflow.runColor"
"""Tag of a run: its colour in lists and charts."""
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#ff7f0e", "#9467bd", "#17becf", "#8c564b", "#e377c2", "#bcbd22", "#7f7f7f")
"""Colours that differ clearly; MLflow's own colours come from the run's id and are often similar."""

LONGEST_TAG = 5000
"""Most characters that MLflow accepts as the value of an experiment's tag."""

_MEASURES = ("AP", "AP50", "AP75", "precision", "recall", "F1")
_TABLE_PARTS = ("test", "test_inshore", "test_offshore", "test_multiscale")
_CHARTS = {"val": "LINE", "test": "BAR", "train": "LINE"}
"""Beginning of a metric's name -> its chart: a line for values by epoch."""
_SECTIONS = {"val": "Validation by epoch", "test": "Test", "train": "Training by epoch"}
_LINE = {
    "xAxisKey": "step",
    "useGlobalXaxisKey": True,
    "lineSmoothness": 0,
    "useGlobalLineSmoothing": True,
    "displayPoints": False,
    "scaleType": "linear",
    "xAxisScaleType": "linear",
}
_MOST_SETTINGS = 20
_NAME_PX, _NUMBER_PX, _TAG_PX, _LETTER_PX, _MARGIN_PX = 350, 96, 130, 7, 28


@dataclass(frozen=True, slots=True)
class RunNumbers:
    """Settings and metrics of one run that the view depends on."""

    run_id: str
    settings: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    is_group: bool = False
    """True for the parent of a group, which has the mean of its runs."""


def differing_settings(runs: Sequence[RunNumbers]) -> list[str]:
    """Settings with two or more values among the runs, in the order of the newest run.

    A run of an older version may lack a setting; a missing setting does not count as another value.
    """
    trained = [run for run in runs if not run.is_group]
    names = dict.fromkeys(name for run in trained for name in run.settings)
    return [name for name in names if len({run.settings[name] for run in trained if name in run.settings}) > 1]


def shown_metrics(runs: Sequence[RunNumbers]) -> list[str]:
    """Metrics of the table: first those of the whole test split, with AP at the front, then AP of its parts."""
    known = {name for run in runs for name in run.metrics}
    wanted = [f"test/{measure}" for measure in _MEASURES]
    wanted += [f"{part}/AP" for part in _TABLE_PARTS[1:]] + ["val/AP"]
    return [name for name in wanted if name in known]


def view_value(runs: Sequence[RunNumbers], created_ms: int) -> str:
    """Value of the tag `VIEW_TAG` for these runs, at most `LONGEST_TAG` characters."""
    settings = differing_settings(runs)[:_MOST_SETTINGS]
    while True:
        value = _encoded(_state(runs, settings), created_ms)
        if len(value) <= LONGEST_TAG or not settings:
            return value
        settings.pop()


def _state(runs: Sequence[RunNumbers], settings: Sequence[str]) -> dict[str, Any]:
    metrics = shown_metrics(runs)
    columns = {f"metrics.`{name}`": _NUMBER_PX for name in metrics[:1]}
    columns |= {f"params.`{name}`": _width_px(name) for name in settings}
    columns |= {f"metrics.`{name}`": _width_px(name) for name in metrics[1:]}
    if any("dvc_experiment" in run.tags for run in runs):
        columns["tags.`dvc_experiment`"] = _TAG_PX
    columns["attributes.`Duration`"] = _NUMBER_PX
    charts = _charts(runs)
    return {
        "orderByKey": "metrics.`test/AP`",
        "orderByAsc": False,
        "selectedColumns": list(columns),
        "columnOrder": ["attributes.`Run Name`", *columns],
        "columnWidths": {"attributes.`Run Name`": _NAME_PX, **columns},
        "runsHiddenMode": "FIRST_20_RUNS",
        "compareRunCharts": charts,
        "compareRunSections": _sections(charts),
        "isAccordionReordered": True,
    }


def _width_px(name: str) -> int:
    return max(_NUMBER_PX, _LETTER_PX * len(name) + _MARGIN_PX)


def _charts(runs: Sequence[RunNumbers]) -> list[dict[str, Any]]:
    known = dict.fromkeys(name for run in runs for name in run.metrics)
    return [
        {
            "uuid": name,
            "type": kind,
            "metricKey": name,
            "metricSectionId": part,
            "runsCountToCompare": 20,
            "isGenerated": True,
            "deleted": name.endswith(STD_SUFFIX),
            **({"selectedMetricKeys": [name], **_LINE} if kind == "LINE" else {}),
        }
        for part, kind in _CHARTS.items()
        for name in sorted((n for n in known if n.startswith(f"{part}/")), key=_rank)
    ]


def _rank(name: str) -> tuple[int, str]:
    measure = name.partition("/")[2]
    return (_MEASURES.index(measure) if measure in _MEASURES else len(_MEASURES), name)


def _sections(charts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    used = dict.fromkeys(str(chart["metricSectionId"]) for chart in charts)
    titles = {part: _SECTIONS[part] for part in used}
    return [
        {"uuid": part, "name": title, "display": part != "train", "isReordered": True, "deleted": False}
        for part, title in titles.items()
    ]


def _encoded(state: Mapping[str, Any], created_ms: int) -> str:
    packed = base64.b64encode(zlib.compress(json.dumps(state, separators=(",", ":")).encode(), 9)).decode()
    return json.dumps({"name": VIEW_NAME, "createdAt": created_ms, "state": f"deflate;{packed}"}, separators=(",", ":"))
