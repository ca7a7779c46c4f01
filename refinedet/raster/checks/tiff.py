"""Check of the header of a TIFF against the file, before GDAL reads it. BigTIFF and COG included.

A header may claim anything: a strip of four gigabytes, pixels beyond the end of the file, a codec that trusts its
input. The check is cheap for every file, and a file that passes decodes in bounded memory.
Layout: TIFF 6.0, sections 2 and 15; BigTIFF by Adobe's and AWare's description.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from refinedet.errors import FileError, InputError

COMPRESSIONS = {
    1: "none",
    5: "LZW",
    7: "JPEG",
    8: "deflate",
    32773: "PackBits",
    32946: "deflate",
    34887: "LERC",
    50000: "ZSTD",
    50001: "WebP",
}
"""Supported compressions. Refused are fax and old JPEG, which no sensor needs, and LZMA, which may need 4 GiB."""

MAX_BLOCK_BYTES = 256 << 20
"""Largest decoded size in bytes of one strip or tile, which GDAL holds in memory even for a single pixel."""
MAX_TAG_BYTES = 4 << 20
"""Largest size in bytes of one tag (metadata, control points, colours), except the tables of strips and tiles."""
MAX_SNAP_BYTES = 64 << 20
"""Largest size in bytes of the XML that ESA's toolbox SNAP writes into a file; a real one has 8 million. GDAL needs
five times as much memory for it."""
MAX_METADATA_BYTES = 256 << 10
"""Largest size in bytes of the XML with GDAL's metadata, because its time grows with the square of their number."""
MAX_BANDS = 512
"""Largest number of bands of a file, because GDAL takes seconds to describe thousands."""

_MAX_DIRECTORIES = 256
_MAX_ENTRIES = 512
_MAX_SIDE = 2**31 - 1
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_WHOLE_NUMBERS = {1: "u1", 3: "u2", 4: "u4", 16: "u8"}
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _BANDS = 256, 257, 258, 259, 277
_STRIP_OFFSETS, _STRIP_ROWS, _STRIP_BYTES, _PLANAR = 273, 278, 279, 284
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES = 322, 323, 324, 325
_METADATA, SNAP_XML = 42112, 65000
TIE_POINTS = 33922
_TEXT, _DOUBLE = 2, 12
"""Types of a tag's values."""
_SUBFILE, _OLD_SUBFILE = 254, 255
_REDUCED_OR_MASK, _OLD_REDUCED = 0b101, 2
"""Bits of the tag NewSubfileType, and the value of its predecessor, that mark an overview or a mask."""
_TABLES = {_STRIP_OFFSETS, _STRIP_BYTES, _TILE_OFFSETS, _TILE_BYTES}
_SPLIT_ROWS = 2000
"""Rows of an uncompressed strip above which GDAL reads it row by row."""


@dataclass(frozen=True, slots=True)
class Page:
    """Picture of a TIFF: its number from 1, as in GDAL, and its size in pixels."""

    number: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class _Entry:
    """Tag of a picture: type, count and place of its values."""

    kind: int
    count: int
    offset: int


class _File:
    """TIFF that is read piece by piece, never beyond its end."""

    def __init__(self, stream: BinaryIO, size: int, where: object) -> None:
        self._stream, self.size, self.where = stream, size, where
        head = self.read(0, 4)
        self.order = "<" if head[:2] == b"II" else ">"
        self.big = struct.unpack(self.order + "H", head[2:])[0] == 43
        self.word = "Q" if self.big else "I"
        self.first = self.number(8 if self.big else 4, self.word)

    def read(self, offset: int, length: int) -> bytes:
        if offset + length > self.size:
            self.damaged("what its header points to", f"its end at byte {self.size:,}")
        self._stream.seek(offset)
        found = self._stream.read(length)
        if len(found) != length:
            self.damaged("what its header points to", "its end")
        return found

    def number(self, offset: int, kind: str) -> int:
        return int(struct.unpack(self.order + kind, self.read(offset, struct.calcsize(kind)))[0])

    def damaged(self, expected: str, found: str) -> NoReturn:
        raise FileError(
            f"expected {expected} in {self.where}, found {found}; the file looks damaged or cut off, "
            "so fetch or copy it again"
        )


def check_tiff(stream: BinaryIO, size: int, where: object, max_pixels: int) -> tuple[Page, ...]:
    """Refuse a TIFF whose header does not fit the file or needs too much memory; `size` is that of `stream` in bytes.

    Returns all pages after the first that are neither overviews nor masks.

    Raises:
        FileError: the header is damaged, or points beyond the end of the file.
        InputError: the picture, or a block that must be decoded at once, is too large, or its compression is unknown.
    """
    file = _File(stream, size, where)
    offset, seen, pages = file.first, set[int](), []
    while offset:
        if offset in seen or len(seen) == _MAX_DIRECTORIES:
            file.damaged(f"at most {_MAX_DIRECTORIES} pictures, one after the other", "more, or a circle of them")
        entries, following = _directory(file, offset)
        _check_picture(file, entries, max_pixels)
        if seen and not _is_overview_or_mask(file, entries):
            pages.append(Page(len(seen) + 1, *(_value(file, entries, tag, None) for tag in (_WIDTH, _HEIGHT))))
        seen.add(offset)
        offset = following
    if not seen:
        file.damaged("a picture", "none")
    return tuple(pages)


def _is_overview_or_mask(file: _File, entries: dict[int, _Entry]) -> bool:
    marked = _value(file, entries, _SUBFILE, 0) & _REDUCED_OR_MASK
    return bool(marked) or _value(file, entries, _OLD_SUBFILE, 0) == _OLD_REDUCED


def read_text(stream: BinaryIO, size: int, where: object, tag: int, chunk_bytes: int) -> Iterator[bytes]:
    """Read a text tag of the first picture, piece by piece; yields nothing if there is none.

    Raises:
        FileError, InputError: as `check_tiff`.
    """
    file = _File(stream, size, where)
    entry = _directory(file, file.first)[0].get(tag)
    if entry is not None and entry.kind == _TEXT:
        for start in range(0, entry.count, chunk_bytes):
            yield file.read(entry.offset + start, min(chunk_bytes, entry.count - start))


def read_tie_points(stream: BinaryIO, size: int, where: object) -> NDArray[np.float64]:
    """Read the tie points (N, 6) of the first picture: column, row, 0, and the place x, y, z; (0, 6) if there are none.

    Raises:
        FileError, InputError: as `check_tiff`.
    """
    file = _File(stream, size, where)
    entry = _directory(file, file.first)[0].get(TIE_POINTS)
    if entry is None or entry.kind != _DOUBLE:
        return np.zeros((0, 6))
    count = entry.count // 6
    return np.frombuffer(file.read(entry.offset, count * 48), f"{file.order}f8").reshape(count, 6).astype(np.float64)


def _directory(file: _File, offset: int) -> tuple[dict[int, _Entry], int]:
    """Tags of the picture described at `offset`, and the offset of the next one."""
    count_kind, entry_kind = ("Q", "HHQ") if file.big else ("H", "HHI")
    count = file.number(offset, count_kind)
    if not 0 < count <= _MAX_ENTRIES:
        file.damaged(f"1 to {_MAX_ENTRIES} tags", f"{count:,}")
    offset += struct.calcsize(file.order + count_kind)
    head, inline = struct.calcsize(file.order + entry_kind), 8 if file.big else 4
    content = file.read(offset, count * (head + inline))
    entries: dict[int, _Entry] = {}
    for start in range(0, len(content), head + inline):
        tag, kind, values = struct.unpack_from(file.order + entry_kind, content, start)
        length = values * _TYPE_BYTES.get(kind, 1)
        place = offset + start + head
        if length > inline:
            place = struct.unpack_from(file.order + file.word, content, start + head)[0]
            if place + length > file.size:
                file.damaged(f"the {length:,} bytes of tag {tag}", f"the end of the file at byte {file.size:,}")
        most = {_METADATA: MAX_METADATA_BYTES, SNAP_XML: MAX_SNAP_BYTES}.get(tag, MAX_TAG_BYTES)
        if length > most and tag not in _TABLES:
            raise InputError(
                f"expected at most {most >> 10} kB in tag {tag} of {file.where}, found {length:,} bytes; "
                "write the scene again without this metadata"
            )
        if tag in entries:
            file.damaged("each tag once", f"tag {tag} twice")
        entries[tag] = _Entry(kind, values, place)
    return entries, file.number(offset + len(content), file.word)


def _check_picture(file: _File, entries: dict[int, _Entry], max_pixels: int) -> None:
    width, height = (_value(file, entries, tag, None) for tag in (_WIDTH, _HEIGHT))
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        file.damaged("a picture of at least one pixel", f"{width} x {height}")
    check_pixels(file.where, width, height, max_pixels)
    compression = _value(file, entries, _COMPRESSION, 1)
    if compression not in COMPRESSIONS:
        raise InputError(
            f"expected a compression of {', '.join(dict.fromkeys(COMPRESSIONS.values()))} in {file.where}, "
            f"found number {compression}; write the scene again with one of these"
        )
    bands = _value(file, entries, _BANDS, 1)
    bits = _value(file, entries, _BITS, 1)
    if not 0 < bands <= MAX_BANDS or not 0 < bits <= 128:
        file.damaged(f"1 to {MAX_BANDS} bands of 1 to 128 bits", f"{bands} of {bits}")
    planes = bands if _value(file, entries, _PLANAR, 1) == 2 else 1
    tiled = _TILE_OFFSETS in entries or _TILE_WIDTH in entries
    if tiled:
        wide, high = (_value(file, entries, tag, None) for tag in (_TILE_WIDTH, _TILE_HEIGHT))
    else:
        wide, high = width, min(height, _value(file, entries, _STRIP_ROWS, height) or height)
    if wide < 1 or high < 1:
        file.damaged("tiles of at least one pixel", f"{wide} x {high}")
    row_bytes = -(-wide * bits * (bands // planes) // 8)
    by_row = compression == 1 and not tiled and high == height > _SPLIT_ROWS
    if row_bytes * (1 if by_row else high) > MAX_BLOCK_BYTES:
        raise InputError(
            f"expected strips or tiles of at most {MAX_BLOCK_BYTES >> 20} MB in {file.where}, found {wide} x {high} "
            f"pixels of {row_bytes * high:,} bytes; write it again in tiles: gdal_translate -co TILED=YES"
        )
    count = -(-width // wide) * -(-height // high) * planes
    tags = (_TILE_OFFSETS, _TILE_BYTES) if tiled else (_STRIP_OFFSETS, _STRIP_BYTES)
    offsets, lengths = (_table(file, entries, tag, count) for tag in tags)
    if compression == 1:  # some writers count the rows of the last strip below the picture
        last = high if tiled else height - (-(-height // high) - 1) * high
        needed = np.where(np.arange(count) % (count // planes) == count // planes - 1, last, high) * row_bytes
        lengths = np.minimum(lengths, needed.astype(np.uint64))
    ends = offsets + lengths
    beyond = (ends > file.size) | (ends < offsets)
    if beyond.any():
        file.damaged(f"pixels up to byte {int(ends.max()):,}", f"its end at byte {file.size:,}")


def _value(file: _File, entries: dict[int, _Entry], tag: int, default: int | None) -> int:
    """First value of a tag of whole numbers."""
    entry = entries.get(tag)
    if entry is None or entry.count < 1:
        if default is None:
            file.damaged(f"tag {tag}", "none")
        return default
    if entry.kind not in _WHOLE_NUMBERS:
        file.damaged(f"whole numbers in tag {tag}", f"type {entry.kind}")
    return int(_numbers(file, entry, 1)[0])


def _table(file: _File, entries: dict[int, _Entry], tag: int, count: int) -> NDArray[np.uint64]:
    """First `count` values of a table of strips or tiles."""
    entry = entries.get(tag)
    if entry is None or entry.kind not in _WHOLE_NUMBERS or entry.count < count:
        file.damaged(f"the places of {count:,} strips or tiles", f"{0 if entry is None else entry.count:,}")
    return _numbers(file, entry, count)


def _numbers(file: _File, entry: _Entry, count: int) -> NDArray[np.uint64]:
    kind = np.dtype(file.order + _WHOLE_NUMBERS[entry.kind])
    return np.frombuffer(file.read(entry.offset, count * kind.itemsize), kind).astype(np.uint64)


def check_pixels(where: object, width: int, height: int, max_pixels: int) -> None:
    """Refuse a scene of more than `max_pixels` pixels.

    Raises:
        InputError: it has more pixels.
    """
    if width * height > max_pixels:
        raise InputError(
            f"expected at most {max_pixels:,} pixels in {where}, found {width} x {height}; "
            "cut the scene, or raise `max_pixels` if it is right"
        )
