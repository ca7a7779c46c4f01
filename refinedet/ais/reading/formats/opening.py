"""AIS files as streams of bytes (plain, compressed, or members of a zip)."""

from __future__ import annotations

import codecs
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refinedet.ais.reading.packages import load_pyarrow
from refinedet.errors import FileError, InputError
from refinedet.text_encoding import encoding_of

_CODECS = ((b"\x1f\x8b", "gzip"), (b"(\xb5/\xfd", "zstd"), (b"BZh", "bz2"))
_ZIP, _PARQUET = b"PK\x03\x04", b"PAR1"
_TAR, _TAR_AT = b"ustar", 257
"""Mark of a tar archive, and its place."""
_ARCHIVE = "an archive that is not read; unpack it, or pack its table as zip or gzip"
_BINARY = (
    (b"\xd0\xcf\x11\xe0", "an Excel workbook; save its sheet as CSV (UTF-8)"),
    (b"SQLite format 3", "a database or a GeoPackage; export its table as CSV"),
    (b"\x89HDF", "an HDF5 or NetCDF file; export its table as CSV"),
    (b"7z\xbc\xaf", _ARCHIVE),
    (b"Rar!", _ARCHIVE),
    (b"\xfd7zXZ", _ARCHIVE),
    (b"ARROW1", "a Feather file; save it as Parquet or CSV"),
    (b"fgb\x03", "a FlatGeobuf file; export it as GeoJSON or CSV"),
    (b"\0\0\x27\x0a", "a shapefile; export it as GeoJSON or CSV"),
    (b"<", "XML, such as KML, or a web page; export its table as CSV"),
)
"""First bytes of files that are often given, and what to do with them."""
_HEAD_BYTES = 1 << 16
_TABLES = (".csv", ".txt", ".tsv", ".log", ".nmea", ".ais", ".dat", ".json", ".geojson", ".jsonl", ".ndjson")
"""Suffixes of the members of a zip that are read."""
_ABOUT = re.compile(r"(read[ _-]?me|licen[cs]e|copyright|terms|disclaimer|changelog|notice)\b.*\.txt", re.IGNORECASE)
"""Names of texts that people put beside the tables in a zip."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file, or one member of a zip."""

    path: Path
    member: str | None = None

    @property
    def label(self) -> str:
        """Name for messages."""
        return f"{self.path} ({self.member})" if self.member else str(self.path)


class CountedLines:
    """Stream that counts the lines read from it, without empty lines."""

    closed = False

    def __init__(self, stream: Any) -> None:
        """Read from another stream."""
        self._stream = stream
        self._ends, self._last = 0, b"\n"

    def read(self, size: int = -1) -> bytes:
        """Read bytes."""
        data = bytes(self._stream.read(size))
        if data:
            joined = self._last + data
            empty = b"\n\n" in joined or b"\n\r\n" in joined
            self._ends += _full_lines(joined) - _full_lines(self._last) if empty else data.count(b"\n")
            self._last = joined[-2:]
        return data

    @property
    def lines(self) -> int:
        """Lines read so far."""
        return self._ends + (not self._last.endswith(b"\n"))


def _full_lines(content: bytes) -> int:
    """Count ends of lines that are not empty."""
    return len(re.findall(rb"[^\r\n]\r?\n", content))


def sources(path: Path) -> list[Source]:
    """Parts of a file that are read one by one: the file itself, or the tables in a zip.

    Raises:
        FileError: the file is missing or cannot be read.
        InputError: a zip without a table.
    """
    if first_bytes(path)[:4] != _ZIP:
        return [Source(path)]
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(name for name in archive.namelist() if name.lower().endswith(_TABLES) and not _hidden(name))
    except (OSError, zipfile.BadZipFile) as error:
        raise FileError(f"expected a zip file at {path}, but it is damaged ({error}); fetch it again") from error
    if not names and any(name.startswith("xl/") for name in archive.namelist()):
        raise InputError(f"expected an AIS file at {path}, found an Excel workbook; save its sheet as CSV (UTF-8)")
    if not names:
        raise InputError(f"expected a table such as ais.csv in {path}, found none; unpack it")
    return [Source(path, name) for name in names]


def _hidden(member: str) -> bool:
    """True for a member of a zip that is no data by its name: a text about them, or what macOS adds to each file."""
    name = member.rsplit("/", 1)[-1]
    return member.startswith("__MACOSX/") or name.startswith("._") or bool(_ABOUT.fullmatch(name))


def first_bytes(path: Path) -> bytes:
    """First bytes of a file on disk, not decompressed.

    Raises:
        FileError: the file is missing or cannot be read.
    """
    if path.is_dir():
        raise FileError(f"expected an AIS file at {path}, found a folder; name its files, such as '{path}/*.csv'")
    try:
        with path.open("rb") as stream:
            return stream.read(_HEAD_BYTES)
    except OSError as error:
        raise FileError(f"expected an AIS file at {path}, but it cannot be read ({error.strerror})") from error


def is_parquet(source: Source) -> bool:
    """True for a Parquet file."""
    return source.member is None and first_bytes(source.path).startswith(_PARQUET)


def head(source: Source) -> bytes:
    """First bytes of the content, decompressed.

    Raises:
        FileError: the file cannot be read.
        InputError: it is empty, or of a known kind that is not read.
    """
    with content(source) as stream:
        first = bytes(stream.read(_HEAD_BYTES))
    if not first.strip():
        raise InputError(f"expected an AIS file at {source.label}, found an empty one")
    known = next((words for magic, words in _BINARY if first.removeprefix(codecs.BOM_UTF8).startswith(magic)), None)
    if first[_TAR_AT:].startswith(_TAR):
        known = _ARCHIVE
    if known is not None:
        raise InputError(f"expected a table or an NMEA log at {source.label}, found {known}")
    return first


def _decoded(stream: Any) -> Any:
    """Buffered stream in UTF-8 of one that may be in UTF-16, as spreadsheets save it."""
    return codecs.EncodedFile(stream, "utf-8", "utf-16") if encoding_of(stream.peek(2)) == "utf-16" else stream


@contextmanager
def content(source: Source) -> Iterator[Any]:
    """Stream of the content, decompressed.

    Raises:
        FileError: the file is missing, damaged or cannot be read.
    """
    try:
        if source.member is not None:
            with zipfile.ZipFile(source.path) as archive, archive.open(source.member) as stream:
                yield _decoded(stream)
            return
        codec = next((name for magic, name in _CODECS if first_bytes(source.path).startswith(magic)), None)
        with source.path.open("rb") as stream:
            if codec is None:
                yield _decoded(stream)
            else:  # buffered, because pyarrow's own stream cannot read lines
                yield _decoded(io.BufferedReader(load_pyarrow().CompressedInputStream(stream, codec)))
    except (FileError, InputError):
        raise
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
        raise FileError(f"expected a whole file at {source.label}, but reading it failed ({error})") from error
