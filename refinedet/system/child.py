"""Run of a module of this package in a child process, which frees its memory at the end."""

from __future__ import annotations

import os
import subprocess
import sys


def run_module(module: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run `python -m module words...` with this process's Python and import path, without input; output is kept.

    Raises:
        OSError: the process cannot be started.
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(folder for folder in sys.path if folder)}
    return subprocess.run(  # noqa: S603 - a module of our own
        [sys.executable, "-m", module, *words],
        capture_output=True,
        check=False,
        env=environment,
        stdin=subprocess.DEVNULL,
    )


def last_words(stderr: bytes | None) -> str:
    """Last line that a process wrote to stderr; empty if it wrote nothing."""
    lines = (stderr or b"").decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
