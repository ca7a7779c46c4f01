"""Chunks of an array, decoded by zarr after their headers were checked.

A compressed chunk states its decoded size, and a decoder trusts it: four bytes can request two gigabytes. So the size
must be that of a chunk of the array. Formats: Blosc 1 header; RFC 8878 (Zstandard), frames and blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from refinedet.errors import FileError
from refinedet.extras import check_extra
from refinedet.raster.stores.arrays import ArrayInfo
from refinedet.raster.stores.files import StoreFiles

if TYPE_CHECKING:
    import zarr

_MORE_BYTES, _MORE_SHARE = 1 << 16, 64
"""Bytes, and 1/n of its size, by which a compressed chunk may exceed the chunk, because noise does not compress."""
_BLOSC_HEADER = 16
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_CHECKSUM = 4


class Chunks:
    """Chunks of one array of a store."""

    def __init__(self, files: StoreFiles, info: ArrayInfo) -> None:
        check_extra("zarr", "a product in a Zarr store")
        self.files, self.info = files, info
        self._held: dict[str, Any] = {}
        self._array: zarr.Array[Any] | None = None

    def holds(self, place: tuple[int, ...]) -> bool:
        """True if a chunk is stored; a chunk that is not stored holds the fill value."""
        return self.files.size(self.info.file(place)) is not None

    def read(self, place: tuple[int, ...]) -> NDArray[Any]:
        """Decode one chunk, cut to the array; for texts, the last axis holds the code points of the letters.

        Raises:
            FileError: the chunk is damaged.
            InputError: the chunk lies outside of the store, or is too large.
        """
        info = self.info
        most = info.chunk_bytes + info.chunk_bytes // _MORE_SHARE + _MORE_BYTES
        content = self.files.read(info.file(place), most)
        part = tuple(
            slice(k * side, min((k + 1) * side, whole))
            for k, side, whole in zip(place, info.chunks, info.shape, strict=True)
        )
        if content is None:
            shape = tuple(one.stop - one.start for one in part)
            return np.full(shape, info.fill if info.dtype.kind == "f" else int(info.fill), _native(info.dtype))
        body = content[:-_CHECKSUM] if info.checksum else content
        if (size := _decoded_bytes(body, info.codec)) != info.chunk_bytes:
            raise self._damaged(place, f"{'no size' if size is None else f'{size:,} bytes'}")
        return self._decoded(place, part, content)

    def _decoded(self, place: tuple[int, ...], part: tuple[slice, ...], content: bytes) -> NDArray[Any]:
        from zarr.core.buffer import default_buffer_prototype

        key = "/".join(["c", *map(str, place)]) + ("/0" if self.info.dtype.kind == "U" else "")
        array = self._opened()
        self._held[key] = default_buffer_prototype().buffer.from_bytes(content)
        try:
            found = np.asarray(array[part])
        except Exception as error:  # errors of zarr, its codecs and checksums have no common base class
            raise self._damaged(place, f"content that cannot be decoded ({type(error).__name__})") from error
        finally:
            del self._held[key]
        return found.astype(found.dtype.newbyteorder("="), copy=False)

    def _opened(self) -> zarr.Array[Any]:
        """Array whose store is in memory, so that zarr opens no file."""
        if self._array is None:
            import zarr
            from zarr.core.buffer import default_buffer_prototype
            from zarr.storage import MemoryStore

            self._held["zarr.json"] = default_buffer_prototype().buffer.from_bytes(self.info.document())
            self._array = zarr.open_array(MemoryStore(self._held, read_only=True), mode="r", zarr_format=3)
        return self._array

    def _damaged(self, place: tuple[int, ...], found: str) -> FileError:
        return FileError(
            f"expected {self.info.chunk_bytes:,} bytes in chunk {self.info.file(place)} of {self.files.path}, found "
            f"{found}; the store is damaged, fetch the product again"
        )


def read_array(files: StoreFiles, info: ArrayInfo) -> NDArray[Any]:
    """Read a whole array; texts become strings.

    Raises:
        FileError, InputError: as `Chunks.read`.
    """
    chunks = Chunks(files, info)
    letters = (info.dtype.itemsize // 4,) if info.dtype.kind == "U" else ()
    kind = np.dtype(np.uint32) if letters else _native(info.dtype)
    whole = np.empty((*info.shape, *letters), kind)
    for place in np.ndindex(*info.grid):
        found = chunks.read(place)
        start = [k * side for k, side in zip(place, info.chunks, strict=True)]
        part = tuple(slice(a, a + n) for a, n in zip(start, found.shape, strict=False))
        whole[part] = found
    return np.ascontiguousarray(whole).view(f"U{letters[0]}")[..., 0] if letters else whole


def _native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.uint32) if dtype.kind == "U" else dtype.newbyteorder("=")


def _decoded_bytes(content: bytes, codec: str | None) -> int | None:
    """Decoded size of a chunk in bytes; None if its header does not state it, or states another length of the chunk."""
    if codec is None:
        return len(content)
    if codec == "blosc":
        whole = len(content) >= _BLOSC_HEADER and int.from_bytes(content[12:16], "little") == len(content)
        return int.from_bytes(content[4:8], "little") if whole else None  # blosc would read beyond a truncated chunk
    return _zstd_bytes(content)


def _zstd_bytes(content: bytes) -> int | None:
    """Size of the content of a single Zstandard frame; None if it is not stated, or more data follow."""
    if len(content) < 6 or content[:4] != _ZSTD_MAGIC:
        return None
    flags = content[4]
    alone, dictionary = flags >> 5 & 1, (0, 1, 2, 4)[flags & 3]
    size_bytes = (1 if alone else 0, 2, 4, 8)[flags >> 6]
    start = 5 + (0 if alone else 1) + dictionary
    if size_bytes == 0 or len(content) < start + size_bytes:
        return None
    size = int.from_bytes(content[start : start + size_bytes], "little") + (256 if size_bytes == 2 else 0)
    place, last = start + size_bytes, False
    while not last:
        head = int.from_bytes(content[place : place + 3], "little")
        if place + 3 > len(content):
            return None
        last, kind = bool(head & 1), head >> 1 & 3
        place += 3 + (1 if kind == 1 else head >> 3)  # a run of one byte is stored as that byte
    return size if place + (_CHECKSUM if flags >> 2 & 1 else 0) == len(content) else None
