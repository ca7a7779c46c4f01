"""Check of the disk space that DVC needs to keep an output."""

from __future__ import annotations

import shutil
from pathlib import Path

from refinedet.errors import DiskError

_MEGA = 1e6
_RECORDS_BYTES = 8 << 20
"""Most bytes that DVC's own records take: dvc.lock, and its databases."""


def need_room_to_keep(out: Path) -> None:
    """Check that DVC has room to copy the output folder `out` into its cache and to write dvc.lock.

    On a full disk, DVC leaves dvc.lock empty, and all stages are lost.

    Raises:
        DiskError: there is not enough room.
    """
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    free = shutil.disk_usage(out.parent).free
    if free < size + _RECORDS_BYTES:
        raise DiskError(
            f"expected {(size + _RECORDS_BYTES) / _MEGA:,.1f} MB of free disk for DVC to keep {out}, found "
            f"{free / _MEGA:,.1f} MB; free some, then run the same again"
        )
