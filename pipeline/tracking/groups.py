"""Groups of runs under one parent, with the mean and the standard deviation of their metrics.

    python -m pipeline.tracking.groups "lr sweep" RUN RUN ...       ids or names in MLflow, or DVC experiments

The UI folds the runs of a group under their parent. Tags that are set afterwards make the group. So the runs may come
from `dvc exp run`, from its queue, or from other machines that write to the same store.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipeline.stage import run_stage
from pipeline.tracking.store import chosen_store, connected_client, shown
from refinedet.errors import InputError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

logger = logging.getLogger(__name__)

PARENT_TAG = "mlflow.parentRunId"
GROUP_TAG = "run_group"
"""Tag of a parent: the name of its group."""
STD_SUFFIX = "_std"
"""Suffix of a parent's standard deviations: `test/AP` is its children's mean, `test/AP_std` their deviation (n - 1)."""

_NOT_MEASURED = ("system/", "test_pr/")
"""Metrics whose mean has no meaning."""


def group(name: str, runs: Sequence[str]) -> str:
    """Make `runs` (ids), and no others, the children of the run `name`; return the id of that parent.

    A missing parent is created. A second call with other runs replaces mean and standard deviation.

    Raises:
        FileError: the store cannot be used.
        InputError: there is no run.
    """
    if not runs:
        raise InputError(f"expected at least one run for the group '{name}', found none")
    with connected_client(chosen_store()) as client:
        children = sorted((client.get_run(run) for run in dict.fromkeys(runs)), key=lambda run: run.info.start_time)
        experiment = children[0].info.experiment_id
        parent = _parent(client, experiment, name, children)
        for stranger in client.search_runs([experiment], f"tags.`{PARENT_TAG}` = '{parent}'"):
            if stranger.info.run_id not in runs:
                client.delete_tag(stranger.info.run_id, PARENT_TAG)
        for child in children:
            client.set_tag(child.info.run_id, PARENT_TAG, parent)
        _log_summary(client, parent, children)
        return parent


def mean_and_std(children: Sequence[dict[str, float]]) -> dict[str, float]:
    """Mean of each metric that all children have, and its standard deviation if there are two children or more."""
    names = [n for n in children[0] if all(n in c for c in children) and not n.startswith(_NOT_MEASURED)]
    found: dict[str, float] = {}
    for name in names:
        values = [child[name] for child in children]
        found[name] = statistics.fmean(values)
        if len(values) > 1:
            found[name + STD_SUFFIX] = statistics.stdev(values)
    return found


def find_runs(words: Sequence[str]) -> list[str]:
    """Find the ids of runs by id, name or DVC experiment; if several fit, the newest counts.

    Raises:
        FileError: the store cannot be used.
        InputError: there is no such run.
    """
    found = []
    with connected_client(chosen_store()) as client:
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        for word in words:
            run = _named(client, experiments, word)
            if run is None:
                raise InputError(
                    f"expected a run's name, id or DVC experiment of {shown(chosen_store())}, found none for '{word}'"
                )
            found.append(run.info.run_id)
    return found


def _named(client: MlflowClient, experiments: list[str], word: str) -> Run | None:
    for field in ("attributes.run_id", "attributes.run_name", "tags.dvc_experiment"):
        wanted = f"{field} = {_quoted(word)}"
        known = client.search_runs(experiments, wanted, order_by=["attributes.start_time DESC"])
        own = [run for run in known if GROUP_TAG not in run.data.tags]
        if own:
            return own[0]
    return None


def _quoted(word: str) -> str:
    return f'"{word}"' if "'" in word else f"'{word}'"


def _parent(client: MlflowClient, experiment: str, name: str, children: Sequence[Run]) -> str:
    known = client.search_runs([experiment], f"tags.`{GROUP_TAG}` = {_quoted(name)}", max_results=1)
    if known:
        return str(known[0].info.run_id)
    tags: dict[str, Any] = {k: v for k, v in children[0].data.tags.items() if k in ("dataset", "recipe")}
    tags[GROUP_TAG] = name
    made = client.create_run(experiment, start_time=children[0].info.start_time, tags=tags, run_name=name)
    return str(made.info.run_id)


def _log_summary(client: MlflowClient, parent: str, children: Sequence[Run]) -> None:
    from mlflow.entities import Metric

    ended = max(child.info.end_time or child.info.start_time for child in children)
    found = mean_and_std([child.data.metrics for child in children])
    now_ms = round(time.time() * 1000)
    client.log_batch(parent, metrics=[Metric(key, value, now_ms, 0) for key, value in found.items()])
    client.set_tag(parent, "runs", str(len(children)))
    client.set_tag(parent, "mlflow.note.content", _note(children, found))
    client.set_terminated(parent, "FINISHED", ended)


def _note(children: Sequence[Run], found: dict[str, float]) -> str:
    """Description for the parent's page: mean and standard deviation of the test measures."""
    names = ", ".join(str(child.info.run_name) for child in children)
    rows = [
        f"| {name} | {value:.2f} | {found[name + STD_SUFFIX]:.2f} |"
        for name, value in found.items()
        if name.startswith("test") and name + STD_SUFFIX in found
    ]
    table = ["", "| measure | mean | standard deviation |", "|---|---|---|", *rows] if rows else []
    return "\n".join([f"Mean and standard deviation of {len(children)} runs: {names}", *table])


def main() -> None:
    """Group the runs that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="of the group; one that exists gets exactly these runs")
    parser.add_argument("runs", nargs="+", metavar="RUN")
    arguments = parser.parse_args()
    parent = group(arguments.name, find_runs(arguments.runs))
    logger.info("%d runs under %s: run %s", len(arguments.runs), arguments.name, parent)


if __name__ == "__main__":
    run_stage(main)
