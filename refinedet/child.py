"""A module of this package in a process of its own: what it loads is gone with it."""

from __future__ import annotations

import os
import subprocess
import sys


def run_module(module: str, *words: str, timeout_s: float | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run `python -m module words...` with this process's Python and import path, without input; output is kept.

    Raises:
        OSError, subprocess.SubprocessError: it cannot be started, or takes longer than `timeout_s`.
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(folder for folder in sys.path if folder)}
    return subprocess.run(  # noqa: S603 - a module of our own
        [sys.executable, "-m", module, *words],
        capture_output=True,
        check=False,
        env=environment,
        stdin=subprocess.DEVNULL,
        timeout=timeout_s,
    )


def last_words(stderr: bytes | None) -> str:
    """The last line that a process wrote to stderr; empty where it wrote nothing."""
    told = (stderr or b"").decode(errors="replace").strip().splitlines()
    return told[-1] if told else ""
