"""Two revisions of `refinedet detect` in turns on one machine: wall time, processor time, memory, and their ratios.

    python benchmarks/speed/against.py v0.2.0                       the working tree against an older revision
    python benchmarks/speed/against.py main~40 --rows demo chips
    python benchmarks/speed/against.py HEAD~1 --quick               tiny inputs, once; the figures mean nothing

The old revision is checked out as a git worktree in a temporary folder, which is removed in the end. Both revisions run
with this Python and its packages, each by its own entry point, with its own weights (`--weights` names others, for
both) and its own cache. Every row is one call of the command line with options that both revisions have. Each revision
runs it once to warm up, then they take turns, old, new, old, new; figures are medians. Processor time is that of the
process and its children. Inputs are simulated, but for the chips of SSDD (REFINEDET_DATA or REFINEDET_MIRROR has its
archive) and the metadata of the product; a row without its data says so. It returns 1 where a call failed.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from against_rows import ROWS, Row
from measuring import ROOT, print_table
from report import machine

from refinedet.files import read_json
from refinedet.system.child import last_words


@dataclass(frozen=True, slots=True)
class Revision:
    """One of the two revisions."""

    name: str
    tree: Path
    cache: Path

    def command(self) -> list[str]:
        """Command that is `refinedet` of this tree."""
        scripts = tomllib.loads((self.tree / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
        module, _, function = scripts["refinedet"].partition(":")
        code = f"import sys; from {module} import {function} as main; sys.argv[0] = 'refinedet'; sys.exit(main())"
        return [sys.executable, "-c", code]


@dataclass(frozen=True, slots=True)
class Run:
    """One call of the command line."""

    wall_s: float
    processor_s: float
    peak_mb: float
    """Peak memory of the process alone."""
    ships: int
    part_s: float | None
    """Seconds of the part that the row is about."""


class Failed(Exception):  # noqa: N818 - it is a state of a row
    """A call that ended with an error."""


def main() -> int:
    """Parse, measure, print; returns 1 where a call failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", help="revision to compare with, as git names it")
    parser.add_argument("--rows", type=names, default=list(ROWS), help=f"of {', '.join(ROWS)}; default: all", nargs="+")
    parser.add_argument("--rounds", type=int, default=5, help="calls of each revision, of which the median is taken")
    parser.add_argument("--weights", type=Path, help="checkpoint for both; default: each has its own")
    parser.add_argument("--quick", action="store_true", help="tiny inputs, once")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the worktree is removed then, too
    rows = [name for part in asked.rows for name in ([part] if isinstance(part, str) else part)]
    with tempfile.TemporaryDirectory() as temporary, checked_out(asked.old, Path(temporary)) as old:
        folder = Path(temporary)
        new = Revision("new", ROOT, folder / "cache-new")
        print("\n".join(f"- {line}" for line in machine()))
        print(f"- old: {revision_of(old.tree)}; new: the working tree of {revision_of(ROOT)}\n")
        lines = Comparison((old, new), folder, asked)
        head = ("row", "wall, s: old", "new", "old / new", "processor, s: old", "new", "old / new")
        print_table((*head, "peak memory, MB: old", "new", "ships: old", "new"), lines.of(rows))
    print(f"\nMedians of {lines.rounds} calls each, in turns, after one that warms up.")
    for name in rows:
        print(f"\n- {name}: {ROWS[name].what}", end="")
    print("\n\nA trial on tiny inputs: its figures mean nothing." if asked.quick else "")
    return int(lines.failed)


def names(text: str) -> list[str]:
    """Names of rows, with commas between.

    Raises:
        argparse.ArgumentTypeError: there is no such row.
    """
    found = [name for name in text.split(",") if name]
    for name in found:
        if name not in ROWS:
            raise argparse.ArgumentTypeError(f"expected rows of {', '.join(ROWS)}, found {name}")
    return found


@contextmanager
def checked_out(revision: str, folder: Path) -> Iterator[Revision]:
    """Check out a revision into a folder, for a while.

    Raises:
        SystemExit: git knows no such revision, or this is no git checkout.
    """
    tree = folder / "old"
    try:
        git(ROOT, "worktree", "add", "--detach", str(tree), revision)
    except subprocess.CalledProcessError as error:
        raise SystemExit(
            f"expected a git revision to compare with, found '{revision}': {last_words(error.stderr)}"
        ) from error
    try:
        yield Revision("old", tree, folder / "cache-old")
    finally:
        git(ROOT, "worktree", "remove", "--force", str(tree))


def git(tree: Path, *words: str) -> str:
    """Output of a git command in a checkout."""
    done = subprocess.run(["git", *words], cwd=tree, capture_output=True, check=True)  # noqa: S607 - the user's own git
    return done.stdout.decode().strip()


def revision_of(tree: Path) -> str:
    """Short hash and subject of what is checked out."""
    return git(tree, "log", "-1", "--format=%h %s")


class Comparison:
    """Rows of the table, each measured when it is asked for."""

    def __init__(self, revisions: tuple[Revision, Revision], folder: Path, asked: argparse.Namespace) -> None:
        self._revisions, self._folder, self._quick = revisions, folder, asked.quick
        self.rounds = 1 if asked.quick else asked.rounds
        self._passed = ["--weights", str(asked.weights.resolve())] if asked.weights else []
        self.failed = False

    def of(self, rows: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """Rows of the table, by name."""
        for name in rows:
            row = ROWS[name]
            folder = self._folder / name
            folder.mkdir()
            scenes = row.make(folder, quick=self._quick)
            if isinstance(scenes, str):
                yield (name, f"left out: {scenes}", *[""] * 9)
                continue
            try:
                runs = self._in_turns(row, scenes, folder)
            except Failed as error:
                self.failed = True
                yield (name, f"failed: {error}", *[""] * 9)
                continue
            yield (name, *cells(runs))
            if row.part is not None:
                yield (f"{name}, {row.part} alone", *part_cells(runs))

    def _in_turns(self, row: Row, scenes: Sequence[Path], folder: Path) -> list[list[Run]]:
        """Runs of each revision, without the first one."""
        runs: list[list[Run]] = [[] for _ in self._revisions]
        for _ in range(self.rounds + 1):
            for revision, of_it in zip(self._revisions, runs, strict=True):
                words = [*map(str, scenes), *row.options, *self._passed]
                of_it.append(run(revision, words, folder / f"found-{revision.name}", row.part))
        return [of_it[1:] for of_it in runs]


def run(revision: Revision, words: Sequence[str], out: Path, part: str | None) -> Run:
    """Call `refinedet detect` of a revision once.

    Raises:
        Failed: it ended with an error.
    """
    command = [*revision.command(), "detect", *words, "--out", str(out), "--overwrite"]
    environment = os.environ | {"PYTHONPATH": str(revision.tree), "REFINEDET_CACHE": str(revision.cache)}
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=revision.tree, env=environment, stdout=subprocess.DEVNULL, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        if process.returncode:
            raise Failed(f"{revision.name} ended with {process.returncode}: {last_words(said.read())}")
    records = [read_json(path) for path in out.rglob("*.run.json")]
    ships = sum(record["counts"]["ships"] for record in records)
    alone = None if part is None else sum(record["time"].get(part, 0.0) for record in records)
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, ships, alone)


def cells(runs: list[list[Run]]) -> list[str]:
    """Cells of a row, behind its name."""
    found = [*compared(runs, lambda one: one.wall_s), *compared(runs, lambda one: one.processor_s)]
    found += [f"{statistics.median(one.peak_mb for one in of_it):.0f}" for of_it in runs]
    return found + [f"{of_it[-1].ships:,}" for of_it in runs]


def part_cells(runs: list[list[Run]]) -> list[str]:
    """Cells of a row on one part of the time, as the records of the runs tell it."""
    return [*compared(runs, lambda one: one.part_s or 0.0), *[""] * 7]


def compared(runs: list[list[Run]], seconds: Callable[[Run], float]) -> list[str]:
    """Median of both revisions and their ratio."""
    old, new = (statistics.median(map(seconds, of_it)) for of_it in runs)
    return [f"{old:.2f}", f"{new:.2f}", f"{old / new:.2f}" if new else "-"]


if __name__ == "__main__":
    sys.exit(main())
