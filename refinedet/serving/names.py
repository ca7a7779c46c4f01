"""File name of an uploaded scene: it names the results and can contain the time; it never becomes a path."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from refinedet.files import is_safe_path

_PLAIN = re.compile(r"\w[\w .()+,@=-]*")
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,5}\Z")
_MOST_BYTES = 150
_DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{kind}{n}" for kind in ("COM", "LPT") for n in range(10))}
"""Device names of Windows, which are reserved with any suffix."""


def plain_name(told: str) -> str:
    """Plain file name of an upload: letters, digits and a few other characters; else `scene` with the suffix.

    Folders in the name are removed, because some programs send them.
    """
    name = PurePosixPath(told.replace("\\", "/")).name
    short = len(name.encode(errors="replace")) <= _MOST_BYTES and is_safe_path(name)
    device = name.partition(".")[0].strip().upper() in _DEVICES
    if short and not device and _PLAIN.fullmatch(name) and not name.endswith((" ", ".")):
        return name
    ending = _ENDING.search(name)
    return f"scene{ending[0]}" if ending else "scene"
