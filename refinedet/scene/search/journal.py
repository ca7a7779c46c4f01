"""Journal of the finished windows of a run, from which an interrupted run resumes.

A journal is a text file; each line is a CRC-32 and compact JSON. The first line is the identity of the run: the content
of the scene, the detector, settings and code. Each further line holds the windows of one batch. A killed process
damages at most the last line, and the next run cuts this line off.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from refinedet.detections import Detections
from refinedet.errors import FileError, InputError
from refinedet.scene.identity import RunIdentity
from refinedet.system.line_log import LineLog, open_line_log
from refinedet.system.resuming import differences
from refinedet.wording import first_of

FinishedWindows = Mapping[int, Detections | None]
"""Number of a window in its grid -> detections in pixels of the network; None for a window that was skipped."""

_TITLE = "refinedet journal 2"


@dataclass(frozen=True, slots=True)
class Journal:
    """File of the finished windows of a run, and the detector that made them.

    Pass it to `detect_scene`, and call `discard` once the results are written. The next run on the same scene with the
    same settings resumes from the windows in the file. Only one run at a time may use a journal.
    """

    path: Path
    detector: Mapping[str, Any] = field(default_factory=dict)
    """Everything that decides the predictor's detections, as JSON values: the hash of its weights, its thresholds.
    A journal of another detector is an error."""
    restart: bool = False
    """Discard the file of an earlier run, whatever it holds."""

    def count(self) -> int:
        """Count the windows in the file as it is on the disk; 0 if there is no file."""
        if not self.path.exists():
            return 0
        return sum(len(content) for content, _ in _whole_lines(self.path, self.path.read_bytes())[1:])

    def left(self) -> int:
        """Count the windows of an earlier run from which the next run resumes."""
        return 0 if self.restart else self.count()

    def discard(self) -> None:
        """Remove the file, if there is one."""
        self.path.unlink(missing_ok=True)


class OpenJournal:
    """Open journal: its finished windows, and methods to add more. `open_journal` makes it."""

    def __init__(self, path: Path, log: LineLog, head: Callable[[], Any]) -> None:
        self.finished: dict[int, Detections | None] = {}
        """Windows that an earlier run has left."""
        self.grown = False
        """True once this run has added windows."""
        self._path, self._log = path, log
        self._head: Callable[[], Any] | None = head

    def append(self, windows: FinishedWindows) -> None:
        """Keep the windows of one batch.

        Raises:
            FileError: the disk is full or failing; the windows kept before are still there.
            Any error of the function that gives the identity.
        """
        if self._head:
            self._add(self._head())
            self._head = None
        self._add([[index, _plain(one)] for index, one in sorted(windows.items())])
        self.grown = True

    def part(self, first: int, count: int) -> JournalPart:
        """Part for a search of `count` windows, which are numbered from `first` here."""
        return JournalPart(self, first, count)

    def go_on(self, lines: Sequence[Any]) -> None:
        """Continue with the lines of an earlier run; the first line is its identity."""
        self._head = None
        self.finished = {index: _detections(one) for line in lines[1:] for index, one in line}

    def _add(self, content: Any) -> None:
        """Write one line, or nothing of it."""
        try:
            self._log.add(_line(content))
        except OSError as error:
            raise FileError(
                f"expected to keep finished windows in {self._path}, but that failed ({error.strerror}); make room and "
                "run the same again: it goes on from those kept so far"
            ) from error


class JournalPart:
    """Part of a journal for one of several searches; its windows are numbered from 0."""

    def __init__(self, journal: OpenJournal, first: int, count: int) -> None:
        self._journal, self._first = journal, first
        self.finished: FinishedWindows = {
            index - first: found for index, found in journal.finished.items() if first <= index < first + count
        }
        """Windows that an earlier run has left."""

    def append(self, windows: FinishedWindows) -> None:
        """Keep the windows of one batch, as `OpenJournal.append` does.

        Raises:
            As `OpenJournal.append`.
        """
        self._journal.append({self._first + index: found for index, found in windows.items()})


@contextmanager
def open_journal(journal: Journal, identity: Callable[[], RunIdentity]) -> Iterator[OpenJournal]:
    """Open and lock the journal of a run with this identity; create the file if there is none.

    A new journal calls `identity` only when there are windows to keep, because hashing a scene takes time. A journal
    without a finished window is removed at the end, together with a folder that was made for it.

    Raises:
        FileError: the file cannot be used, is in use by another run, or is no journal.
        InputError: it belongs to another scene, other weights, other settings or other code.
    """
    path = journal.path

    def head() -> Any:
        return {"title": _TITLE, "identity": identity().to_dict()}

    with open_line_log(path, "finished windows", "name another folder for results") as log:
        with log.reading() as stream:
            lines = [] if journal.restart else _whole_lines(path, stream.read())
        opened, goes_on = OpenJournal(path, log, head), bool(lines)
        if goes_on:
            _check(path, lines[0][0]["identity"], head()["identity"])
            opened.go_on([content for content, _ in lines])
        log.cut(lines[-1][1] if goes_on else 0)
        try:
            yield opened
        finally:
            if not (opened.finished or opened.grown):
                log.cut(0)


def _whole_lines(path: Path, text: bytes) -> list[tuple[Any, int]]:
    """Contents of the lines of a file up to the first damaged one, each with the offset of its end."""
    lines: list[tuple[Any, int]] = []
    end = 0
    for line in text.splitlines(keepends=True):
        content = _content(line)
        if content is None:
            break
        end += len(line)
        lines.append((content, end))
    head = lines[0][0] if lines else None
    if not (isinstance(head, dict) and head.get("title") == _TITLE) and text:
        raise FileError(
            f"expected a journal of this version of refinedet at {path}, found something else; move it away, or "
            "discard it with `restart`"
        )
    return lines


def _line(content: Any) -> bytes:
    text = _json(content).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _content(line: bytes) -> Any:
    """Content of a line; None if it is torn or damaged."""
    checksum, _, text = line.removesuffix(b"\n").partition(b" ")
    whole = line.endswith(b"\n") and checksum == b"%08x" % zlib.crc32(text)
    return json.loads(text) if whole else None


def _json(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"), sort_keys=True, allow_nan=False)


def _plain(found: Detections | None) -> list[list[Any]] | None:
    """Convert to JSON values, whose numbers keep every float32 exactly."""
    return None if found is None else [found.boxes_xyxy.tolist(), found.scores.tolist(), found.labels.tolist()]


def _detections(plain: list[list[Any]] | None) -> Detections | None:
    return None if plain is None else Detections.of(*plain)


def _check(path: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    differ = differences(found, wanted, gone=True)
    if differ:
        shown = first_of(differ, mark="; ")
        raise InputError(
            f"expected the journal {path} to be of this scene and these settings, found that of another run ({shown}"
            "); run as before to finish that one, or discard it with `restart`"
        )
