"""pystac-client without warnings of missing conformance classes.

Problem: pystac-client warns of each conformance class that a server does not name, although the search works. Users who
get the warnings cannot change the server.
Upstream: https://github.com/stac-utils/pystac-client/pull/480
Versions: pystac-client 0.7 to 0.9.
Remove: when a client has a switch for its warnings; this file changes the filters of the process.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from refinedet.workarounds.warning_filters import changing_filters


@contextmanager
def warnings_ignored() -> Iterator[None]:
    """Ignore all warnings within the block."""
    with changing_filters():
        warnings.simplefilter("ignore")
        yield
