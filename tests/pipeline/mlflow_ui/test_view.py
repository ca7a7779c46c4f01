"""view.py: columns and charts of MLflow's page."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

from pipeline.mlflow_ui.view import LONGEST_TAG, RunNumbers, differing_settings, shown_metrics, view_value

METRICS = {"val/F1": 1.0, "val/AP": 1.0, "test/recall": 1.0, "test/AP": 1.0, "test_inshore/AP": 1.0, "train/loss": 1.0}


def run(number: int, *, is_group: bool = False, **settings: str) -> RunNumbers:
    """A run with these settings."""
    metrics = METRICS | ({"test/AP_std": 1.0} if is_group else {})
    return RunNumbers(f"{number:032x}", {} if is_group else settings, metrics, {"dvc_experiment": "slow"}, is_group)


def state_of(value: str) -> dict[str, Any]:
    """The view as MLflow's front end reads it."""
    envelope = json.loads(value)
    assert (envelope["name"], envelope["createdAt"]) == ("Side by side", 7)
    kind, packed = envelope["state"].split(";")
    assert kind == "deflate"
    state: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(packed)))
    return state


def test_only_settings_with_two_values_are_columns() -> None:
    runs = [run(1, lr="0.1", seed="1", mosaic="0.5"), run(2, lr="0.2", seed="1"), run(3, is_group=True)]
    assert differing_settings(runs) == ["lr"], "neither one that an older version lacks, nor the lack of a group"
    assert differing_settings(runs[:1]) == []


def test_test_ap_is_the_first_column_and_settings_follow() -> None:
    runs = [run(1, lr="0.1"), run(2, lr="0.2"), run(3, is_group=True)]
    assert shown_metrics(runs) == ["test/AP", "test/recall", "test_inshore/AP", "val/AP"]
    state = state_of(view_value(runs, 7))
    columns = ["metrics.`test/AP`", "params.`lr`", "metrics.`test/recall`", "metrics.`test_inshore/AP`"]
    columns += ["metrics.`val/AP`", "tags.`dvc_experiment`", "attributes.`Duration`"]
    assert state["selectedColumns"] == columns
    assert state["columnOrder"] == ["attributes.`Run Name`", *columns]
    assert set(state["columnWidths"]) == set(state["columnOrder"])
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`test/AP`", False)


def test_charts_begin_with_val_ap_by_epoch() -> None:
    state = state_of(view_value([run(1), run(2, is_group=True)], 7))
    charts = [(c["metricKey"], c["type"], c["metricSectionId"]) for c in state["compareRunCharts"] if not c["deleted"]]
    assert charts == [
        *(("val/AP", "LINE", "val"), ("val/F1", "LINE", "val")),
        *(("test/AP", "BAR", "test"), ("test/recall", "BAR", "test"), ("train/loss", "LINE", "train")),
    ]
    assert [c["metricKey"] for c in state["compareRunCharts"] if c["deleted"]] == ["test/AP_std"]
    assert [s["name"] for s in state["compareRunSections"]] == ["Validation by epoch", "Test", "Training by epoch"]
    assert state["compareRunCharts"][0]["xAxisKey"] == "step"


def test_a_view_fits_into_a_tag_of_mlflow() -> None:
    from mlflow.utils.validation import MAX_EXPERIMENT_TAG_VAL_LENGTH

    assert LONGEST_TAG <= MAX_EXPERIMENT_TAG_VAL_LENGTH
    names = [f"{zlib.crc32(bytes([n])):08x}" * 40 for n in range(40)]
    runs = [run(n, **dict.fromkeys(names, str(n))) for n in (1, 2)]
    value = view_value(runs, 7)
    assert len(value) <= LONGEST_TAG
    kept = [c for c in state_of(value)["selectedColumns"] if c.startswith("params")]
    assert 0 < len(kept) <= 20
