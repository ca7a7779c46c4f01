"""Delivery from the spool to MLflow: in order, once, with the original times.

An entry that is sent twice because a response was lost changes nothing. A run is looked up by its key before it is
created, and MLflow keeps one of two metrics of equal name, step, time and value. A refused entry is logged and dropped,
so that it does not block the rest. After any other failure the entry stays, and the next attempt begins with it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pipeline.tracking.model_registry import send_model
from pipeline.tracking.spool import Entry, Spool
from pipeline.tracking.store import artifact_root, connect, first_line, shown
from pipeline.workarounds.mlflow_errors import is_refusal

logger = logging.getLogger(__name__)

RUN = "run"
"""Kind of the entry that creates a run; it is the first entry of a run that its server has not seen yet."""
KEY_TAG = "run_key"
"""Tag with the key under which a run was begun."""
FILES = frozenset({"file", "model"})
"""Kinds of entries with a copy of a file; a store that accepts no files still gets the numbers."""

EXPERIMENT_TAGS = {
    "mlflow.experimentKind": "custom_model_development",
    "mlflow.experiment.primaryMetric.name": "test/AP",
    "mlflow.experiment.primaryMetric.greaterIsBetter": "true",
}
"""Tags of an experiment that make MLflow's pages show runs, not traces of language models."""

_METRICS_PER_CALL = 1000
_LONGEST_PAUSE_SECONDS = 30.0
_POLL_SECONDS = 0.05
_ATTEMPTS_AT_THE_END = 3
_PARTING_SECONDS = 1.0
_incomplete: set[str] = set()
"""Runs with a refused entry in this process; one warning for each is enough."""


class Unsent(Exception):  # noqa: N818 - it is a state of affairs
    """Error of a store that accepts no more entries; the rest waits in the spool."""


def deliver(spool: Spool, store: str) -> bool:
    """Send all entries that wait for `store`; False if another process is sending them.

    Raises:
        Unsent: the store failed; the cause of this error has the reason.
    """
    with spool.turn(store) as mine:
        if not mine:
            return False
        failures = [failure for run in spool.runs(store) if (failure := _deliver_run(spool, store, run))]
    if failures:
        raise failures[0]
    return True


def _deliver_run(spool: Spool, store: str, run: str) -> Unsent | None:
    """Send the numbers and tags of a run in order, then its files; return the failure of the files, if any."""
    for wanted in (_is_row, _is_file):
        last, failure = 0, None
        while entries := spool.entries(store, run, after=last):
            last = entries[-1].number
            for batch in _batches([entry for entry in entries if wanted(entry)]):
                try:
                    _deliver_batch(spool, store, batch)
                except Unsent as error:
                    if wanted is _is_row:
                        raise
                    failure = error
    return failure


def _is_file(entry: Entry) -> bool:
    return entry.kind in FILES


def _is_row(entry: Entry) -> bool:
    return entry.kind not in FILES


def _batches(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Batches of consecutive metrics, as many as one call accepts; every other entry is its own batch."""
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        own = len(entry.content["metrics"]) if entry.kind == "metrics" else _METRICS_PER_CALL
        if batch and size + own > _METRICS_PER_CALL:
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += own
    if batch:
        yield batch


def _deliver_batch(spool: Spool, store: str, batch: list[Entry]) -> None:
    try:
        _send(spool, store, batch)
    except Exception as error:  # an artifact store raises the errors of its own library
        if not (is_refusal(error) or _is_gone(spool, batch[0])):
            raise Unsent(first_line(error)) from error
        if len(batch) > 1:
            for entry in batch:
                _deliver_batch(spool, store, [entry])
            return
        run_id = spool.run_id(batch[0].run)
        if run_id not in _incomplete:
            logger.warning(
                "MLflow run %s is incomplete, a %s was refused: %s", run_id, batch[0].kind, first_line(error)
            )
        _incomplete.add(run_id)
    spool.remove(batch)


def _is_gone(spool: Spool, entry: Entry) -> bool:
    return entry.kind in FILES and not (spool.files / entry.content["copy"]).exists()


def _send(spool: Spool, store: str, batch: list[Entry]) -> None:
    entry, client = batch[0], connect(store)
    if entry.kind == RUN:
        spool.name(entry.run, create_run(store, entry.run, entry.content))
        return
    run_id, content = spool.run_id(entry.run), entry.content
    sending: dict[str, Callable[[], Any]] = {
        "metrics": lambda: client.log_batch(run_id, metrics=[m for e in batch for m in _metrics(e)]),
        "params": lambda: client.log_batch(run_id, params=_params(content)),
        "tags": lambda: client.log_batch(run_id, tags=_tags(content)),
        "datasets": lambda: client.log_inputs(run_id, datasets=_datasets(content)),
        "status": lambda: client.update_run(run_id, status=content["status"]),
        "end": lambda: client.set_terminated(run_id, content["status"], content["time_ms"]),
        "file": lambda: client.log_artifact(run_id, str(spool.files / content["copy"]), content["folder"]),
        "model": lambda: send_model(client, run_id, spool.files / content["copy"], content),
    }
    sending[entry.kind]()


def create_run(store: str, key: str, content: dict[str, Any]) -> str:
    """Create the run that `content` describes, unless one with this key exists; return its id."""
    client = connect(store)
    experiment = _experiment_id(store, content["experiment"])
    known = client.search_runs([experiment], f"tags.{KEY_TAG} = '{key}'", max_results=1)
    if known:
        return str(known[0].info.run_id)
    tags = {**content["tags"], KEY_TAG: key}
    made = client.create_run(experiment, start_time=content["time_ms"], tags=tags, run_name=content["name"])
    return str(made.info.run_id)


def _experiment_id(store: str, name: str) -> str:
    from mlflow.exceptions import MlflowException

    client = connect(store)
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location=artifact_root(store), tags=EXPERIMENT_TAGS))
        except MlflowException:  # another process may have been faster
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _metrics(entry: Entry) -> list[Any]:
    from mlflow.entities import Metric

    return [Metric(*row) for row in entry.content["metrics"]]


def _params(content: dict[str, Any]) -> list[Any]:
    from mlflow.entities import Param

    return [Param(*row) for row in content["params"].items()]


def _tags(content: dict[str, Any]) -> list[Any]:
    from mlflow.entities import RunTag

    return [RunTag(*row) for row in content["tags"].items()]


def _datasets(content: dict[str, Any]) -> list[Any]:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    return [
        DatasetInput(Dataset(**row["dataset"]), [InputTag("mlflow.data.context", row["context"])])
        for row in content["datasets"]
    ]


class DeliveryThread:
    """Thread that delivers the entries of the spool, so that no training step waits for a server."""

    def __init__(self, spool: Spool, store: str) -> None:
        """Start at once, with the entries of earlier runs."""
        self._spool, self._store = spool, store
        self._wake, self._ends = threading.Event(), False
        self._failed, self._failing = 0, False
        self._wake.set()
        # a daemon: a server that never answers must not keep the process alive; unsent entries are on disk
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Wake the thread: the spool has an entry."""
        self._wake.set()

    def finish(self, run: str, patience_seconds: float) -> int:
        """Wait until `run` is delivered, nothing moves for `patience_seconds`, or the store fails; entries left."""
        left, failed = self._spool.waiting(self._store, run), self._failed
        deadline = time.monotonic() + patience_seconds
        self.wake()
        while left and time.monotonic() < deadline and self._failed < failed + _ATTEMPTS_AT_THE_END:
            time.sleep(_POLL_SECONDS)
            now = self._spool.waiting(self._store, run)
            if now != left:
                left, deadline = now, time.monotonic() + patience_seconds
        self._ends = True
        self.wake()
        self._thread.join(_PARTING_SECONDS)  # the thread may be sending another run's entries
        return left

    def _work(self) -> None:
        pause = None
        while not self._ends:
            self._wake.wait(pause)
            self._wake.clear()
            pause = self._attempt(pause)

    def _attempt(self, pause: float | None) -> float | None:
        """Deliver; return the seconds until the next attempt, or None to wait for an entry."""
        try:
            if not deliver(self._spool, self._store):
                return 1.0
        except Exception as error:  # noqa: BLE001 - a full disk under the spool, too: the thread must live
            if not self._failing:
                logger.warning(
                    "MLflow at %s does not take everything (%s); the work goes on, and what it should know waits in %s",
                    *(shown(self._store), first_line(error), self._spool.files.parent),
                )
            self._failed, self._failing = self._failed + 1, True
            return min(_LONGEST_PAUSE_SECONDS, 2 * (pause or 0.5))
        if self._failing:
            logger.info("MLflow at %s takes what has waited", shown(self._store))
            self._failing = False
        return None
