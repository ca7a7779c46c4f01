"""Hostile files for `detect`: tries each file, and counts the outcomes.

    python benchmarks/hostile/scenes.py --mutants 2200

A process opens each file, samples it and reads it in a few places, as detection would. It is watched: reads and writes
(by `strace` where it is installed, and by comparing the folder), time, memory, and whether the process lives. The exit
code is 1 if a file wrote, read elsewhere, crashed, hung, or gave anything but one sentence.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SLOWEST_S = 10.0
MOST_MB = 1500
_CALLS = (
    "open,openat,openat2,creat,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,link,linkat,symlink,symlinkat"
)
_OPEN = re.compile(r'open(?:at2?)?\((?:AT_FDCWD, )?"(?P<path>[^"]*)", (?P<flags>[^)]*)\) = \d')
_CHANGE = re.compile(r'(?:creat|unlink|unlinkat|rename\w*|mkdir\w*|link|linkat|symlink\w*)\(.*"(?P<path>[^"]*)".* = 0')
_GOOD = ("read", "refused")


def main() -> int:
    """Try all files and print the outcomes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=2200, help="number of damaged files, beside those made by hand")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant, to repeat one")
    parser.add_argument("--only", default="", help="try only those files made by hand whose title has this")
    parser.add_argument("--keep", type=Path, help="folder for the mutants that did harm")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        _work()
        return 0
    from crafted import CRAFTED, outside
    from mutants import Mutants

    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        folder = Path(name).resolve() / "files"
        outside(folder / "outside")
        run = _Run(folder, arguments.keep)
        print("made by hand")
        for number, (title, make) in enumerate(CRAFTED.items()):
            place = folder / f"{number:02d}"
            if arguments.only not in title:
                continue
            place.mkdir()
            run.look(title, make(place, folder / "outside"), show=True)
        by_hand = Counter(run.outcomes)
        mutants, tiffs = Mutants(arguments.seed), 0
        for number in range(arguments.first, arguments.first + arguments.mutants):
            mutant = mutants.make(number)
            tiffs += mutant.is_tiff
            (folder / "mutant.tif").write_bytes(mutant.content)
            run.look(mutant.name, folder / "mutant.tif", show=False)
        run.close()
        _print_counts("made by hand", by_hand)
        _print_counts(f"mutants ({tiffs} TIFF, {arguments.mutants - tiffs} PNG and JPEG)", run.outcomes - by_hand)
        run.print_findings()
        return 1 if set(run.outcomes) - set(_GOOD) else 0


@dataclass
class _Run:
    """Runner that hands files to a worker, one after the other, and starts a new worker after a crash or hang."""

    folder: Path
    keep: Path | None
    outcomes: Counter[str] = field(default_factory=Counter)
    sentences: Counter[str] = field(default_factory=Counter)
    harm: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    highest_mb: int = 0
    _worker: subprocess.Popen[str] | None = None
    _log: Path | None = None
    _read: int = 0

    def look(self, title: str, path: Path, *, show: bool) -> None:
        """Have the worker read one file, and count the outcome."""
        self._started()
        before = _content(self.folder)
        began = time.perf_counter()
        answer = self._ask(path)
        seconds = time.perf_counter() - began
        outcome, sentence = answer["outcome"], answer.get("sentence", "")
        touched = list(self._touched())
        if _content(self.folder) != before:
            touched.append("the folder is not what it was")
        if touched:
            outcome, sentence = "touched", "; ".join(touched)
        elif answer.get("mb", 0) > MOST_MB:
            outcome, sentence = "swelled", f"{answer['mb']} MB"
        self.outcomes[outcome] += 1
        self.slowest = max(self.slowest, (seconds, title))
        self.highest_mb = max(self.highest_mb, answer.get("mb", 0))
        plain = sentence.replace(str(self.folder), "").replace("\n", "\\n")
        self.sentences[re.sub(r"[\d,.'x/]*\d[\d,.']*", "N", plain)] += outcome == "refused"
        if show:
            print(f"  {title:42} {outcome:8} {plain[:250]}", flush=True)
        if outcome not in _GOOD:
            self.harm.append(f"{title}: {outcome}: {plain}")
            if self.keep and path.is_file():
                self.keep.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, self.keep / f"{title[:6].strip()}.tif")

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            os.killpg(self._worker.pid, signal.SIGKILL)  # strace and what it watches
            self._worker.wait()
            self._worker = None

    def print_findings(self) -> None:
        """Print the slowest file, the highest memory, the commonest sentences, and all harm."""
        print(f"slowest: {self.slowest[0]:.2f} s ({self.slowest[1]}); highest memory of a worker: {self.highest_mb} MB")
        watched = (
            "strace and the folder's content" if shutil.which("strace") else "the folder's content (no strace here)"
        )
        print(f"reads and writes watched by {watched}")
        print("commonest sentences:")
        for sentence, count in self.sentences.most_common(12):
            print(f"  {count:5d}  {sentence[:200]}")
        for line in self.harm:
            print(f"HARM  {line}")

    def _ask(self, path: Path) -> dict[str, Any]:
        worker = self._started()
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(f"{path}\n")
        worker.stdin.flush()
        ready, _, _ = select.select([worker.stdout], [], [], SLOWEST_S)
        line = worker.stdout.readline() if ready else ""
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        self.close()
        if ready:
            return {"outcome": "crashed", "sentence": f"the process ended with {worker.returncode}"}
        return {"outcome": "hung", "sentence": f"nothing within {SLOWEST_S:g} s"}

    def _started(self) -> subprocess.Popen[str]:
        if self._worker is None:
            command = [sys.executable, str(Path(__file__)), "--worker"]
            if shutil.which("strace"):
                self._log, self._read = self.folder.parent / "trace.txt", 0
                trace = ["-f", "-qq", "-s", "500", "--seccomp-bpf", "--signal=none", "-e", f"trace={_CALLS}"]
                command = ["strace", *trace, "-o", str(self._log), *command]
            self._worker = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=self.folder,
                start_new_session=True,
                env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            )
            assert self._worker.stdout is not None
            assert self._worker.stdout.readline() == "ready\n"
            list(self._touched())  # what starting up touched
        return self._worker

    def _touched(self) -> Iterator[str]:
        """Lines on all that the worker wrote, and read outside of the scene, since the last call."""
        if self._log is None or not self._log.exists():
            return
        with self._log.open(errors="replace") as stream:
            stream.seek(self._read)
            lines = stream.readlines()
            self._read = stream.tell()
        for line in lines:
            opened, changed = _OPEN.search(line), _CHANGE.search(line)
            if opened:
                path, writes = opened["path"], any(f in opened["flags"] for f in ("WRONLY", "RDWR", "CREAT", "TRUNC"))
                if writes and path != "/dev/null":
                    yield f"wrote {path}"
                elif path.startswith(str(self.folder / "outside")) or path in ("/etc/passwd", "/dev/zero"):
                    yield f"read {path}"
                elif path.startswith(str(self.folder)) and "/outside/" in os.path.realpath(path):
                    yield f"read {path}, a link out of the product"
            elif changed:
                yield f"changed {changed['path']}"


def _content(folder: Path) -> list[tuple[str, int, int]]:
    """Names, sizes and times of everything in a folder."""
    return sorted((str(p), p.lstat().st_size, p.lstat().st_mtime_ns) for p in folder.rglob("*"))


def _print_counts(title: str, outcomes: Counter[str]) -> None:
    names = dict.fromkeys((*_GOOD, "touched", "crashed", "hung", "swelled", "escaped", *outcomes))
    words = {"read": "read fine", "refused": "refused with one sentence", "touched": "wrote or read elsewhere"}
    words |= {"swelled": f"above {MOST_MB} MB", "escaped": "other than one sentence"}
    counts = ", ".join(f"{outcomes[name]} {words.get(name, name)}" for name in names)
    print(f"{title}: {sum(outcomes.values())} files: {counts}")


def _work() -> None:
    """Read the scene at each path that comes on stdin, and answer in one line of JSON."""
    from refinedet.errors import RefineDetError

    _look(ROOT / "nothing.tif", missing=True)  # all imports
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            _look(Path(line.rstrip("\n")))
            answer = {"outcome": "read"}
        except RefineDetError as error:
            one = "\n" not in str(error)
            answer = {"outcome": "refused" if one else "escaped", "sentence": str(error)}
        except Exception as error:  # noqa: BLE001 - that is what is counted
            answer = {"outcome": "escaped", "sentence": f"{type(error).__name__}: {error}"}
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(json.dumps(answer | {"mb": used}), flush=True)


def _look(path: Path, *, missing: bool = False) -> None:
    """Read a scene as detection does, without a network."""
    import numpy as np

    from refinedet.config import Radiometry
    from refinedet.errors import FileError
    from refinedet.geo.position import locate
    from refinedet.scene.source import open_source
    from refinedet.stretch.stretch_limits import scene_limits
    from refinedet.stretch.stretching import Stretch
    from refinedet.tiling import Window

    try:
        with open_source(path) as reader:
            info = reader.info
            limits = scene_limits(reader.sample(), info.dtype, info.nodata, Radiometry())
            side = 512
            for part in (0.0, 0.5, 1.0):
                high, wide = min(side, info.height), min(side, info.width)
                window = Window(int(part * (info.height - high)), int(part * (info.width - wide)), high, wide)
                Stretch(info, limits)(reader.read(window), window)
        position = locate(info)
        if position is not None:
            position.lonlat(np.array([[0.0, 0.0], [info.width, info.height]]))
    except FileError:
        if not missing:
            raise


if __name__ == "__main__":
    sys.exit(main())
