"""Filters of warnings, changed by one thread at a time.

Problem: the filters belong to the process. If two threads change them at once, the one that ends first takes the filter
    of the other one away, and the one that ends last leaves its own behind.
Upstream: https://github.com/python/cpython/issues/91505
Versions: Python 3.11 to 3.14; from 3.14 on `-X context_aware_warnings` gives each thread its own.
Remove: when each thread has its own by default in every version that we support.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

_ONE = RLock()


@contextmanager
def changing_filters() -> Iterator[None]:
    """Let the block change the filters, which are as before after it; blocks of other threads wait."""
    with _ONE, warnings.catch_warnings():
        yield
