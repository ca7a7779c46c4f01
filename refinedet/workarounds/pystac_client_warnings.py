"""Silence of pystac-client on what a server does not say of itself.

Problem: pystac-client warns of each conformance class that a server does not name, though the search works. The
    warnings reach people who cannot change the server.
Upstream: https://github.com/stac-utils/pystac-client/pull/480
Versions: pystac-client 0.7 to 0.9.
Remove: when a client can be told to warn of nothing; today the filters of the process are changed.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from refinedet.workarounds.warning_filters import changing_filters


@contextmanager
def warnings_ignored() -> Iterator[None]:
    """Let the block warn of nothing."""
    with changing_filters():
        warnings.simplefilter("ignore")
        yield
