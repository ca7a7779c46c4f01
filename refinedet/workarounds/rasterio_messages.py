"""GDAL messages with undecodable bytes, kept off the console.

Problem: if GDAL quotes bytes of a damaged file, rasterio's callback for messages cannot decode them, and cannot raise.
It prints the error twice: as uncaught, without a traceback, and as unraisable. The error of the file is raised anyway.
Upstream: https://github.com/rasterio/rasterio/issues/3128
Versions: rasterio 1.4.
Remove: when that issue is closed.
"""

from __future__ import annotations

import sys
from functools import cache
from types import TracebackType


@cache
def hush_broken_messages() -> None:
    """Install hooks that drop these two prints, and nothing else; once for the process."""
    uncaught, unraisable = sys.excepthook, sys.unraisablehook

    def uncaught_hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not (kind is UnicodeDecodeError and trace is None):
            uncaught(kind, error, trace)

    def unraisable_hook(event: sys.UnraisableHookArgs) -> None:
        if not (isinstance(event.exc_value, UnicodeDecodeError) and "rasterio" in repr(event.object)):
            unraisable(event)

    sys.excepthook, sys.unraisablehook = uncaught_hook, unraisable_hook
