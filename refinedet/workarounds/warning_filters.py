"""Warning filters, changed by one thread at a time.

Problem: the filters belong to the process. If two threads change them at once, the first to end removes the filter of
the other, and the last to end leaves its own behind.
Upstream: https://github.com/python/cpython/issues/91505
Versions: Python 3.11 to 3.14; from 3.14 on, `-X context_aware_warnings` gives each thread its own filters.
Remove: when each thread has its own filters by default in all supported versions.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

_ONE = RLock()


@contextmanager
def changing_filters() -> Iterator[None]:
    """Let the block change the filters, and restore them afterwards; blocks of other threads wait."""
    with _ONE, warnings.catch_warnings():
        yield
