"""NNCF without its messages between our results.

Problem: NNCF logs at level INFO, prints progress bars to stdout, and has torch look for CUDA, which warns.
Upstream: no report was found; `nncf.set_log_level` is its own switch, and the bars have none.
Versions: NNCF 3.4, torch 2.14.
Remove: when bars have a switch, and the import of NNCF does not load torch's compiler of extensions.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any


def hush_import() -> None:
    """Silence the warning of a missing CUDA; call this before NNCF is imported."""
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)


@contextmanager
def silent(nncf: Any) -> Iterator[None]:
    """Run the module nncf without its log and its progress bars."""
    nncf.set_log_level(logging.ERROR)
    with redirect_stdout(io.StringIO()):
        yield
