"""Files of one Zarr store, in a folder, a zip archive or elsewhere; reads have a size limit and stay in the store."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NoReturn, Protocol
from zipfile import BadZipFile, ZipFile, ZipInfo, is_zipfile

from refinedet.errors import FileError, InputError
from refinedet.raster.ranged import RasterFile

MARKS = ("zarr.json", ".zgroup", ".zarray")
"""Names of metadata files, one of which is in every node: of version 3, and of groups and arrays of version 2."""

_ZIP_ERRORS = (BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, zlib.error)


class StoreFiles(Protocol):
    """Files of a store, by names relative to it, with slashes."""

    @property
    def path(self) -> Path | str:
        """Folder, archive or address, for messages."""

    @property
    def file(self) -> RasterFile:
        """Folder or archive; of a store at an address, the file of its metadata."""

    def size(self, name: str) -> int | None:
        """Size of a file in bytes; None if there is no such file.

        Raises:
            InputError: the name leads out of the store, also by a link.
        """

    def read(self, name: str, most: int) -> bytes | None:
        """Read a file of at most `most` bytes; None if there is no such file.

        Raises:
            InputError: the name leads out of the store, also by a link, or the file is larger.
            FileError: the file cannot be read.
        """

    def folders(self, name: str) -> list[str]:
        """Names of the folders in one folder of the store, sorted; empty if there is no such folder."""


def is_store(path: Path) -> bool:
    """True if a folder or a zip archive is a Zarr store, by its files or by its name."""
    name = path.name.lower()
    if path.is_dir():
        return name.endswith(".zarr") or any((path / mark).is_file() for mark in MARKS)
    if not path.is_file() or not is_zipfile(path):
        return False
    if name.endswith(".zarr.zip"):
        return True
    try:
        with ZipFile(path) as archive:
            return any(PurePosixPath(entry).name in MARKS for entry in archive.namelist())
    except _ZIP_ERRORS:
        return False


@contextmanager
def open_store(path: Path) -> Iterator[StoreFiles]:
    """Open the files of the store at `path`.

    Raises:
        FileError: there is no store, or its archive cannot be read.
    """
    if path.is_dir():
        if not any((path / mark).is_file() for mark in MARKS):
            _none(path)
        yield _Folder(path)
        return
    try:
        archive = ZipFile(path)
    except _ZIP_ERRORS as error:
        raise _unreadable(path, error) from error
    with archive:
        yield _zipped(path, archive)


@dataclass(frozen=True, slots=True)
class _Folder:
    """Store in a folder."""

    path: Path

    @property
    def file(self) -> Path:
        return self.path

    def size(self, name: str) -> int | None:
        file = self._inside(name)
        try:
            return file.stat().st_size if file.is_file() else None
        except OSError as error:
            raise _unreadable(file, error) from error

    def read(self, name: str, most: int) -> bytes | None:
        size = self.size(name)
        if size is None:
            return None
        check_size(self.path, name, size, most)
        try:
            with (self.path / name).open("rb") as stream:
                return stream.read(most)
        except OSError as error:
            raise _unreadable(self.path / name, error) from error

    def folders(self, name: str) -> list[str]:
        try:
            return sorted(one.name for one in self._inside(name).iterdir() if one.is_dir())
        except OSError:
            return []

    def _inside(self, name: str) -> Path:
        root = self.path.resolve()
        file = (root / name).resolve()
        if not file.is_relative_to(root):
            _outside(self.path, name)
        return file


@dataclass(frozen=True, slots=True)
class _Zipped:
    """Store in a zip archive."""

    path: Path
    root: PurePosixPath
    """Folder of the store within the archive."""
    archive: ZipFile
    members: Mapping[str, ZipInfo]
    """Entries of files, by their names with slashes."""

    @property
    def file(self) -> Path:
        return self.path

    def size(self, name: str) -> int | None:
        entry = self.members.get(str(self.root / name))
        return None if entry is None else entry.file_size

    def read(self, name: str, most: int) -> bytes | None:
        entry = self.members.get(str(self.root / name))
        if entry is None:
            return None
        check_size(self.path, name, entry.file_size, most)
        try:
            with self.archive.open(entry) as stream:
                return stream.read(most)
        except _ZIP_ERRORS as error:
            raise _unreadable(self.path, error) from error

    def folders(self, name: str) -> list[str]:
        return folders_in(self.root / name, self.members)


def _zipped(path: Path, archive: ZipFile) -> _Zipped:
    """Find the outermost node in an archive: its store."""
    members = {entry.filename.replace("\\", "/"): entry for entry in archive.infolist() if not entry.is_dir()}
    nodes = {name.parent for name in map(PurePosixPath, members) if name.name in MARKS}
    roots = sorted(str(one) for one in nodes if not nodes & set(one.parents))
    if not roots:
        _none(path)
    if len(roots) > 1:
        raise FileError(
            f"expected one Zarr store in {path}, found {len(roots)}: {', '.join(roots[:5])}; unpack it and name one"
        )
    return _Zipped(path, PurePosixPath(roots[0]), archive, members)


def folders_in(folder: PurePosixPath, names: Iterable[str]) -> list[str]:
    """Names of the folders in a folder that holds some of the files with these names, sorted."""
    depth = len(folder.parts)
    inside = (path.parts for path in map(PurePosixPath, names) if folder in path.parents)
    return sorted({parts[depth] for parts in inside if len(parts) > depth + 1})


def check_size(store: Path | str, name: str, size: int, most: int) -> None:
    """Check the size of a file of a store.

    Raises:
        InputError: it is larger than `most` bytes.
    """
    if size > most:
        raise InputError(f"expected at most {most:,} bytes in {name} of {store}, found {size:,}; it is no genuine one")


def _none(path: Path) -> NoReturn:
    raise FileError(
        f"expected a Zarr store at {path}, found none of {', '.join(MARKS)} at its top; "
        "name the folder that ends with .zarr, or its zip archive"
    )


def _unreadable(path: Path, error: Exception) -> FileError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return FileError(f"expected a Zarr store at {path}, but it cannot be read ({reason}); fetch or copy it again")


def _outside(store: Path, name: str) -> NoReturn:
    raise InputError(f"expected the files of {store} inside the store, found {name!r} by a link; it is no genuine one")
