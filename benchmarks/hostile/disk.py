"""A full disk under the pipeline: every stage, DVC and MLflow's store run out of room, again and again.

    python benchmarks/hostile/disk.py                       # as root: on a tmpfs of its own
    unshare -rm python benchmarks/hostile/disk.py           # without root
    python benchmarks/hostile/disk.py --folder /mnt/small   # on any small, empty file system

A project on simulated scenes lies on that disk; a file of ballast leaves a given room. Each stage runs with more and
more room. It must end successfully, or with status 1, one sentence and no leftover file. With room, the same command
must resume to the bytes of an undisturbed run, and the MLflow run must be complete. The exit code is 1 for any other
outcome.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from disk_project import STAGES, Came, Project, fork_stage, preload

ROOMS_KB = (0, 64, 1024, 8192, 16384, 32768, 65536, 131072)
"""Room in kB that is left before each start of a stage, until it ends successfully."""
TRAIN_ROOMS_KB = (*ROOMS_KB[:-1], 57344, 20480, 30720, 45056, ROOMS_KB[-1])
"""Room in kB for training. After its last epoch it needs less: its output may fit where MLflow's record does not."""
_TMPFS_MB = 320
_MOST_MB = 2048
_SHOWN = 170


def main() -> int:
    """Run all cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="an empty folder on a small file system; it will be filled")
    arguments = parser.parse_args()
    preload()
    with tempfile.TemporaryDirectory(prefix="hostile-") as name, _small_disk(arguments.folder) as small:
        reference = Project(Path(name) / "reference")
        print(f"{'stage, kB of room':28} {'outcome':8} {'message':{_SHOWN}}     s")
        wrong = 0
        for stage in STAGES:
            began = time.monotonic()
            came = fork_stage(stage, reference)
            wrong += _row(f"{stage}, no end of room", came, time.monotonic() - began, came.problems())
        wrong += _Run(Project(small / "project"), reference).all()
    print(f"\n{wrong} of the cases did not come out as expected" if wrong else "\nall came out as expected")
    return 1 if wrong else 0


class _Run:
    """All stages of a project on a small disk, against the same project on a large one."""

    def __init__(self, project: Project, reference: Project) -> None:
        self._project, self._reference = project, reference
        self._ballast = project.folder.parent / "ballast"

    def all(self) -> int:
        """Run all stages; returns the number of cases with an unexpected outcome."""
        wrong = sum(self._stage(stage) for stage in STAGES) + self._compared()
        self._project = Project(self._project.folder.with_name("by_dvc"))
        return wrong + self._repro()

    def _stage(self, stage: str) -> int:
        wrong = 0
        for room in TRAIN_ROOMS_KB if stage == "train" else ROOMS_KB:
            self._leave(room)
            began = time.monotonic()
            came = fork_stage(stage, self._project)
            seconds = time.monotonic() - began
            problems = came.problems() + self._project.unsound()
            problems += self._project.traces(stage, self._reference)
            if came.status == 0 and not (self._project.outputs / stage).is_dir():
                problems.append("no output")
            wrong += _row(f"{stage}, {room}", came, seconds, problems)
            if came.status == 0:
                self._leave(None)
                return wrong
        return wrong + _row(f"{stage}, at last", Came(1, ""), 0.0, ["never came to an end"])

    def _repro(self) -> int:
        """Run all stages through DVC: without room, with room for the first stages, and with room for all."""
        wrong = 0
        for room in (64, 1024, 16384, None):
            self._leave(room)
            before = self._project.lock()
            began = time.monotonic()
            came = self._project.dvc("repro")
            problems = self._project.unsound()
            if (came.status == 0) != (room is None) or "Traceback" in came.log:
                problems.append("not the expected outcome")
            if before and not self._project.lock():
                problems.append("dvc.lock is lost")
            wrong += _row(f"dvc repro, {'room' if room is None else room}", came, time.monotonic() - began, problems)
        came = self._project.dvc("status")
        fine = "up to date" in came.log
        return wrong + _row("dvc status", came, 0.0, [] if fine else ["not up to date"])

    def _compared(self) -> int:
        """Compare the MLflow run of the training with that of the undisturbed training."""
        found, wanted = self._project.told(), self._reference.told()
        missing = sorted(wanted - found)
        return _row("MLflow run", Came(0, f"{len(found)} names"), 0.0, [f"lacks {name}" for name in missing])

    def _leave(self, room_kb: int | None) -> None:
        """Fill the disk except for `room_kb`; None: free all of it."""
        self._ballast.unlink(missing_ok=True)
        if room_kb is None:
            return
        count = shutil.disk_usage(self._ballast.parent).free - room_kb * 1024
        with self._ballast.open("wb") as stream, contextlib.suppress(OSError):
            os.posix_fallocate(stream.fileno(), 0, max(0, count))


@contextlib.contextmanager
def _small_disk(folder: Path | None) -> Iterator[Path]:
    """Folder on a small disk: the given one, or a tmpfs that is unmounted at the end."""
    if folder is not None:
        total = shutil.disk_usage(folder).total
        if total > _MOST_MB << 20 or any(folder.iterdir()):
            sys.exit(f"expected an empty folder on a disk of at most {_MOST_MB} MB, which will be filled, at {folder}")
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="hostile-disk-") as name:
        mount, umount = shutil.which("mount"), shutil.which("umount")
        done = mount and subprocess.run([mount, "-t", "tmpfs", "-o", f"size={_TMPFS_MB}m", "tmpfs", name], check=False)
        if not (umount and done and done.returncode == 0):
            sys.exit(
                "cannot mount a tmpfs here: put `unshare -rm` before the command, or name a small disk by --folder"
            )
        try:
            yield Path(name)
        finally:
            subprocess.run([umount, name], check=True)


def _row(title: str, came: Came, seconds: float, problems: list[str]) -> bool:
    outcome = "refused" if came.status else "whole"
    said = re.sub(r"\S*/hostile-[^/]*/", "", came.sentence) if came.status else ""
    said = re.sub(r"[0-9a-f]{32,}", "<key>", said)[:_SHOWN]
    print(f"{title:28} {outcome:8} {said:{_SHOWN}} {seconds:5.1f}", flush=True)
    for problem in problems:
        print(f"WRONG: {problem}", flush=True)
    if problems:
        print(came.log[-2000:], flush=True)
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
