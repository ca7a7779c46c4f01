"""File at an address, read by ranges: each byte is fetched once, failures are retried, a changed object is an error."""

from __future__ import annotations

import io
import threading
import time
from typing import TYPE_CHECKING, Any

from refinedet.cloud.address import Address
from refinedet.cloud.answers import Answer, ChangedError, PassingError, broken, changed
from refinedet.cloud.blocks import BlockStore
from refinedet.errors import FileError, InputError
from refinedet.system.retrying import RetryPolicy

if TYPE_CHECKING:
    from refinedet.cloud.traffic import Traffic

_HEAD_BYTES = 1 << 14
_PIECE_BYTES = 1 << 13
_MOST_AHEAD_BYTES, _AHEAD_SHARE = 4 << 20, 64
"""Read-ahead for a file that is read in order: most bytes beyond the wanted ones, and the divisor of the file size."""
_MOST_REQUEST_BYTES = 16 << 20
_MOST_BYTES = 1 << 40


class RemoteFile:
    """File at an address. Its methods may be called from any thread."""

    def __init__(self, address: Address, traffic: Traffic) -> None:
        """Take the address; no request is sent before the first use."""
        self.address, self._traffic = address, traffic
        self._lock = threading.RLock()
        self._blocks: BlockStore | None = None
        self._version: str | None = None
        self._last = -1
        """Block after the last one that was fetched."""
        self._ahead = 0
        self._stale = False
        """True once the object has changed: its blocks are useless."""

    def __str__(self) -> str:
        return str(self.address)

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.address.name

    @property
    def stem(self) -> str:
        """Name without suffix."""
        return self.address.path.stem

    @property
    def suffix(self) -> str:
        """Suffix of the name."""
        return self.address.path.suffix

    @property
    def size(self) -> int:
        """Bytes of the file, from the server.

        Raises:
            FileError: it cannot be read.
        """
        return self._opened().size

    @property
    def version(self) -> str | None:
        """ETag, else time of the last change; None if the server states neither."""
        self._opened()
        return self._version

    def open(self) -> RemoteStream:
        """Open a stream of the file."""
        return RemoteStream(self)

    def describe(self) -> dict[str, Any]:
        """Identity of the file, ready for JSON: address, version and length."""
        return {"address": str(self), "version": self.version, "bytes": self.size}

    def read_at(self, offset: int, length: int) -> bytes:
        """Bytes of a range; fewer at the end of the file.

        Raises:
            FileError: they cannot be fetched, or the object has changed.
            DiskError: the disk has no room for them.
            InputError: the limit on bytes would be exceeded.
        """
        with self._lock:
            blocks = self._opened()
            length = max(0, min(length, blocks.size - offset))
            while (lacking := blocks.missing(offset, length)) is not None:
                self._fetch(blocks, *lacking)
            return blocks.get(offset, length)

    def close(self, *, keep: bool) -> None:
        """Close the file; with `keep`, its blocks stay for a run that resumes."""
        with self._lock:
            if self._blocks is not None:
                self._blocks.close(keep=keep and not self._stale)
                self._blocks = None

    def _opened(self) -> BlockStore:
        with self._lock:
            if self._blocks is None:
                self._traffic.patiently(self.address, self._begin)
                self._last, self._ahead = -1, 0
            assert self._blocks is not None  # noqa: S101 - _begin has made them
            return self._blocks

    def _begin(self) -> bool:
        """Request the first bytes; the response states length and version."""
        answer = self._traffic.get(self.address, (0, _HEAD_BYTES), None)
        try:
            if answer.total is None or not answer.total:
                raise FileError(
                    f"expected a file at {self.address} whose server gives ranges or its length, found neither; "
                    "fetch it, and name the file instead"
                )
            if answer.total > _MOST_BYTES:
                raise InputError(
                    f"expected at most {_MOST_BYTES:,} bytes at {self.address}, found {answer.total:,} by what its "
                    "server says; check the address"
                )
            blocks = BlockStore(str(self.address), answer.total, answer.version)
            try:
                self._store_first(blocks, answer)
            except BaseException:
                blocks.close(keep=True)  # its lock would keep the next attempt from these blocks
                raise
            self._version, self._blocks = answer.version, blocks
        finally:
            answer.close()
        return True

    def _store_first(self, blocks: BlockStore, answer: Answer) -> None:
        """Store the first block, or all of them if the server gives no ranges."""
        if not answer.partial:
            self._traffic.tell(f"the server {self.address.host} gives no ranges: its files are fetched whole")
            self._traffic.need(self.address, blocks.size)
            self._store(blocks, answer, blocks.count)
        elif blocks.missing(0, 1) is not None and blocks.length(0) <= _HEAD_BYTES:
            self._store(blocks, answer, 1)

    def _fetch(self, blocks: BlockStore, first: int, stop: int) -> None:
        """Fetch blocks, and following ones if the file is read in order."""
        limit = min(_MOST_AHEAD_BYTES, blocks.size // _AHEAD_SHARE) // blocks.block_bytes
        self._ahead = min(limit, max(1, 2 * self._ahead)) if first == self._last else 0
        stop = min(stop, first + max(1, _MOST_REQUEST_BYTES // blocks.block_bytes))
        stop += blocks.lacking_after(stop, self._ahead) if stop < blocks.count else 0
        self._last = stop

        def attempt() -> bool:
            begin = next((one for one in range(first, stop) if blocks.missing(one * blocks.block_bytes, 1)), stop)
            if begin == stop:
                return True
            wanted = begin * blocks.block_bytes, min(stop * blocks.block_bytes, blocks.size)
            self._traffic.need(self.address, wanted[1] - wanted[0])
            answer = self._traffic.get(self.address, wanted, self._version)
            try:
                self._check(answer, blocks, wanted[0])
                return self._store(blocks, answer, stop if answer.partial else blocks.count)
            finally:
                answer.close()

        try:
            self._traffic.patiently(self.address, attempt)
        except ChangedError:
            self._stale = True
            raise

    def _check(self, answer: Answer, blocks: BlockStore, start: int) -> None:
        """Refuse a response for another object or other bytes."""
        if answer.version != self._version or answer.total != blocks.size:
            raise changed(self.address)
        if answer.partial and answer.start != start:
            raise PassingError(f"the server sent byte {answer.start:,} instead of byte {start:,}")

    def _store(self, blocks: BlockStore, answer: Answer, stop: int) -> bool:
        """Store the blocks of a response, up to block `stop`; true if none of them is missing.

        Raises:
            PassingError: the connection breaks or is too slow.
        """
        block, pending = answer.start // blocks.block_bytes, bytearray()
        clock = _Clock(self._traffic.retry)
        while block < stop:
            try:
                piece = answer.read(min(_PIECE_BYTES, blocks.length(block) - len(pending)))
            except answer.problems as error:
                raise broken(error) from error
            if not piece:
                raise PassingError("the connection broke off")
            self._traffic.moved(len(piece))
            clock.tick(len(piece))
            pending += piece
            if len(pending) == blocks.length(block):
                if blocks.missing(block * blocks.block_bytes, 1) is not None:
                    blocks.put(block, bytes(pending))
                    self._traffic.kept_bytes += len(pending)
                block, pending = block + 1, bytearray()
        return True


class RemoteStream(io.RawIOBase):
    """Stream of a remote file, for readers that seek."""

    def __init__(self, file: RemoteFile) -> None:
        self._file, self._at = file, 0

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes, or all that follow.

        Raises:
            As `RemoteFile.read_at`.
        """
        found = self._file.read_at(self._at, self._file.size - self._at if size is None or size < 0 else size)
        self._at += len(found)
        return found

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a byte, counted from the start, the current position or the end."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size if whence == io.SEEK_END else 0}
        self._at = max(0, base[whence] + offset)
        return self._at

    def tell(self) -> int:
        """Position of the next byte."""
        return self._at

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True


class _Clock:
    """Monitor that detects a server that is too slow."""

    def __init__(self, retry: RetryPolicy) -> None:
        self._retry, self._since, self._bytes = retry, time.monotonic(), 0

    def tick(self, count: int) -> None:
        """Record the arrival of `count` bytes.

        Raises:
            PassingError: the bytes arrive too slowly.
        """
        self._bytes += count
        spent = time.monotonic() - self._since
        if spent < self._retry.slow_s:
            return
        if self._bytes < self._retry.slow_bytes_s * spent:
            raise PassingError(f"the server sends less than {self._retry.slow_bytes_s:.0f} bytes a second")
        self._since, self._bytes = time.monotonic(), 0
