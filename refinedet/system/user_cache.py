"""Cache folder of the user, for content that takes long to make and can be made again."""

from __future__ import annotations

import logging
import os
import stat
import tempfile
from functools import cache
from pathlib import Path

import platformdirs

from refinedet.errors import FileError

_LOGGER = logging.getLogger(__name__)
_OWNER_ALONE = 0o700


def cache_folder(of: str) -> Path:
    """Folder for one kind of content: under REFINEDET_CACHE, else under the user's cache folder. It need not exist.

    If the user's folder cannot be written, the result is a private folder in the system's temporary folder, and one
    warning says so.

    Raises:
        FileError: neither folder can be written.
    """
    named = os.environ.get("REFINEDET_CACHE")
    return Path(named) / of if named else _usable(_platform_folder()) / of


def write_error(folder: Path) -> str | None:
    """Reason why a folder cannot be written; None if it can. A missing folder is created."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or str(error)


def _platform_folder() -> Path:
    """The user's cache folder; a relative path without HOME and a user entry, as in some containers."""
    try:
        return platformdirs.user_cache_path("refinedet", appauthor=False)
    except RuntimeError:
        return Path("~") / "refinedet"


@cache
def _usable(own: Path) -> Path:
    """Find the user's cache folder `own`, or its replacement."""
    reason = write_error(own) if own.is_absolute() else "there is no home folder"
    if reason is None:
        return own
    instead = _temporary()
    if instead is None:
        raise FileError(
            f"expected a folder for caches that can be written, found none ({own}: {reason}); "
            "name a folder with REFINEDET_CACHE"
        )
    _LOGGER.warning(
        "the cache folder %s cannot be written (%s): caches are kept in %s; REFINEDET_CACHE names another folder",
        own,
        reason,
        instead,
    )
    return instead


def _temporary() -> Path | None:
    """Private folder of this user in the temporary folder; None if it cannot be created, or another user created it.

    On Windows, the temporary folder itself belongs to the user.
    """
    user = os.getuid() if hasattr(os, "getuid") else None
    try:
        folder = Path(tempfile.gettempdir()) / ("refinedet" if user is None else f"refinedet-{user}")
        folder.mkdir(mode=_OWNER_ALONE, exist_ok=True)
        found = folder.lstat()
        own = user is None or (found.st_uid == user and not stat.S_IMODE(found.st_mode) & 0o077)
        safe = stat.S_ISDIR(found.st_mode) and own
    except OSError:
        return None
    return folder if safe and write_error(folder) is None else None
