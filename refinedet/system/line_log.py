"""File of lines that only grows, and that one process writes: the journal of a scene, the status of an archive.

Each line is written whole or not at all, and is passed to the system at once. Lines are forced to the disk each second,
so a power failure loses a second of work. A killed process damages at most the last line.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from refinedet.files import cannot_write
from refinedet.system.locks import lock_alone, open_log, reading_log

_FSYNC_SECONDS = 1.0


class LineLog:
    """Open file of lines. `open_line_log` makes it; `cut` it after the last whole line before the first `add`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._end = 0
        self._synced = time.monotonic()

    def reading(self) -> AbstractContextManager[BinaryIO]:
        """Stream from the start of the file."""
        return reading_log(self._descriptor)

    def add(self, line: bytes) -> None:
        """Write one line, or nothing of it.

        Raises:
            OSError: the disk is full or failing; the lines before are still there.
        """
        left = line
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
            self.sync()
        except OSError:
            self.cut(self._end)
            raise
        self._end += len(line)

    def cut(self, end: int) -> None:
        """Cut the file off after `end` bytes; this needs no space on a full disk."""
        os.ftruncate(self._descriptor, end)
        self._end = end

    def sync(self) -> None:
        """Force the lines to the disk, unless that was done less than a second ago."""
        if time.monotonic() - self._synced >= _FSYNC_SECONDS:
            os.fsync(self._descriptor)
            self._synced = time.monotonic()


@contextmanager
def open_line_log(path: Path, what: str, otherwise: str) -> Iterator[LineLog]:
    """Open or create a file of lines, and lock it until the end of the block.

    An empty file is removed at the end, together with a folder that was made for it.

    Args:
        path: the file.
        what: its content, for messages.
        otherwise: text that says what to do instead if another run writes the file.

    Raises:
        FileError: the file cannot be used, or another run writes it.
    """
    new_folder = not path.parent.exists()
    try:
        descriptor = open_log(path)
    except OSError as error:
        raise cannot_write(f"{what} to {path}", error, path) from error
    try:
        lock_alone(path, descriptor, otherwise)
        log = LineLog(descriptor)
        try:
            yield log
        finally:
            if not os.fstat(descriptor).st_size:
                with suppress(PermissionError):  # Windows does not remove an open file
                    path.unlink(missing_ok=True)
                if new_folder:
                    with suppress(OSError):  # the folder holds other files by now
                        path.parent.rmdir()
            with suppress(OSError):
                log.sync()
    finally:
        os.close(descriptor)
