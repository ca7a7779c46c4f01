"""GDAL's remarks on vector files, kept from the console.

Problem: pyogrio passes every remark of GDAL on as a warning: of metadata as it reads, and of a missing reference system
    as it writes. Scenes without a position have none. What matters raises.
Upstream: no report was found; it shows as `'crs' was not provided`, or as RuntimeWarning of a readable file.
Versions: pyogrio 0.13.
Remove: when pyogrio takes a file without a reference system in silence.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silent_reading() -> Iterator[None]:
    """Ignore all warnings of Python inside; they belong to all threads at once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def missing_crs_allowed() -> Iterator[None]:
    """Ignore the warning of a missing reference system inside, and no other."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        yield
