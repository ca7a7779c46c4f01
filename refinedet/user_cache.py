"""The user's cache folder: what takes long to make and can be made again."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from refinedet.errors import FileError


def cache_folder(of: str) -> Path:
    """Folder for one kind of content: under REFINEDET_CACHE, else under the user's cache folder. It need not exist.

    Raises:
        FileError: the user has no home folder, as in a container under a number that has no name.
    """
    named = os.environ.get("REFINEDET_CACHE")
    folder = Path(named) if named else platformdirs.user_cache_path("refinedet", appauthor=False)
    if not named and not folder.is_absolute():
        raise FileError("expected a home folder to keep files in, found none; name a folder with REFINEDET_CACHE")
    return folder / of
