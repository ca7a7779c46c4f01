"""Keeping freed memory is done where it can be, and never changes a result."""

from __future__ import annotations

import platform
import sys

from refinedet.workarounds.malloc import keep_freed_memory


def test_done_on_glibc_only() -> None:
    on_glibc = sys.platform.startswith("linux") and platform.libc_ver()[0] == "glibc"
    assert keep_freed_memory() is on_glibc
