"""Location of the archive of a data set: its public address, or a mirror on the web or on disk."""

from __future__ import annotations

import urllib.parse
import urllib.request
from pathlib import Path

from refinedet.downloads.http import SCHEMES
from refinedet.errors import FileError, InputError

ELSEWHERE = "name a mirror in download.mirror of params.yaml or in REFINEDET_MIRROR"
"""Advice if an archive is not available at its public address."""


def locate(url: str | None, archive: str, mirror: str | None) -> str | Path:
    """Location of `archive`: a local path for a mirror that is a folder or file:// address, else an http(s) URL.

    Raises:
        FileError: it has no public `url`, and no mirror is given.
        InputError: the mirror is an address of another kind.
    """
    if not mirror and url is not None:
        return url
    if not mirror:
        raise FileError(
            f"expected a mirror that holds {archive}, which has no public place, found none; name its folder in "
            "download.mirror of params.yaml or in REFINEDET_MIRROR"
        )
    parts = urllib.parse.urlsplit(mirror)
    if parts.scheme in SCHEMES:
        return f"{mirror.rstrip('/')}/{urllib.parse.quote(archive)}"
    if parts.scheme == "file":
        return Path(urllib.request.url2pathname(parts.path)) / archive
    if "://" in mirror:
        raise InputError(f"expected a folder, file:// or http(s):// address as mirror, found {mirror!r}")
    return Path(mirror).expanduser() / archive
