"""Status of an archive: a text file of JSON lines that only grows, and from which an interrupted run resumes.

The first line names the settings and workers of the results. Each further line reports one scene: `scene`, `state`
(done, skipped, failed), `attempts`, `seconds`, `ended` (UTC), `ships`, `files` (relative to the folder of the
status), `error`, `worker`. The last line of a scene counts. One process writes the file. A kill damages at most the
last line, and the next run removes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from refinedet.batch.engine import Job, Report
from refinedet.cloud.scene import Scene
from refinedet.errors import FileError, InputError
from refinedet.files import full_disk_told
from refinedet.system.line_log import LineLog, open_line_log
from refinedet.system.resuming import differences
from refinedet.utc import utc_text
from refinedet.wording import first_of

NAME = "archive.jsonl"
_TITLES = "refinedet archive "
_TITLE = f"{_TITLES}2"


@dataclass(frozen=True, slots=True)
class FinishedScene:
    """Ships and files of a finished scene, from the status file."""

    ships: int
    files: tuple[str, ...]


class SceneArchiveStatus:
    """Status file in use. Made by `open_status`."""

    def __init__(self, path: Path, log: LineLog) -> None:
        self.path, self._log = path, log
        self._finished: dict[str, FinishedScene] = {}  # absolute name -> scene whose last line is no failure
        self._head: dict[str, Any] | None = None
        self._other_title: str | None = None
        self._read()

    @property
    def replaces(self) -> bool:
        """True if the run that began this file had to replace older results."""
        return bool(self._head and self._head["replaces"])

    @property
    def files(self) -> list[str]:
        """Files of all finished scenes, relative to the folder of the status."""
        return [file for scene in self._finished.values() for file in scene.files]

    def finished(self, scene: Scene) -> FinishedScene | None:
        """Ships and files of a scene; None if it is not finished."""
        return self._finished.get(_key(scene))

    def files_exist(self, scene: FinishedScene) -> bool:
        """True if every file that was written for a scene still exists."""
        return all((self.path.parent / file).is_file() for file in scene.files)

    def check(self, run: Mapping[str, Any]) -> None:
        """Compare the settings and workers of this run, or a part of them, with the first line.

        Raises:
            InputError: other settings, workers or code, or another version, made the results in this folder.
        """
        if self._other_title is not None:
            raise InputError(
                f"expected the status of an archive of this version ({_TITLE}) at {self.path}, found that of another "
                f"version ({self._other_title}), which cannot be continued; name another `out`, or replace all results "
                "with `overwrite`"
            )
        changed = differences(self._head["run"], _plain(run)) if self._head else []
        changed = [change.removeprefix("asked.") for change in changed]
        if changed:
            raise InputError(
                f"expected the results beside {self.path} to be made as this call would, found others "
                f"({first_of(changed, mark='; ')}); name another `out`, or replace all of them with `overwrite`"
            )

    def begin(self, run: Mapping[str, Any], *, replaces: bool) -> None:
        """Continue the file; start a new one if it is empty or if older results are to be replaced.

        Raises:
            InputError: as `check`.
            FileError: the file cannot be written.
        """
        if not replaces:
            self.check(run)
            if self._head:
                return
        self._log.cut(0)
        self._finished.clear()
        self._other_title = None
        self._head = {"title": _TITLE, "run": _plain(run), "replaces": replaces}
        self._add(self._head)

    def add(self, job: Job, report: Report) -> None:
        """Write the final report of a scene.

        Raises:
            FileError: it cannot be written.
        """
        root = self.path.parent
        files = tuple(file.relative_to(root).as_posix() for file in report.files)
        line = {
            "scene": _key(job.scene),
            "state": report.state,
            "attempts": job.attempt,
            "seconds": round(report.seconds, 2),
            "ended": utc_text(datetime.now(UTC)),
            "ships": report.ships,
            "files": files,
            "error": report.error,
            "worker": report.worker,
        }
        self._add(line)
        self._take(line)

    def _add(self, content: Mapping[str, Any]) -> None:
        line = json.dumps(content, sort_keys=True, ensure_ascii=False).encode() + b"\n"
        try:
            with full_disk_told(self.path):
                self._log.add(line)
        except OSError as error:
            if isinstance(error, FileError):
                raise
            raise FileError(
                f"expected to write {self.path}, but that failed ({error.strerror}); run the same again to go on"
            ) from error

    def _take(self, line: Mapping[str, Any]) -> None:
        if line["state"] == "failed":
            self._finished.pop(line["scene"], None)
        else:
            self._finished[line["scene"]] = FinishedScene(line["ships"], tuple(line["files"]))

    def _read(self) -> None:
        end = 0
        with self._log.reading() as stream:
            for number, text in enumerate(stream):
                if not text.endswith(b"\n"):
                    break  # damaged by a kill
                try:
                    line = json.loads(text)
                    if not number:
                        self._other_title = _other_title(line)
                        if self._other_title is not None:
                            return  # the file stays as it is, unless `begin` replaces it
                        self._head = _checked_head(line)
                    else:
                        self._take(line)
                except (ValueError, KeyError, TypeError, RecursionError) as error:
                    raise FileError(
                        f"expected the status of an archive at {self.path}, found something else in line {number + 1}; "
                        "move it away, or name another `out`"
                    ) from error
                end += len(text)
        self._log.cut(end)


@contextmanager
def open_status(path: Path) -> Iterator[SceneArchiveStatus]:
    """Open or create a status file, and lock it.

    At the end, an empty file is removed, together with a folder that was created for it.

    Raises:
        FileError: the file cannot be used, another run writes it, or it is no status file.
    """
    with open_line_log(path, "the status of the archive", "name another `out`") as log:
        yield SceneArchiveStatus(path, log)


def _other_title(line: Any) -> str | None:
    """Title of a status that another version of refinedet wrote; None for any other file."""
    title = line["title"]
    return title if title != _TITLE and str(title).startswith(_TITLES) else None


def _checked_head(line: Any) -> dict[str, Any]:
    if line["title"] != _TITLE or not isinstance(line["run"], dict):
        raise ValueError(line)
    return {"run": line["run"], "replaces": bool(line["replaces"])}


def _plain(run: Mapping[str, Any]) -> dict[str, Any]:
    """Convert to plain JSON values: tuples become lists, paths become text."""
    plain: dict[str, Any] = json.loads(json.dumps(run, default=str))
    return plain


def _key(scene: Scene) -> str:
    return str(scene.absolute())
