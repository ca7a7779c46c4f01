"""Sums of what nobody has verified, as it was when it first came: a later download must bring the same.

They are kept in `recorded.json` of the download cache; stage download writes them beside its output too (source.json).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from refinedet.errors import FileError, InputError
from refinedet.files import read_json, write_json

_NAME = "recorded.json"


def remembered_checksums(cache: Path) -> Mapping[str, str]:
    """Archive -> SHA-256 of its content at the first download, in the download cache `cache`.

    Raises:
        InputError: the file of these sums is damaged.
    """
    path = cache / _NAME
    if not path.is_file():
        return {}
    known = read_json(path)
    if not isinstance(known, dict) or not all(isinstance(value, str) for value in known.values()):
        raise InputError(f"expected sums by archive in {path}, found something else; delete it to record them again")
    return known


def remember_checksum(cache: Path, archive: str, sha256: str) -> None:
    """Record the sum of an archive, or hold it against the one that was recorded.

    Raises:
        FileError: it was another one.
    """
    known = remembered_checksums(cache)
    if known.get(archive, sha256) != sha256:
        raise FileError(
            f"expected the content of {archive} to have SHA-256 {known[archive]} as on its first download, found "
            f"{sha256}; take its line out of {cache / _NAME} if the new content is right"
        )
    if archive not in known:
        write_json(cache / _NAME, {**known, archive: sha256})
