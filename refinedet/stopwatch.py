"""Where the time of a run goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Stopwatch:
    """Seconds spent in each named part, summed over threads: parts that overlap sum to more than the wall time."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        """By part, in the order in which they began."""
        self._lock = Lock()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """What is done within counts for the part `name`, an error too."""
        with self._lock:
            self.seconds.setdefault(name, 0.0)
        began = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - began
            with self._lock:
                self.seconds[name] += spent
