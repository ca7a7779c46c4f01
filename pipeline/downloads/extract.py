"""Safe unpacking of an untrusted archive (zip or tar) into an empty folder.

All entries are checked before the first byte is written: no absolute or overlong path, no `..`, link, device,
encrypted, sparse or repeated entry, and no more entries or bytes than allowed or than the disk has room for. Sizes are
counted again while writing, because headers may be wrong.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

from refinedet.downloads.disk import need_room
from refinedet.errors import DiskError, FileError
from refinedet.files import cannot_write, is_safe_path

_BLOCK_BYTES = 1 << 20
_ZIP_START = b"PK"
_PACKED = {b"\x1f\x8b": gzip.GzipFile, b"BZh": bz2.BZ2File, b"\xfd7zXZ\0": lzma.LZMAFile}
"""First bytes of a compressed tar -> its reader."""
_HEADER_BYTES = 16 << 20
"""Most bytes that are read at once: tarfile reads an extended header as large as the header states."""
_ZIP_TAIL_BYTES = (1 << 16) + 200
"""Most bytes at the end of a zip: the position of its directory, and a comment of at most 64 kB."""
_ZIP_ENDS = ((b"PK\5\6", 12, 4), (b"PK\6\6", 40, 8))
"""Records with the size of the directory, the second for ZIP64: mark, position of the size, bytes of the size."""
_ENTRY_BYTES = 128
"""Average size of an entry of that directory."""
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
    """Limits on the unpacked size of an archive."""

    entries: int = 200_000
    total_bytes: int = 20 << 30
    ratio: int = 200
    """Most bytes of content per byte of the archive: zeros pack 1000 to 1, data sets at most about 20 to 1."""
    harmless_bytes: int = 100 << 20
    """Content below this size is accepted at any ratio."""

    def bytes_of(self, archive: Path) -> int:
        """Most bytes of content that this archive may hold."""
        return min(self.total_bytes, max(self.ratio * archive.stat().st_size, self.harmless_bytes))


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    size: int
    is_folder: bool
    refused: str | None
    """Reason why this kind of entry is never unpacked; None for an allowed kind."""
    open: Callable[[], IO[bytes]]


def extract(
    archive: str | Path,
    folder: str | Path,
    *,
    below: str = "",
    only: tuple[str, ...] = (),
    limits: Limits | None = None,
) -> None:
    """Unpack the zip or tar file `archive` into the existing, empty `folder`.

    With `below`, only the content of that folder of the archive is written, without the folder's name; with `only`,
    only these files and folders of it. Files get ordinary permissions, whatever the archive states. On an error, the
    folder may hold part of the content.

    Raises:
        FileError: the file is no archive, is damaged or incomplete, or holds an entry that must not be unpacked.
        DiskError: the disk has too little room, or cannot be written.
    """
    archive, folder, limits = Path(archive), Path(folder), limits or Limits()
    with _entries(archive, folder, limits) as entries:
        checked = _check(entries, archive, limits)
        files = [(entry, name.relative_to(below)) for entry, name in checked if name.is_relative_to(below)]
        if only:
            files = [(entry, name) for entry, name in files if any(name.is_relative_to(wanted) for wanted in only)]
        if not files:
            raise FileError(f"expected files in {archive} below '{below}', found none; is it the right archive?")
        need_room(folder, sum(entry.size for entry, _ in files), f"the content of {archive.name}")
        left = limits.total_bytes
        for entry, name in files:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            left -= _write(entry, path, left, archive)


@contextmanager
def _entries(archive: Path, folder: Path, limits: Limits) -> Iterator[list[_Entry]]:
    """Open the archive and list it; damage met within the `with` becomes one FileError."""
    try:
        if _starts_as_zip(archive):
            _check_directory(archive, limits)
            with zipfile.ZipFile(archive) as opened:
                yield [_zip_entry(opened, info) for info in opened.infolist()]
        else:
            with ExitStack() as stack:
                stream = stack.enter_context(_unpacked(archive))
                unpacked = stack.enter_context(tarfile.open(fileobj=_Sips(stream), mode="r:"))
                yield list(_tar_entries(unpacked, limits, limits.bytes_of(archive)))
    except FileError:
        raise
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.errno:  # of the file system, not of the content
            raise cannot_write(f"the content of {archive}", error, folder, DiskError) from error
        found = (str(error) or type(error).__name__).splitlines()[0]
        raise FileError(
            f"expected a whole zip or tar archive at {archive}, but it is damaged, cut off or something else "
            f"({found}); fetch it again"
        ) from error


def _starts_as_zip(archive: Path) -> bool:
    """True if the first bytes are those of a zip; zipfile looks at the end, and accepts a tar that ends in a zip."""
    return _first_bytes(archive).startswith(_ZIP_START)


def _check_directory(archive: Path, limits: Limits) -> None:
    """Raise FileError if the directory of a zip is so large that listing it would fill the memory.

    Both records with its size are read, because zipfile prefers the ZIP64 record if there is one. The directory ends
    where they begin, so it cannot be larger than the bytes before them.
    """
    total = archive.stat().st_size
    with archive.open("rb") as stream:
        stream.seek(max(0, total - _ZIP_TAIL_BYTES))
        tail = stream.read()
    sizes = [
        int.from_bytes(tail[at + skip : at + skip + width], "little")
        for mark, skip, width in _ZIP_ENDS
        for at in _places(tail, mark)
    ]
    size = max((size for size in sizes if size <= total), default=0)
    most = limits.entries * _ENTRY_BYTES
    if size > most:
        raise FileError(f"expected a directory of at most {most} bytes in {archive}, found {size}; do not trust it")


def _places(data: bytes, mark: bytes) -> Iterator[int]:
    """Positions at which `mark` begins in `data`; a comment may contain more marks."""
    at = data.find(mark)
    while at >= 0:
        yield at
        at = data.find(mark, at + 1)


def _first_bytes(archive: Path) -> bytes:
    with archive.open("rb") as stream:
        return stream.read(8)


def _unpacked(archive: Path) -> IO[bytes]:
    """Stream of the decompressed bytes of a tar."""
    first = _first_bytes(archive)
    reader = next((reader for start, reader in _PACKED.items() if first.startswith(start)), None)
    return archive.open("rb") if reader is None else cast("IO[bytes]", reader(archive))


class _Sips(io.RawIOBase):
    """Stream of a tar that returns few bytes at once: tarfile reads as much as an extended header states."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()


def _zip_entry(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Entry:
    kind = stat.S_IFMT(info.external_attr >> 16)
    refused = None
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        refused = "a link or device"
    elif info.flag_bits & 1:
        refused = "an encrypted file"
    is_folder = info.orig_filename.endswith("/")  # info.is_dir() raises on a damaged, empty name
    return _Entry(info.orig_filename, info.file_size, is_folder, refused, lambda: opened.open(info))


def _tar_entries(opened: tarfile.TarFile, limits: Limits, total_bytes: int) -> Iterator[_Entry]:
    """Entries up to the first that breaks a limit: listing a compressed tar unpacks it, so a bomb must end it."""
    count = total = 0
    for member in opened:
        yield _tar_entry(opened, member)
        count, total = count + 1, total + member.size
        if count > limits.entries or total > total_bytes:
            return


def _tar_entry(opened: tarfile.TarFile, member: tarfile.TarInfo) -> _Entry:
    refused = None if member.isfile() or member.isdir() else "a link or device"
    if member.issparse():  # a few bytes that unpack to any number
        refused = "a sparse file"

    def open_member() -> IO[bytes]:
        stream = opened.extractfile(member)
        if stream is None:
            raise tarfile.TarError(f"no content for {member.name}")
        return stream

    return _Entry(member.name, member.size, member.isdir(), refused, open_member)


def _check(entries: list[_Entry], archive: Path, limits: Limits) -> list[tuple[_Entry, PurePosixPath]]:
    """Files to write and their paths; raises FileError for the first entry that must not be unpacked."""
    harm = next(filter(None, map(_harm, entries)), None)
    reason = harm or _excess(entries, limits.entries, limits.bytes_of(archive)) or _collision(entries)
    if reason:
        raise FileError(f"expected an archive of plain files at {archive}, found {reason}; do not trust it")
    return [(entry, PurePosixPath(entry.name)) for entry in entries if not entry.is_folder]


def _excess(entries: list[_Entry], count: int, total_bytes: int) -> str | None:
    total = sum(entry.size for entry in entries)
    if len(entries) > count:
        return f"{len(entries)} entries, more than the {count} allowed"
    if total > total_bytes:
        return f"{total} bytes of content, more than the {total_bytes} allowed"
    return None


def _harm(entry: _Entry) -> str | None:
    if entry.refused:
        return f"{entry.refused} named {entry.name!r}"
    return f"the unsafe name {entry.name!r}" if _is_unsafe(entry) else None


def _collision(entries: list[_Entry]) -> str | None:
    """Names that a file system may treat as equal, and files that would have to be folders."""
    is_folder: dict[str, bool] = {}
    for entry in entries:
        key = _one_name(entry.name)
        if key in is_folder and not (is_folder[key] and entry.is_folder):
            return f"{entry.name!r} twice, or twice but for capitals or accents"
        is_folder[key] = entry.is_folder
    for entry in entries:
        parents = PurePosixPath(_one_name(entry.name)).parents
        if any(is_folder.get(parent.as_posix()) is False for parent in parents):
            return f"{entry.name!r} below a name that is a file"
    return None


def _one_name(name: str) -> str:
    """Key that is equal for names that differ only in case or in the encoding of accents."""
    return unicodedata.normalize("NFC", PurePosixPath(name).as_posix().casefold())


def _is_unsafe(entry: _Entry) -> bool:
    nameless = not PurePosixPath(entry.name).parts and not entry.is_folder
    return nameless or not is_safe_path(entry.name)


def _write(entry: _Entry, path: Path, left: int, archive: Path) -> int:
    """Write one file and return its size; stops if it has more than `left` bytes."""
    written = 0
    with entry.open() as source, path.open("xb") as target:
        while block := source.read(_BLOCK_BYTES):
            written += len(block)
            if written > min(left, entry.size):
                raise FileError(
                    f"expected {entry.size} bytes of {entry.name!r} in {archive}, found more; do not trust it"
                )
            target.write(block)
    if written != entry.size:
        raise FileError(f"expected {entry.size} bytes of {entry.name!r} in {archive}, found {written}; fetch it again")
    path.chmod(0o644)
    return written
