"""Engine on Ray: workers that each hold a detector, on this machine or on a cluster. The only file that imports Ray.

Each worker is an actor, a scene is one call, and a worker has one scene at a time. A worker may die: it is killed, runs
out of memory, or loses its machine. This engine then starts a new worker. It does not let Ray restart the old one,
because a call to an actor that is still restarting fails, which would cost the scene an attempt.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from types import TracebackType
from typing import Any, Self

from refinedet.batch.engine import Job, Report, Work
from refinedet.errors import InputError, RefineDetError
from refinedet.extras import missing_extra
from refinedet.system.concurrency import THREADS, usable_cores
from refinedet.system.resuming import differences
from refinedet.wording import first_of
from refinedet.workarounds.ray.messages import silent
from refinedet.workarounds.ray.unreachable import check_reachable
from refinedet.workarounds.ray.usage import send_no_usage_statistics

_OBJECT_STORE_BYTES = 100 << 20
"""Size of Ray's object store. Objects here are paths and counts; by default, Ray takes a third of the memory."""
_DEATHS_MAX = 3
"""Number of workers that may die in a row before one is ready."""
_PATIENCE_S = 60.0
"""Time without room for any worker after which a warning is logged."""

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Share:
    """Part of the cluster for one worker."""

    workers: int
    cpus: float
    gpus: float

    @property
    def threads(self) -> int:
        """Threads that compute in one worker."""
        return max(1, int(self.cpus))

    @classmethod
    def of(cls, resources: Mapping[str, float], workers: int | None, *, gpu: bool) -> Self:
        """Equal shares of the cluster; by default one worker for each GPU or, without GPUs, for each core.

        Args:
            resources: CPU and GPU of the cluster, as Ray counts them.
            workers: number of workers; None: the default.
            gpu: use GPUs if the cluster has any.
        """
        cores, cards = resources.get("CPU", 1.0), resources.get("GPU", 0.0) if gpu else 0.0
        count = workers or max(1, int(cards or cores))
        each = cores / count
        return cls(count, float(int(each)) if each >= 1 else each, min(1.0, cards / count))


class RayEngine:
    """Many workers, on this machine or on a cluster. As a context manager it starts and stops them."""

    def __init__(
        self, work: Work, *, workers: int | None = None, address: str | None = None, gpu: bool = False
    ) -> None:
        """Take the parts of the engine; nothing is started yet.

        Args:
            work: the work, which is copied to each worker.
            workers: number of workers; None: as `Share.of` says.
            address: address of a running cluster, or "auto"; None: only this machine, or the cluster to which this
                process is connected already.
            gpu: give each worker a GPU, or a share of one, if the cluster has any.
        """
        self.identity: Mapping[str, Any] | None = None
        self._work, self._workers, self._address, self._gpu = work, workers, address, gpu
        self._ray: Any = None
        self._ours = False
        self._starting: dict[Any, Any] = {}  # call -> actor
        self._busy: dict[Any, tuple[Any, Job]] = {}
        self._idle: list[Any] = []
        self._deaths = 0
        self._quiet = ExitStack()
        self._share: Share

    def __enter__(self) -> Self:
        self._ray = _load_ray()
        if not self._ray.is_initialized():
            self._connect()
        self._quiet.enter_context(silent(self._ray))
        self._share = Share.of(self._ray.cluster_resources(), self._workers, gpu=self._gpu)
        for _ in range(self._share.workers):
            self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all workers, and Ray if it was started here."""
        actors = [*self._starting.values(), *(actor for actor, _ in self._busy.values()), *self._idle]
        for actor in actors:
            self._ray.kill(actor)
        if self._ours:
            self._ray.shutdown()
        self._quiet.close()

    @property
    def has_idle_worker(self) -> bool:
        """True if a worker waits for a scene."""
        return bool(self._idle)

    def submit(self, job: Job) -> None:
        """Hand a scene to a worker that is idle."""
        actor = self._idle.pop()
        self._busy[actor.process.remote(job)] = actor, job

    def wait(self) -> tuple[Job, Report] | None:
        """Wait for the report of the next scene; None if a worker became ready or was replaced instead.

        Raises:
            RefineDetError: workers cannot be started, or are not equal.
        """
        call = self._next_call()
        if call in self._starting:
            self._came_up(self._starting.pop(call), call)
            return None
        actor, job = self._busy.pop(call)
        try:
            report = self._ray.get(call)
        except self._ray.exceptions.RayError as error:
            self._ray.kill(actor)
            self._start()
            return job, Report("failed", error=self._lost(job, error), transient=True)
        self._idle.append(actor)
        return job, report

    def _next_call(self) -> Any:
        calls = [*self._busy, *self._starting]
        ready, _ = self._ray.wait(calls, timeout=_PATIENCE_S)
        if not ready and not self._busy:
            _LOGGER.warning(
                "no worker has started after %g s, still waiting: the machine is busy, or the cluster has no %g cores "
                "and %g GPUs free in one place",
                _PATIENCE_S,
                self._share.cpus,
                self._share.gpus,
            )
        while not ready:
            ready, _ = self._ray.wait(calls)
        return ready[0]

    def _connect(self) -> None:
        quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
        here = {"num_cpus": usable_cores(), "include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES}
        try:
            if self._address is None:
                self._ray.init(address="local", **here, **quiet)
            else:
                check_reachable(self._address)
                self._ray.init(address=self._address, **quiet)
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            where = "on this machine" if self._address is None else f"at {self._address}"
            raise RefineDetError(
                f"expected Ray {where}, but it cannot be used ({_first_line(error)}); for a cluster, run on one of its "
                "machines, with its versions of Ray and Python"
            ) from error
        self._ours = True

    def _start(self) -> None:
        actor_class = self._ray.remote(_Worker).options(
            num_cpus=self._share.cpus, num_gpus=self._share.gpus, max_restarts=0
        )
        actor = actor_class.remote(self._work, self._share.threads)
        self._starting[actor.start.remote()] = actor

    def _came_up(self, actor: Any, call: Any) -> None:
        try:
            identity, software, problem = self._ray.get(call)
        except self._ray.exceptions.RayError as error:
            self._deaths += 1
            if self._deaths >= _DEATHS_MAX:
                raise RefineDetError(
                    f"expected workers that start, found {self._deaths} that died at once ({_why(error, self._ray)}); "
                    "free some memory, or use fewer `workers`"
                ) from error
            self._start()
            return
        self._idle.append(actor)
        if problem:
            raise RefineDetError(problem)
        unlike = differences(
            {"software": self._work.software(), "identity": self.identity or identity},
            {"software": software, "identity": identity},
        )
        if unlike:
            raise InputError(
                f"expected the same software on every machine of the cluster, found another one on one of them "
                f"({first_of(unlike, mark='; ')}); install the same there, and set `precision` if processors differ"
            )
        self._deaths, self.identity = 0, identity

    def _lost(self, job: Job, error: Exception) -> str:
        return (
            f"expected a worker to finish {job.scene}, but it died {job.attempt} times ({_why(error, self._ray)}); if "
            "memory is short, use fewer `workers` or a smaller `batch_size`"
        )


class _Worker:
    """Actor that holds the work, with its detector."""

    def __init__(self, work: Work, threads: int) -> None:
        os.environ[THREADS] = os.environ["OMP_NUM_THREADS"] = str(threads)  # before torch is loaded
        self._work = work

    def start(self) -> tuple[Mapping[str, Any], Mapping[str, Any], str | None]:
        """Load the detector; return the identity, the software, and a problem in one sentence or None."""
        try:
            return self._work.start(), self._work.software(), None
        except RefineDetError as error:
            return {}, {}, str(error)

    def process(self, job: Job) -> Report:
        """Process one scene."""
        return self._work.process(job)


def _load_ray() -> Any:
    """Import Ray with its usage statistics turned off.

    Raises:
        MissingExtra: it is not installed.
    """
    send_no_usage_statistics()
    try:
        return import_module("ray")
    except ImportError as error:
        raise missing_extra("ray", "`engine` ray", otherwise="use `engine` local") from error


def _why(error: Exception, ray: Any) -> str:
    short = isinstance(error, ray.exceptions.OutOfMemoryError)
    return "its machine ran out of memory" if short else "it was killed, it crashed, or its machine is gone"


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0][:200]
