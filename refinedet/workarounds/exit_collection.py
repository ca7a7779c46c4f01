"""End of the interpreter without a last garbage collection.

Problem: at exit, Python's garbage collector visits all objects once more. With torch and MLflow imported there are
many, which delays the end of a finished command.
Upstream: https://github.com/python/cpython/issues/75739 (`gc.freeze`; it names this effect).
Versions: Python 3.11.
Remove: when Python exits as quickly without it.
"""

from __future__ import annotations

import atexit
import gc


def skip_collection_at_exit() -> None:
    """Leave all objects that live at the end of this process to the operating system."""
    atexit.register(gc.freeze)
