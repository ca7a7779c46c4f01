"""Blocks of a remote file on the local disk: each is fetched once, even over interrupted runs, and checked on reuse.

One version of one object has two files in the cache folder: a sparse file with its bytes, and a file with a checksum
for each block, 0 for a missing block. Their names are a hash of address, version and length. Blocks of an object
without a version, or of one that another run is reading, are kept for this run only.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import time
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from refinedet.errors import DiskError, FileError
from refinedet.files import cannot_write
from refinedet.system.locks import lock_alone, open_file, open_log
from refinedet.system.user_cache import cache_folder

_LOGGER = logging.getLogger(__name__)
_FOLDER = "scenes"
_LEAST_BLOCK_BYTES, _MOST_BLOCKS = 1 << 14, 1 << 16
_KEPT_S = 14 * 86400.0
"""Age in seconds at which blocks of an interrupted run are removed."""
_CHECKSUM = np.dtype("<u4")


class BlockStore:
    """Blocks of one version of a remote file. Use it from one thread at a time."""

    def __init__(self, name: str, size: int, version: str | None) -> None:
        """Open the existing blocks, if any, of the file `name` of `size` bytes in this `version`.

        Raises:
            DiskError: no file can be created for them.
        """
        self.block_bytes = _LEAST_BLOCK_BYTES
        while self.block_bytes * _MOST_BLOCKS < size:
            self.block_bytes *= 2
        self.size, self.count = size, -(-size // self.block_bytes)
        folder = cache_folder(_FOLDER)
        key = hashlib.sha256(json.dumps([name, version, size]).encode()).hexdigest()[:32]
        self._paths: tuple[Path, ...] = folder / f"{key}.bytes", folder / f"{key}.sums"
        with self._disk_errors_in_words():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _remove_old(folder)
            self._bytes, self._sums = streams = self._open(folder, kept=version is not None)
            self._closed = weakref.finalize(self, _close, streams)  # even if the scene is never closed
            self._bytes.truncate(size)
            found = _read_at(self._sums, self.count * _CHECKSUM.itemsize, 0)
            self._sums.truncate(self.count * _CHECKSUM.itemsize)
        self._checksums = np.zeros(self.count, _CHECKSUM)
        known = np.frombuffer(found[: len(found) // 4 * 4], _CHECKSUM)
        self._checksums[: len(known)] = known
        self._checked = np.zeros(self.count, np.bool_)

    def _open(self, folder: Path, *, kept: bool) -> tuple[BinaryIO, BinaryIO]:
        """Streams of the two files; temporary files if the blocks cannot be kept."""
        if kept:
            streams = [os.fdopen(open_file(path), "r+b", buffering=0) for path in self._paths]
            try:
                lock_alone(self._paths[1], streams[1].fileno(), "")
            except FileError:
                _LOGGER.info("another run reads the same object: its blocks are not shared")
                for stream in streams:
                    stream.close()
            else:
                return streams[0], streams[1]
        self._paths = ()
        one, other = (tempfile.TemporaryFile(dir=folder, buffering=0) for _ in range(2))  # noqa: SIM115 - until `close`
        return one, other

    def missing(self, offset: int, length: int) -> tuple[int, int] | None:
        """First run of missing blocks (first, after the last) of a range of bytes; None if no block is missing."""
        if length < 1:
            return None
        first, last = offset // self.block_bytes, -(-(offset + length) // self.block_bytes)
        for block in range(first, last):
            self._check(block)
        lacking = np.flatnonzero(self._checksums[first:last] == 0)
        if not len(lacking):
            return None
        end = int(lacking[0])
        while end < last - first and self._checksums[first + end] == 0:
            end += 1
        return first + int(lacking[0]), first + end

    def lacking_after(self, block: int, most: int) -> int:
        """Number of missing blocks from `block` on, at most `most`."""
        there = np.flatnonzero(self._checksums[block : block + most])
        return int(there[0]) if len(there) else min(most, self.count - block)

    def length(self, block: int) -> int:
        """Bytes of a block; the last one may be shorter."""
        return min(self.block_bytes, self.size - block * self.block_bytes)

    def put(self, block: int, content: bytes) -> None:
        """Store a block.

        Raises:
            DiskError: the disk is full or failing.
        """
        checksum = np.array([zlib.crc32(content) or 1], _CHECKSUM)
        with self._disk_errors_in_words():
            _write_at(self._bytes, content, block * self.block_bytes)
            _write_at(self._sums, checksum.tobytes(), block * _CHECKSUM.itemsize)
        self._checksums[block], self._checked[block] = checksum[0], True

    def get(self, offset: int, length: int) -> bytes:
        """Bytes of a range without missing blocks."""
        with self._disk_errors_in_words():
            return _read_at(self._bytes, length, offset)

    def close(self, *, keep: bool) -> None:
        """Close the files; without `keep` they are removed."""
        self._closed()
        if not keep:
            for path in self._paths:
                with suppress(OSError):
                    path.unlink(missing_ok=True)

    def _check(self, block: int) -> None:
        """Drop a block of an earlier run if a crash of the machine damaged it."""
        if self._checked[block] or not self._checksums[block]:
            return
        content = self.get(block * self.block_bytes, self.length(block))
        if (zlib.crc32(content) or 1) == self._checksums[block]:
            self._checked[block] = True
        else:
            self._checksums[block] = 0

    @contextmanager
    def _disk_errors_in_words(self) -> Iterator[None]:
        """Turn a disk error into one sentence."""
        try:
            yield
        except OSError as error:
            if isinstance(error, FileError):
                raise
            folder = cache_folder(_FOLDER)
            raise cannot_write(f"blocks of the scene in {folder}", error, folder, DiskError) from error


def _close(streams: tuple[BinaryIO, BinaryIO]) -> None:
    for stream in streams:
        stream.close()


def _read_at(stream: BinaryIO, length: int, offset: int) -> bytes:
    """Bytes from an offset on; fewer at the end."""
    stream.seek(offset)
    found = bytearray()
    while len(found) < length and (piece := stream.read(length - len(found))):
        found += piece
    return bytes(found)


def _write_at(stream: BinaryIO, content: bytes, offset: int) -> None:
    stream.seek(offset)
    while content:
        content = content[stream.write(content) :]


def _remove_old(folder: Path) -> None:
    """Remove old blocks of interrupted runs, unless a run uses them."""
    for sums in folder.glob("*.sums"):
        with suppress(OSError):
            if time.time() - sums.stat().st_mtime < _KEPT_S:
                continue
            descriptor = open_log(sums)
            try:
                lock_alone(sums, descriptor, "")
                sums.with_suffix(".bytes").unlink(missing_ok=True)
                sums.unlink()
            finally:
                os.close(descriptor)
