"""Locks between processes with the package filelock, on POSIX systems and Windows. Only this file locks files."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout, lock_descriptor

from refinedet.errors import FileError

_LOGGER = logging.getLogger(__name__)
_BINARY = getattr(os, "O_BINARY", 0)
"""Flag for binary files on Windows, where text is the default."""
_NOT_INHERITED = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOINHERIT", 0)


def open_log(path: Path) -> int:
    """Open a file for reading and appending, and return its descriptor; a missing file is created with its folder.

    Raises:
        OSError: the file cannot be created or opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | _BINARY | _NOT_INHERITED, 0o666)


def open_file(path: Path) -> int:
    """Open a private file of this user for reading and writing, and return its descriptor; a missing file is created.

    Raises:
        OSError: the file cannot be created or opened.
    """
    return os.open(path, os.O_RDWR | os.O_CREAT | _BINARY | _NOT_INHERITED, 0o600)


@contextmanager
def reading_log(descriptor: int) -> Iterator[BinaryIO]:
    """Yield a stream from the start of a file of `open_log`; Windows lets no other handle read a locked file."""
    with os.fdopen(os.dup(descriptor), "rb") as stream:
        stream.seek(0)
        yield stream


def lock_alone(path: Path, descriptor: int, otherwise: str) -> None:
    """Lock an open file for this process until it is closed; a file system without locks is accepted.

    Raises:
        FileError: another run writes it; the message ends with `otherwise`, which says what to do instead.
    """
    try:
        locked = lock_descriptor(descriptor, blocking=False)
    except OSError as error:
        _LOGGER.debug("%s cannot be locked (%s)", path, error)
        return
    if not locked:
        raise FileError(
            f"expected to be the only run that writes {path}, found another one at work; wait for it, or {otherwise}"
        )


@contextmanager
def waiting_lock(path: Path, told: str | None = None) -> Iterator[None]:
    """Hold the lock file `path`, created with its folder, until the end of the block or of this process.

    Other processes wait for it; with `told`, the log says so. A file system without locks is accepted.

    Raises:
        OSError: the folder cannot be created or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    with ExitStack() as stack:
        try:
            stack.enter_context(lock.acquire(blocking=False))
        except Timeout:
            if told is not None:
                _LOGGER.info("%s", told)
            stack.enter_context(lock.acquire())
        except NotImplementedError as error:
            _LOGGER.debug("%s cannot be locked (%s)", path, error)
        yield
