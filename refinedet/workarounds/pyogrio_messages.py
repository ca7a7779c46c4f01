"""GDAL messages on vector files, kept off the console.

Problem: pyogrio turns every GDAL message into a warning: on metadata when it reads, and on a missing reference system
when it writes. Scenes without a position have none. Real errors raise.
Upstream: no report was found; it shows as `'crs' was not provided`, or as RuntimeWarning of a readable file.
Versions: pyogrio 0.13.
Remove: when pyogrio takes a file without a reference system without a warning.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from refinedet.workarounds.warning_filters import changing_filters


@contextmanager
def silent_reading() -> Iterator[None]:
    """Ignore all warnings of Python within the block; they are shared by all threads."""
    with changing_filters():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def missing_crs_allowed() -> Iterator[None]:
    """Ignore the warning of a missing reference system, and no other, within the block."""
    with changing_filters():
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        yield
