"""groups.py: children under a parent, with mean and standard deviation."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from pipeline.tracking.groups import find_runs, group, main, mean_and_std
from pipeline.tracking.runs import MlflowTracker
from refinedet.errors import InputError
from tests.pipeline.mlflow_server import client_of, params_of


def finished(name: str, metrics: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> str:
    """A run of that name with these numbers."""
    monkeypatch.setenv("MLFLOW_RUN_NAME", name)
    tracker = MlflowTracker.start(params_of())
    tracker.log_metrics(metrics, step=0)
    tracker.close()
    return tracker.run_id


@pytest.mark.slow
def test_a_parent_holds_mean_and_spread_and_follows_its_children(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {"seed 1": (50.0, 3.0), "seed 2": (53.0, 4.0), "seed 3": (56.0, 8.0), "stranger": (0.0, 0.0)}
    runs = [finished(name, {"test/AP": ap, "train/loss": loss}, monkeypatch) for name, (ap, loss) in rows.items()]
    client = client_of(project)
    parent = group("ssdd seeds", [runs[0]])
    assert "test/AP_std" not in client.get_run(parent).data.metrics
    assert group("ssdd seeds", [*runs[:2], runs[3]]) == parent
    assert group("ssdd seeds", runs[:3]) == parent
    run = client.get_run(parent)
    assert (run.info.run_name, run.info.status, run.data.tags["dataset"]) == ("ssdd seeds", "FINISHED", "ssdd")
    assert run.data.metrics == pytest.approx(
        {"test/AP": 53.0, "test/AP_std": 3.0, "train/loss": 5.0, "train/loss_std": 7**0.5}
    )
    children = [client.get_run(r).data.tags.get("mlflow.parentRunId") for r in runs]
    assert children == [parent, parent, parent, None], "the group is exactly these"
    assert "| test/AP | 53.00 | 3.00 |" in run.data.tags["mlflow.note.content"]
    ends = [client.get_run(r).info for r in runs[:3]]
    assert (run.info.start_time, run.info.end_time) == (ends[0].start_time, ends[2].end_time)


def test_runs_are_found_by_name_or_id_and_grouped_by_the_command(
    project: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    old = finished("it's one", {"test/AP": 1.0}, monkeypatch)
    new = finished("it's one", {"test/AP": 2.0}, monkeypatch)
    assert find_runs(["it's one", old]) == [new, old], "of equal names the newest"
    client_of(project).set_tag(old, "dvc_experiment", "slow")
    assert find_runs(["slow"]) == [old]
    monkeypatch.setattr(sys, "argv", ["groups", "it's both", "it's one", old])
    with caplog.at_level(logging.INFO):
        main()
        main()
    (parent,) = client_of(project).search_runs(["1"], "tags.run_group != ''")
    assert parent.data.metrics["test/AP"] == 1.5
    with pytest.raises(InputError, match="found none for 'it's both'"):
        find_runs(["it's both"])  # a parent is no child
    with pytest.raises(InputError, match="at least one run"):
        group("empty", [])


def test_only_what_all_measure_has_a_mean() -> None:
    children = [
        {"a": 1.0, "b": 2.0, "system/cpu": 1.0, "test_pr/50": 0.0},
        {"a": 3.0, "system/cpu": 1.0, "test_pr/50": 0.0},
    ]
    assert mean_and_std(children) == pytest.approx({"a": 2.0, "a_std": 2**0.5})
