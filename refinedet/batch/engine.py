"""Engines of an archive: they hand scenes to workers, which run a `Work` on each. This file does not import Ray.

`LocalEngine` works in this process, one scene after the other, `process_engine.ProcessEngine` in several processes of
this machine, and `ray_engine.RayEngine` on many workers. All run the same `Work`, so the results of a scene do not
depend on the engine.
"""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self

from refinedet.cloud.scene import Scene
from refinedet.errors import DiskError, RefineDetError

_TRANSIENT = frozenset(
    getattr(errno, name)
    for name in (
        *("EIO", "EREMOTEIO", "ESTALE", "ETIMEDOUT", "EAGAIN", "EBUSY", "ENOMEM", "ENOSPC", "EDQUOT"),
        *("EMFILE", "ENFILE", "EHOSTDOWN", "EHOSTUNREACH", "ENETUNREACH", "ENETDOWN", "ECONNRESET", "ENOTCONN"),
    )
    if hasattr(errno, name)
)
"""System errors that may pass within a minute: a disk or a network fails, or another run holds a lock."""


@dataclass(frozen=True, slots=True)
class Job:
    """Scene to process, and the number of the attempt."""

    scene: Scene
    attempt: int = 1
    replaces: bool = False
    """True if existing results may be replaced."""

    def again(self) -> Job:
        """Return the next attempt at this scene."""
        return replace(self, attempt=self.attempt + 1)


@dataclass(frozen=True, slots=True)
class Report:
    """Outcome of one attempt at a scene."""

    state: Literal["done", "skipped", "failed"]
    """`skipped`: verified results of an earlier run exist already."""
    ships: int = 0
    seconds: float = 0.0
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    error: str | None = None
    transient: bool = False
    """True if another attempt may succeed, because nothing is known to be wrong with the scene."""
    worker: str = ""
    """Host and process."""


class Work(Protocol):
    """Work on each scene. It is copied to the workers before they start."""

    def software(self) -> Mapping[str, Any]:
        """Code and packages of this process, as JSON values: equal on all workers and in the calling process."""
        ...

    def start(self) -> Mapping[str, Any]:
        """Load the parts that all scenes share, once, and return the identity that decides the results, as JSON values.

        Raises:
            RefineDetError: something that is needed is missing or damaged.
        """
        ...

    def process(self, job: Job) -> Report:
        """Process one scene; errors are in the report."""
        ...


class Engine(Protocol):
    """Workers that take scenes. As a context manager it starts and stops them."""

    identity: Mapping[str, Any] | None
    """Return value of the workers' `start`; None until the first worker is ready."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @property
    def has_idle_worker(self) -> bool:
        """True if a worker waits for a scene."""
        ...

    def submit(self, job: Job) -> None:
        """Hand a scene to a worker that is idle."""
        ...

    def wait(self) -> tuple[Job, Report] | None:
        """Wait for the report of the next scene; None if a worker became ready instead."""
        ...


class LocalEngine:
    """Engine of this process: one scene after the other."""

    def __init__(self, work: Work) -> None:
        self.identity: Mapping[str, Any] | None = None
        self._work = work
        self._jobs: deque[Job] = deque(maxlen=1)

    def __enter__(self) -> Self:
        self.identity = self._work.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing: there is nothing to stop."""

    @property
    def has_idle_worker(self) -> bool:
        """True if no scene is waiting."""
        return not self._jobs

    def submit(self, job: Job) -> None:
        """Keep a scene; `wait` processes it."""
        self._jobs.append(job)

    def wait(self) -> tuple[Job, Report]:
        """Process the submitted scene."""
        job = self._jobs.popleft()
        return job, self._work.process(job)


def is_transient(error: BaseException) -> bool:
    """True if an error may be gone at the next attempt.

    An error about a scene or a setting is permanent, unless a transient system error caused it.
    """
    if not isinstance(error, RefineDetError) or isinstance(error, DiskError):
        return True
    cause = error.__cause__ or error.__context__
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _TRANSIENT:
            return True
        cause = cause.__cause__ or cause.__context__
    return False
