"""Folder for matplotlib if the user's own folder cannot be written.

Problem: without a writable home, matplotlib prints two lines on the console, and rebuilds its list of fonts in each
process.
Upstream: no report was found; it shows as `Matplotlib created a temporary cache directory at`.
Versions: matplotlib 3.11.
Remove: when matplotlib runs silently without a folder.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from refinedet.errors import FileError
from refinedet.system.user_cache import cache_folder

_NAME = "MPLCONFIGDIR"


def name_a_folder() -> None:
    """Give matplotlib a folder in our cache if its own ones cannot be written; call it before the import."""
    own = [platformdirs.user_config_path("matplotlib"), platformdirs.user_cache_path("matplotlib")]
    if _NAME in os.environ or all(map(_can_be_made, own)):
        return
    try:
        os.environ[_NAME] = str(cache_folder("matplotlib"))
    except FileError:
        return


def _can_be_made(folder: Path) -> bool:
    """True if a folder can be written, or made where it is missing."""
    nearest = next((path for path in (folder, *folder.parents) if os.path.lexists(path)), folder)
    return folder.is_absolute() and os.path.isdir(nearest) and os.access(nearest, os.W_OK | os.X_OK)  # noqa: PTH112 - raises nothing
