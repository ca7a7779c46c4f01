"""Time of DVC on many small chips, as single files and packed into shards: add, then checkout.

    python benchmarks/speed/shards.py --chips 50000

Each way is a DVC project with its own cache, in one temporary folder. Chips are random bytes of the size of a small
PNG: their content does not matter to DVC, their number does.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from refinedet.data.shards import ShardWriter, open_chip

_READS = 2000


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chips", type=int, default=50_000)
    parser.add_argument("--bytes", type=int, default=8192, help="size of a chip")
    parser.add_argument("--folder", type=Path, default=None, help="where to work; a temporary folder by default")
    arguments = parser.parse_args()
    root = Path(tempfile.mkdtemp(dir=arguments.folder))
    try:
        seconds = {way: measure(root / way, way, arguments.chips, arguments.bytes) for way in ("files", "shards")}
    finally:
        shutil.rmtree(root)
    print(f"{arguments.chips} chips of {arguments.bytes} bytes")
    print("| step | one file each, s | shards, s | ratio |\n|---|---|---|---|")
    for step in seconds["files"]:
        files, shards = (seconds[way][step] for way in ("files", "shards"))
        print(f"| {step} | {files:.2f} | {shards:.2f} | {files / shards:.1f} |", flush=True)


def measure(folder: Path, way: str, count: int, size: int) -> dict[str, float]:
    """Seconds of each step; `way` is files or shards."""
    folder.mkdir()
    _run(folder, "git", "init", "-q")
    _run(folder, *_DVC, "init", "-q")
    for setting in ("core.analytics", "core.check_update"):
        _run(folder, *_DVC, "config", "-q", setting, "false")
    seconds = {"write": _timed(lambda: write(folder / "chips", way, count, size))}
    seconds["dvc add"] = _timed(lambda: _run(folder, *_DVC, "add", "-q", "chips"))
    shutil.rmtree(folder / "chips")
    seconds["dvc checkout"] = _timed(lambda: _run(folder, *_DVC, "checkout", "-q", "chips.dvc"))
    seconds["dvc status"] = _timed(lambda: _run(folder, *_DVC, "status", "-q"))
    order = np.random.default_rng(1).integers(0, count, _READS)
    seconds[f"{_READS} chips read at random"] = _timed(lambda: read(folder / "chips", order.tolist(), size))
    return seconds


def write(folder: Path, way: str, count: int, size: int) -> None:
    """Make the chips of split train."""
    (folder / "train").mkdir(parents=True)
    rng = np.random.default_rng(0)
    if way == "files":
        for index in range(count):
            (folder / _name(index)).write_bytes(rng.bytes(size))
        return
    with ShardWriter(folder, "train") as shards:
        for index in range(count):
            shards.write(_name(index), rng.bytes(size))


def read(folder: Path, order: list[int], size: int) -> None:
    """Read chips by name, as training does."""
    for index in order:
        with open_chip(folder / _name(index)) as stream:
            assert len(stream.read()) == size


def _name(index: int) -> str:
    return f"train/{index:06d}.png"


_DVC = (sys.executable, "-m", "dvc")


def _run(folder: Path, *words: str) -> None:
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    subprocess.run(words, cwd=folder, check=True, env=environment, stdout=subprocess.DEVNULL)


def _timed(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
