"""Unpack an archive from the network without trusting it: zip and tar, into an empty folder.

All names are checked before the first byte is written: no absolute or climbing path, link, device, encrypted or
repeated entry, and no more entries or bytes than allowed. Sizes are counted again while writing: headers may lie.
"""

from __future__ import annotations

import lzma
import os
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from refinedet.errors import FileError

_BLOCK_BYTES = 1 << 20
_ZIP_START = b"PK"
_DRIVE = re.compile("[A-Za-z]:")
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    ValueError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How large an archive may become."""

    entries: int = 200_000
    total_bytes: int = 20 << 30


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    size: int
    is_folder: bool
    refused: str | None
    """Why this kind of entry is never unpacked."""
    open: Callable[[], IO[bytes]]


def extract(archive: str | Path, folder: str | Path, *, below: str = "", limits: Limits | None = None) -> None:
    """Unpack the zip or tar file `archive` into the existing, empty `folder`.

    With `below`, only what lies in that folder of the archive is written, without the folder's own name. Files get
    ordinary permissions, whatever the archive says. On an error the folder may hold part of the content.

    Raises:
        FileError: the file is no archive, is damaged or cut off, or holds something that must not be unpacked.
    """
    archive, folder, limits = Path(archive), Path(folder), limits or Limits()
    with _entries(archive, limits) as entries:
        files = [(entry, name) for entry, name in _check(entries, archive, limits) if name.is_relative_to(below)]
        if not files:
            raise FileError(f"expected files in {archive} below '{below}', found none; is it the right archive?")
        left = limits.total_bytes
        for entry, name in files:
            path = folder / name.relative_to(below)
            path.parent.mkdir(parents=True, exist_ok=True)
            left -= _write(entry, path, left, archive)


@contextmanager
def _entries(archive: Path, limits: Limits) -> Iterator[list[_Entry]]:
    """Open the archive and list it; damage met within the `with` becomes one FileError."""
    try:
        if archive.is_file() and _starts_as_zip(archive):
            with zipfile.ZipFile(archive) as opened:
                yield [_zip_entry(opened, info) for info in opened.infolist()]
        elif archive.is_file() and tarfile.is_tarfile(archive):
            with tarfile.open(archive) as unpacked:
                yield list(_tar_entries(unpacked, limits))
        else:
            raise FileError(f"expected a zip or tar archive at {archive}, found something else; is the download whole?")
    except FileError:
        raise
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.errno:  # of the file system, not of the content
            raise FileError(
                f"expected to unpack {archive}, but that failed ({error}); check the disk and its rights"
            ) from error
        raise FileError(f"expected a whole archive at {archive}, but it is damaged or cut off ({error})") from error


def _starts_as_zip(archive: Path) -> bool:
    """By its first bytes: zipfile looks at the end, and takes a tar whose last file is a zip for one."""
    with archive.open("rb") as stream:
        return stream.read(len(_ZIP_START)).startswith(_ZIP_START)


def _zip_entry(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Entry:
    kind = stat.S_IFMT(info.external_attr >> 16)
    refused = None
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        refused = "a link or device"
    elif info.flag_bits & 1:
        refused = "an encrypted file"
    return _Entry(info.orig_filename, info.file_size, info.is_dir(), refused, lambda: opened.open(info))


def _tar_entries(opened: tarfile.TarFile, limits: Limits) -> Iterator[_Entry]:
    """Entries up to the first that breaks a limit: listing a compressed tar unpacks it, so a bomb must stop here."""
    count = total = 0
    for member in opened:
        yield _tar_entry(opened, member)
        count, total = count + 1, total + member.size
        if count > limits.entries or total > limits.total_bytes:
            return


def _tar_entry(opened: tarfile.TarFile, member: tarfile.TarInfo) -> _Entry:
    refused = None if member.isfile() or member.isdir() else "a link or device"

    def open_member() -> IO[bytes]:
        stream = opened.extractfile(member)
        if stream is None:
            raise tarfile.TarError(f"no content for {member.name}")
        return stream

    return _Entry(member.name, member.size, member.isdir(), refused, open_member)


def _check(entries: list[_Entry], archive: Path, limits: Limits) -> list[tuple[_Entry, PurePosixPath]]:
    """The files to write and where, or a FileError that names the first entry that must not be unpacked."""

    def refuse(reason: str) -> FileError:
        return FileError(f"expected an archive of plain files at {archive}, found {reason}; do not trust it")

    if len(entries) > limits.entries:
        raise refuse(f"{len(entries)} entries, more than the {limits.entries} allowed")
    total = sum(entry.size for entry in entries)
    if total > limits.total_bytes:
        raise refuse(f"{total} bytes of content, more than the {limits.total_bytes} allowed")
    files: list[tuple[_Entry, PurePosixPath]] = []
    folded: dict[str, bool] = {}
    for entry in entries:
        if entry.refused:
            raise refuse(f"{entry.refused} named {entry.name!r}")
        path = PurePosixPath(entry.name)
        if entry.is_folder and not path.parts:
            continue
        if _is_unsafe(entry.name):
            raise refuse(f"the unsafe name {entry.name!r}")
        key = path.as_posix().casefold()
        if key in folded and not (folded[key] and entry.is_folder):
            raise refuse(f"{entry.name!r} twice, or twice but for capitals")
        folded[key] = entry.is_folder
        if not entry.is_folder:
            files.append((entry, path))
    for _, path in files:
        if any(folded.get(parent.as_posix().casefold()) is False for parent in path.parents):
            raise refuse(f"{path.as_posix()!r} below a name that is a file")
    return files


def _is_unsafe(name: str) -> bool:
    path = PurePosixPath(name)
    odd = "\\" in name or _DRIVE.match(name) or any(ord(character) < 32 for character in name)
    return bool(odd) or not path.parts or path.is_absolute() or ".." in path.parts


def _write(entry: _Entry, path: Path, left: int, archive: Path) -> int:
    """Write one file and return its size; stops as soon as more than `left` bytes come out."""
    written = 0
    with entry.open() as source, open(path, "xb") as target:
        while block := source.read(_BLOCK_BYTES):
            written += len(block)
            if written > min(left, entry.size):
                raise FileError(
                    f"expected {entry.size} bytes of {entry.name!r} in {archive}, found more; do not trust it"
                )
            target.write(block)
    if written != entry.size:
        raise FileError(f"expected {entry.size} bytes of {entry.name!r} in {archive}, found {written}; fetch it again")
    os.chmod(path, 0o644)
    return written
