"""Engine of several processes on this machine: each holds a detector and processes one scene at a time."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Self

from refinedet.batch.engine import Job, Report, Work
from refinedet.errors import RefineDetError
from refinedet.system.processes import new_pool

_work: Work | None = None
"""Work of this process if it is a worker."""


class ProcessEngine:
    """Engine of `workers` processes. A process that dies is replaced, and costs its own scene an attempt."""

    def __init__(self, work: Work, workers: int) -> None:
        """Take the parts of the engine; nothing is started yet."""
        self.identity: Mapping[str, Any] | None = None
        self._work, self._count = work, workers
        self._idle: list[ProcessPoolExecutor] = []
        self._numbers: dict[ProcessPoolExecutor, Future[int]] = {}
        self._busy: dict[Future[Report], tuple[ProcessPoolExecutor, Job]] = {}

    def __enter__(self) -> Self:
        self._idle = [self._process() for _ in range(self._count)]
        started = [pool.submit(_start, self._work) for pool in self._idle]  # all processes at once
        try:
            (self.identity, *_) = [one.result() for one in started]
        except BrokenProcessPool as error:
            self._stop()
            raise RefineDetError(
                f"expected {self._count} processes that start, but one of them died; is there memory for them? fewer "
                "`workers` take less"
            ) from error
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all processes; a scene in progress is interrupted, and its journal kept."""
        for pool, _ in self._busy.values():
            if self._numbers[pool].done():
                with suppress(OSError, BrokenProcessPool):
                    os.kill(self._numbers[pool].result(), signal.SIGINT)
        self._stop()

    @property
    def has_idle_worker(self) -> bool:
        """True if a process waits for a scene."""
        return bool(self._idle)

    def submit(self, job: Job) -> None:
        """Hand a scene to a process that is idle."""
        pool = self._idle.pop()
        try:
            future = pool.submit(_process, self._work, job)
        except BrokenProcessPool:  # the process died while it was idle
            pool = self._replaced(pool)
            future = pool.submit(_process, self._work, job)
        self._busy[future] = pool, job

    def wait(self) -> tuple[Job, Report]:
        """Wait for the report of the next scene."""
        done, _ = wait(self._busy, return_when=FIRST_COMPLETED)
        future = next(iter(done))
        pool, job = self._busy.pop(future)
        try:
            report = future.result()
        except BrokenProcessPool:
            pool, report = self._replaced(pool), Report("failed", error=_lost(job), transient=True)
        self._idle.append(pool)
        return job, report

    def _process(self) -> ProcessPoolExecutor:
        """Pool of one process, so that its death affects one scene."""
        pool = new_pool(1, self._count)
        self._numbers[pool] = pool.submit(os.getpid)
        return pool

    def _replaced(self, pool: ProcessPoolExecutor) -> ProcessPoolExecutor:
        """New process in place of a dead one."""
        self._numbers.pop(pool)
        pool.shutdown()
        return self._process()

    def _stop(self) -> None:
        for pool in (*self._idle, *(pool for pool, _ in self._busy.values())):
            pool.shutdown(cancel_futures=True)


def _start(work: Work) -> Mapping[str, Any]:
    """Start the work in this process."""
    global _work  # noqa: PLW0603 - a worker has one
    _work = work
    return work.start()


def _process(work: Work, job: Job) -> Report:
    """Process one scene in this process, which may be new. Ctrl-C only interrupts the scene."""
    if _work is None:
        _start(work)
    assert _work is not None  # noqa: S101 - it was started
    signal.signal(signal.SIGINT, _interrupt)
    try:
        return _work.process(job)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Interrupt the scene once: Ctrl-C may come from terminal and parent, and must not stop the clean-up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _lost(job: Job) -> str:
    return (
        f"expected a process to finish {job.scene}, but it died {job.attempt} times; if memory is short, fewer "
        "`workers` or a smaller `batch_size` take less"
    )
