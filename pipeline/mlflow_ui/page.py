"""Page of MLflow that compares the runs of a data set, and its address."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.mlflow_ui.view import COLOUR_TAG, COLOURS, VIEW_KEY, VIEW_TAG, RunNumbers, view_value
from pipeline.params import load_params
from pipeline.provenance.origin import without_password
from pipeline.tracking.delivery import EXPERIMENT_TAGS
from pipeline.tracking.groups import GROUP_TAG
from pipeline.tracking.run_names import experiment_name
from pipeline.tracking.store import chosen_store, connected_client, is_remote, local_file, shown, uri_of
from refinedet.errors import FileError, InputError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

PREFIX = "refinedet-"
"""Beginning of an experiment's name; the name of the data set follows."""

_MOST_RUNS = 1000
_SETTINGS_FILE = Path("params.yaml")


@dataclass(frozen=True, slots=True)
class RunsPage:
    """Page of the runs of one experiment in an MLflow store."""

    store: str
    """URI of the store."""
    experiment: str
    experiment_id: str
    runs: int
    """Number of runs, without the parents of groups."""

    @property
    def server(self) -> str | None:
        """Address of the server that shows the store; None if one must be started."""
        return without_password(self.store).rstrip("/") if is_remote(self.store) else None

    def addresses(self, server: str) -> dict[str, str]:
        """Addresses of the page on a server: `table` of the runs, and their `charts`."""
        words = f"workflowType=machine_learning&viewStateShareKey={VIEW_KEY}&compareRunsMode="
        page = f"{server}/#/experiments/{self.experiment_id}/runs?{words}"
        return {"table": page + "TABLE", "charts": page + "CHART"}


def prepare_page(name: str | None = None) -> RunsPage:
    """Find the runs of a data set, and store the view that compares them.

    `name` is a data set, or an MLflow experiment. Without it, the active recipe of params.yaml names the data set.
    Without such a file, the data set of the newest run is used.

    Raises:
        FileError: there is no store, or it cannot be used.
        InputError: the experiment has no run.
    """
    store = chosen_store()
    file = local_file(store)
    if file is not None and not file.is_file():
        raise FileError(f"expected runs in {file}, found no such file; train first, or go to the folder of the project")
    with connected_client(store) as client:
        experiments = {e.name: e for e in client.search_experiments() if _newest(client, e, 1)}
        found = _chosen(name, experiments, shown(store), client)
        runs = [_numbers(run) for run in _newest(client, found, _MOST_RUNS)]
        tags = EXPERIMENT_TAGS | {VIEW_TAG: view_value(runs, round(time.time() * 1000))}
        for key, value in tags.items():
            client.set_experiment_tag(found.experiment_id, key, value)
        for number, run in enumerate(reversed(runs)):
            if COLOUR_TAG not in run.tags:
                client.set_tag(run.run_id, COLOUR_TAG, COLOURS[number % len(COLOURS)])
    return RunsPage(uri_of(store), found.name, str(found.experiment_id), sum(not run.is_group for run in runs))


def _chosen(name: str | None, experiments: dict[str, Experiment], where: str, client: MlflowClient) -> Experiment:
    if name is not None:
        wanted = [name, PREFIX + name]
    elif _SETTINGS_FILE.is_file():
        wanted = [experiment_name(load_params(_SETTINGS_FILE))]
    elif experiments:
        return max(experiments.values(), key=lambda e: _newest(client, e, 1)[0].info.start_time)
    else:
        wanted = ["any data set"]
    for word in wanted:
        if word in experiments:
            return experiments[word]
    known = ", ".join(sorted(word.removeprefix(PREFIX) for word in experiments))
    advice = f"those of {known}; name one of these" if known else "no run at all; train first"
    raise InputError(f"expected runs of {wanted[0].removeprefix(PREFIX)} in {where}, found {advice}")


def _newest(client: MlflowClient, experiment: Experiment, most: int) -> list[Run]:
    return list(
        client.search_runs([experiment.experiment_id], order_by=["attributes.start_time DESC"], max_results=most)
    )


def _numbers(run: Run) -> RunNumbers:
    data = run.data
    return RunNumbers(run.info.run_id, data.params, data.metrics, data.tags, is_group=GROUP_TAG in data.tags)
