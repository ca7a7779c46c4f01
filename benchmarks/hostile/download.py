"""Hostile servers and archives against stage download: a table of both.

    python benchmarks/hostile/download.py

Stage download fetches a small data set from a web server on loopback, which shows one fault after the other. Each
archive made by hand is unpacked. The outcome must be the whole content, or nothing and one sentence. The exit code is 1
for any other outcome.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import shutil
import sys
import tempfile
import time
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from archives import ARCHIVES, UNPACKED
from server import CASES, WHOLE, Case, Server, running

import pipeline.stages.download as stage
from pipeline.datasets.catalogue import CATALOGUE, ArchiveFile, Source
from pipeline.downloads.extract import extract
from pipeline.params import parse_params
from refinedet.downloads import disk
from refinedet.downloads.fetch import fetch
from refinedet.errors import RefineDetError
from refinedet.files import sha256_tree

_PARAMS = parse_params({"recipe": "tiny", "recipes": {"tiny": {"dataset": "tiny"}}})
_DISK_USAGE = shutil.disk_usage
_MOST_MB = 64
_SHOWN = 150


def main() -> int:
    """Run all cases and print the two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="run only cases whose title contains this")
    only = parser.parse_args().only
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")  # warnings of zipfile about duplicate names
    os.environ["no_proxy"] = "127.0.0.1"
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        folder = Path(name).resolve()
        wrong = _servers(folder, only) + _archives(folder, only)
    print(f"\n{wrong} of the cases did not come out as expected" if wrong else "\nall came out as expected")
    return 1 if wrong else 0


def _row(title: str, expected: str, came: str, seconds: float, *, right: bool) -> None:
    print(
        f"{title:48} {expected:9} {came[:_SHOWN]:{_SHOWN}} {seconds:5.1f} {'' if right else 'WRONG'}".rstrip(),
        flush=True,
    )


def _servers(folder: Path, only: str) -> int:
    content = folder / "published" / "tiny-master"
    content.mkdir(parents=True)
    noise = random.Random(1)  # noqa: S311 - bytes that do not pack
    for number in range(3):
        (content / f"{number}.bin").write_bytes(noise.randbytes(100_000))
    packed = folder / "tiny.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(content.iterdir()):
            archive.write(path, f"tiny-master/{path.name}")
    right = sha256_tree(content)
    archives = (ArchiveFile("tiny.zip", None, folder="tiny-master", sha256=right),)
    cast("dict[str, Source]", CATALOGUE)["tiny"] = Source(archives, licence="", citation="", splits={})
    print(f"{'the server ...':48} {'expected':9} {'outcome':{_SHOWN}}     s")
    wrong = 0
    for number, case in enumerate(case for case in CASES if only in case.title):
        with running() as server:
            server.content, server.way = packed.read_bytes(), case.way
            wrong += _download(case, server, folder / f"case{number}", right)
    return wrong


def _download(case: Case, server: Server, folder: Path, right: str) -> bool:
    """Try one case; true if its outcome is not the expected one."""
    stage.fetch = lambda url, target, access: fetch(url, target, case.retry, access)
    disk.shutil.disk_usage = _usage(folder.parent, case.room_bytes)
    out, cache, sentence = folder / "out", folder / "cache", ""
    began = time.monotonic()
    for _ in range(case.runs):
        try:
            sentence = ""
            stage.download(_PARAMS, out, mirror=f"http://127.0.0.1:{server.server_port}", cache=cache)
        except RefineDetError as error:
            sentence = str(error)
    seconds = time.monotonic() - began
    kept = sorted(path.name for path in cache.iterdir()) if cache.is_dir() else []
    if sentence:
        came, fine = sentence.replace(str(folder), "").replace(f":{server.server_port}", ""), not out.exists()
        fine = fine and case.says in sentence and "\n" not in sentence and "tiny.zip" not in kept
    else:
        (out / "source.json").unlink()
        came = f"whole, asked {server.asked} time{'s' * (server.asked > 1)}"
        fine = sha256_tree(out) == right and kept == ["tiny.zip"]
    fine = fine and (case.expected == WHOLE) == (not sentence) and seconds >= case.least_s
    fine = fine and (not folder.is_dir() or {path.name for path in folder.iterdir()} <= {"out", "cache", ".cache.lock"})
    _row(case.title, case.expected, came, seconds, right=fine)
    return not fine


def _usage(folder: Path, room: int | None) -> Callable[[Path], Any]:
    """Stand-in for `shutil.disk_usage` on a disk with `room` free bytes; None: the real one."""
    if room is None:
        return _DISK_USAGE
    before = _DISK_USAGE(folder).free
    return lambda path: SimpleNamespace(free=room + disk.SPARE_BYTES - before + _DISK_USAGE(path).free)


def _archives(folder: Path, only: str) -> int:
    disk.shutil.disk_usage = _DISK_USAGE
    print(f"\n{'the archive':48} {'expected':9} {'outcome':{_SHOWN}}     s")
    wrong = 0
    for number, (title, (expected, make)) in enumerate(ARCHIVES.items()):
        if only not in title:
            continue
        place = folder / f"archive{number}"
        (place / "folder").mkdir(parents=True)
        make(place / "archive")
        sentence, seconds, megabytes = _unpack(place)
        found = [path for path in sorted((place / "folder").rglob("*")) if path.is_file()]
        fine = (expected == UNPACKED) == (not sentence) and "\n" not in sentence and megabytes < _MOST_MB
        fine = fine and sorted(path.name for path in place.iterdir()) == ["archive", "folder"]
        fine = fine and sum(path.stat().st_size for path in found) < 1 << 20
        fine = fine and all(path.stat().st_mode & 0o7111 == 0 for path in found)
        came = sentence.replace(f"{place}/", "") or f"unpacked: {', '.join(path.name for path in found)}"
        _row(title, expected, came, seconds, right=fine)
        wrong += not fine
        shutil.rmtree(place)
    return wrong


def _unpack(place: Path) -> tuple[str, float, float]:
    """Unpack an archive; returns the sentence of a refusal, seconds, and peak memory in megabytes."""
    tracemalloc.start()
    began, sentence = time.monotonic(), ""
    try:
        extract(place / "archive", place / "folder")
    except RefineDetError as error:
        sentence = str(error)
    seconds, highest = time.monotonic() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return sentence, seconds, highest / 1e6


if __name__ == "__main__":
    sys.exit(main())
