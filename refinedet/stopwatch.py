"""Where the time of a run goes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Stopwatch:
    """Wall seconds in which each named part was worked on, by one thread or by several.

    Different parts go on side by side: together they may take more than the run.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        """By part, in the order in which they began; of one that goes on, what ended before."""
        self._lock = Lock()
        self._busy: Counter[str] = Counter()
        self._began: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """What is done within counts for the part `name`, an error too."""
        with self._lock:
            self.seconds.setdefault(name, 0.0)
            if not self._busy[name]:
                self._began[name] = time.perf_counter()
            self._busy[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy[name] -= 1
                if not self._busy[name]:
                    self.seconds[name] += time.perf_counter() - self._began[name]
