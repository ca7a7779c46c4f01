"""Checksums of unverified content, recorded at its first download; later downloads must have the same checksum.

The file `recorded.json` of the download cache keeps them; stage download also writes them to source.json of its output.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from refinedet.errors import FileError, InputError
from refinedet.files import read_json, write_json

_NAME = "recorded.json"


def remembered_checksums(cache: Path) -> Mapping[str, str]:
    """Read the checksums in the download cache `cache`: archive -> SHA-256 of its content at the first download.

    Raises:
        InputError: the file of these checksums is damaged.
    """
    path = cache / _NAME
    if not path.is_file():
        return {}
    known = read_json(path)
    if not isinstance(known, dict) or not all(isinstance(value, str) for value in known.values()):
        raise InputError(f"expected sums by archive in {path}, found something else; delete it to record them again")
    return known


def remember_checksum(cache: Path, archive: str, sha256: str) -> None:
    """Record the checksum of an archive, or compare it with the recorded one.

    Raises:
        FileError: the checksums differ.
    """
    known = remembered_checksums(cache)
    if known.get(archive, sha256) != sha256:
        raise FileError(
            f"expected the content of {archive} to have SHA-256 {known[archive]} as on its first download, found "
            f"{sha256}; take its line out of {cache / _NAME} if the new content is right"
        )
    if archive not in known:
        write_json(cache / _NAME, {**known, archive: sha256})
