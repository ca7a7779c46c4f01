"""Check of free disk space before a download, and a lock that lets one process write to a folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from refinedet.errors import DiskError
from refinedet.system.locks import waiting_lock

_MEGA = 1e6

SPARE_BYTES = 64 << 20
"""Bytes left free on every disk, for other programs and the small files beside a download."""


def need_room(folder: Path, count: int, what: str) -> None:
    """Check that `count` more bytes fit on the disk of `folder`, which need not exist yet.

    Raises:
        DiskError: they do not fit; `what` says what they are for.
    """
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < count + SPARE_BYTES:
        raise DiskError(
            f"expected {(count + SPARE_BYTES) / _MEGA:,.1f} MB of free disk at {folder} for {what}, found "
            f"{free / _MEGA:,.1f} MB; free some, or work on a larger disk"
        )


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Lock `folder` for the block, and create it if it is missing; other processes wait. The lock file is beside it.

    Several queued experiments share one cache of downloads. On a file system without locks, the block runs without one.

    Raises:
        DiskError: the folder cannot be created.
    """
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            waiting = f"{folder}: waiting for another process that downloads there"
            stack.enter_context(waiting_lock(folder.with_name(f".{folder.name}.lock"), waiting))
        except OSError as error:
            raise DiskError(
                f"expected a folder that can be made at {folder}, but it cannot ({error.strerror})"
            ) from error
        yield
