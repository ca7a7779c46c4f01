"""Reuse of freed memory by the C library for the next tensor.

Problem: glibc maps new memory for every large tensor, and returns it at once. Each page is then zeroed and faulted in
again. A training step of EfficientNet-Lite0 at 512 x 384, batch 16, spent more time there than in convolutions.
Upstream: https://github.com/pytorch/pytorch/pull/55675 proposed an allocator of torch's own, and was closed.
Versions: glibc 2.36, torch 2.14.
Remove: when torch keeps freed memory of the processor, as it does that of a GPU.
"""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
"""Names of glibc's malloc.h, see mallopt(3)."""

_NEVER = -1
"""Trim threshold without a limit; any number would be less than a training of 3 GB frees in a step."""
_TOP_PAD_BYTES = 256 << 20


def keep_freed_memory() -> bool:
    """Let the C library keep freed blocks for the next use, rather than return them to the system at once.

    Returns:
        True if it was done, on Linux with glibc; elsewhere nothing changes.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, _NEVER), (_M_TOP_PAD, _TOP_PAD_BYTES))
    return all(mallopt(name, value) == 1 for name, value in settings)
