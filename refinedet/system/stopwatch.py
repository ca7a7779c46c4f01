"""Stopwatch of the parts of a run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Stopwatch:
    """Wall seconds of each named part of a run, over one or several threads.

    Parts may run in parallel, so their sum may exceed the time of the run.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        """Seconds by part, in the order of their first start; a running part counts once it ends."""
        self._lock = Lock()
        self._busy: Counter[str] = Counter()
        self._began: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time of the `with` block for the part `name`, even if it ends with an error."""
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
