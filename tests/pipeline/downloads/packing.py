"""Archives for tests: some files, packed in three ways."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

Pack = Callable[[Path, list[tuple[str, bytes]]], Path]
"""Function that writes files, by name and content, into an archive, and returns its path."""


def pack_zip(path: Path, files: list[tuple[str, bytes]]) -> Path:
    """Write a zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return path


def pack_tar(path: Path, files: list[tuple[str, bytes]], mode: str = "w") -> Path:
    """Write a tar; the mode says how it is packed."""
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]  # the mode is one of its literals
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def pack_tar_gz(path: Path, files: list[tuple[str, bytes]]) -> Path:
    """Write a tar packed by gzip."""
    return pack_tar(path, files, "w:gz")


PACKS = pytest.mark.parametrize("pack", [pack_zip, pack_tar, pack_tar_gz])
FILES = [("set/a.txt", b"first"), ("set/deep/b.bin", bytes(range(256)) * 50), ("set/empty", b"")]


def content(folder: Path) -> dict[str, bytes]:
    """Files below a folder by name."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
