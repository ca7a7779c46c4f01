"""Tools that the scripts of this folder share: a process watched from outside, medians, and Markdown tables."""

from __future__ import annotations

import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
NO_SAHI = "SAHI is left out: it is not installed; pip install 'refinedet[bench]'"
_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Run:
    """One process, from its start to its end."""

    wall_s: float
    """Seconds with imports and all."""
    peak_mb: float
    """Highest sum of resident memory over it and its children; pages that both share count twice."""
    told: Any
    """JSON that the process printed in its last line."""


def run_watched(command: Sequence[str], limit_s: float = float("inf")) -> Run | None:
    """Run one of our own programs and watch it; returns None if it took longer than `limit_s` and was stopped.

    Raises:
        SystemExit: it failed; its message is on stderr.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as stream:  # a pipe would fill up while nobody reads
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=stream)
        peak = watched(process, limit_s)
        seconds = time.perf_counter() - began
        if peak is None:
            return None
        stream.seek(0)
        return Run(seconds, peak / 1e6, json.loads(stream.read().splitlines()[-1]))


def watched(process: subprocess.Popen[Any], limit_s: float = float("inf")) -> int | None:
    """Highest memory in bytes of a process and its children until it ends; None where it was stopped at `limit_s`.

    Raises:
        SystemExit: it failed.
    """
    family, peak, ends = psutil.Process(process.pid), 0, time.monotonic() + limit_s
    while process.poll() is None:
        if time.monotonic() > ends:
            process.kill()
            process.wait()
            return None
        try:
            peak = max(peak, sum(one.memory_info().rss for one in (family, *family.children(recursive=True))))
        except psutil.NoSuchProcess:
            continue
        time.sleep(_EVERY_S)
    if process.returncode:
        raise SystemExit(f"expected {_shown(process.args)} to end well, found exit code {process.returncode}")
    return peak


def _shown(command: Any) -> str:
    """Command as a reader would type it: file names without folders."""
    return " ".join(Path(word).name for word in map(str, command))


def itself(script: str, *words: object) -> list[str]:
    """The command that runs a benchmark again, as a child of its own."""
    return [sys.executable, script, *map(str, words)]


def median(values: Iterable[float]) -> float:
    """Median of some values."""
    return statistics.median(values)


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a Markdown table, each row as soon as it is known."""
    print(f"| {' | '.join(head)} |\n{'|---' * len(head)}|", flush=True)
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |", flush=True)


def has_sahi() -> bool:
    """Say if SAHI is installed, without loading it."""
    return importlib.util.find_spec("sahi") is not None
