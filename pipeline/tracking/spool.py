"""Queue on disk of the entries for MLflow, so that no entry is lost when a process or a server dies.

It consists of a SQLite file and a folder of copies under `.refinedet/spool` of the project. Entries of a run are sent
in the order in which they were added. Any number of processes may add and remove entries. This file does not use
MLflow.
"""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

_LOGGER = logging.getLogger(__name__)
_WAIT_SECONDS = 60.0
_ROWS_AT_ONCE = 500
_TABLES = """
CREATE TABLE IF NOT EXISTS entries (number INTEGER PRIMARY KEY AUTOINCREMENT,
    store TEXT NOT NULL, run TEXT NOT NULL, kind TEXT NOT NULL, content TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS names (run TEXT PRIMARY KEY, run_id TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message for MLflow."""

    number: int
    """Number of the entry, counted over all runs."""
    run: str
    """The run's id, or the key under which it is known until the server gives it one."""
    kind: str
    content: dict[str, Any]


class Spool:
    """Queues of all runs of all stores. Every method opens the file anew, so that threads may share a spool."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, created if it is missing; copies left by a killed process are removed.

        Raises:
            OSError, sqlite3.Error: it cannot be written; all methods raise these errors.
        """
        self.files = folder / "files"
        self._folder = folder
        self._copying = folder / "copying.lock"
        self.files.mkdir(parents=True, exist_ok=True)
        with self._connection() as database:
            database.executescript(_TABLES)
        self._remove_orphans()

    def add(self, store: str, run: str, kind: str, content: Mapping[str, Any]) -> None:
        """Queue one entry; it is on disk when this returns."""
        values = (store, run, kind, json.dumps(content))
        with self._connection() as database:
            database.execute("INSERT INTO entries (store, run, kind, content) VALUES (?, ?, ?, ?)", values)

    def add_copy(self, store: str, run: str, kind: str, path: Path, content: Mapping[str, Any]) -> None:
        """Queue a copy of a file or folder as it is now; `content["copy"]` will name it, relative to `files`."""
        name = f"{uuid4().hex}/{path.name}"
        place = self.files / name
        with _shared(self._copying, wait_seconds=_WAIT_SECONDS):
            place.parent.mkdir()
            try:
                if path.is_dir():
                    shutil.copytree(path, place)
                else:
                    shutil.copy2(path, place)
                self.add(store, run, kind, {**content, "copy": name})
            except BaseException:
                shutil.rmtree(place.parent, ignore_errors=True)
                raise

    def stores(self) -> list[str]:
        """Stores with waiting entries."""
        return [row[0] for row in self._rows("SELECT DISTINCT store FROM entries ORDER BY store")]

    def runs(self, store: str) -> list[str]:
        """Runs of `store` with waiting entries; the run that waits longest comes first."""
        rows = self._rows("SELECT run FROM entries WHERE store = ? GROUP BY run ORDER BY MIN(number)", store)
        return [row[0] for row in rows]

    def entries(self, store: str, run: str, *, after: int = 0) -> list[Entry]:
        """Next entries of a run after number `after`, in order, a few hundred at most."""
        rows = self._rows(
            "SELECT number, run, kind, content FROM entries"
            " WHERE store = ? AND run = ? AND number > ? ORDER BY number LIMIT ?",
            *(store, run, after, _ROWS_AT_ONCE),
        )
        return [Entry(number, run, kind, json.loads(content)) for number, run, kind, content in rows]

    def waiting(self, store: str, run: str | None = None) -> int:
        """Number of entries that wait for a store, or for one of its runs."""
        condition, given = ("", ()) if run is None else (" AND run = ?", (run,))
        rows = self._rows(f"SELECT COUNT(*) FROM entries WHERE store = ?{condition}", store, *given)  # noqa: S608
        return int(rows[0][0])

    def remove(self, entries: Sequence[Entry]) -> None:
        """Remove entries that have been delivered."""
        with self._connection() as database:
            database.executemany("DELETE FROM entries WHERE number = ?", [(entry.number,) for entry in entries])
        for entry in entries:
            if "copy" in entry.content:
                shutil.rmtree((self.files / entry.content["copy"]).parent, ignore_errors=True)

    def move_unborn(self, store: str, kind: str, target: str) -> None:
        """Move the runs whose first entry, of kind `kind`, has not reached `store` yet to the store `target`."""
        with self._connection() as database:
            database.execute(
                "UPDATE entries SET store = ? WHERE store = ? AND run IN"
                " (SELECT run FROM entries WHERE store = ? AND kind = ?)",
                (target, store, store, kind),
            )

    def name(self, run: str, run_id: str) -> None:
        """Store the id from the server for a run that has a key here."""
        with self._connection() as database:
            database.execute("INSERT OR REPLACE INTO names VALUES (?, ?)", (run, run_id))

    def run_id(self, run: str) -> str:
        """Id of the run from its server; `run` itself if none is stored."""
        rows = self._rows("SELECT run_id FROM names WHERE run = ?", run)
        return str(rows[0][0]) if rows else run

    @contextmanager
    def turn(self, store: str) -> Iterator[bool]:
        """Lock the queues of `store` for delivery; false if another process has the lock."""
        lock = self._folder / f"{sha256(store.encode()).hexdigest()[:16]}.lock"
        try:
            with exclusive(lock, wait_seconds=0):
                yield True
        except Busy:
            yield False

    def _remove_orphans(self) -> None:
        """Remove copies without an entry; while a process copies, which makes its entry at the end, all stay."""
        if not any(self.files.iterdir()):
            return
        with suppress(Busy), exclusive(self._copying, wait_seconds=0):
            entries = self._rows("""SELECT content FROM entries WHERE content LIKE '%"copy"%'""")
            named = {json.loads(content).get("copy", "").split("/")[0] for (content,) in entries}
            orphans = [place for place in self.files.iterdir() if place.name not in named]
            for place in orphans:
                shutil.rmtree(place, ignore_errors=True)
            if orphans:
                _LOGGER.info("%s: removed what a killed process left, copies: %d", self.files, len(orphans))

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._folder / "queue.db", timeout=_WAIT_SECONDS)) as database, database:
            database.execute(
                "PRAGMA synchronous = NORMAL"
            )  # fewer waits for the disk; a power cut may cost the last entry
            yield database

    def _rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._connection() as database:
            return database.execute(statement, values).fetchall()


class Busy(Exception):  # noqa: N818 - it is a state of affairs
    """Error of a lock that another process holds."""


@contextmanager
def exclusive(lock: Path, *, wait_seconds: float) -> Iterator[None]:
    """Hold the lock file `lock` alone; the end of the process releases it in every case.

    Raises:
        Busy: it was not free for `wait_seconds`.
    """
    with _locked(lock, wait_seconds, "BEGIN EXCLUSIVE"):
        yield


@contextmanager
def _shared(lock: Path, *, wait_seconds: float) -> Iterator[None]:
    """Hold the lock file `lock` beside others that share it, as `exclusive`."""
    with _locked(lock, wait_seconds, "BEGIN", "SELECT * FROM sqlite_master"):
        yield


@contextmanager
def _locked(lock: Path, wait_seconds: float, *statements: str) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(lock, timeout=wait_seconds)) as connection:
        try:
            for statement in statements:
                connection.execute(statement).fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise Busy(str(lock)) from error
            raise
        yield
