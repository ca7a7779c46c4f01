"""Network traffic of one scene: its requests and their retries, the fetched bytes and their limit."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from refinedet.cloud.address import Address
from refinedet.cloud.answers import Answer, PassingError, broken
from refinedet.errors import FileError, InputError, RefineDetError
from refinedet.system.retrying import RetryPolicy

if TYPE_CHECKING:
    from refinedet.cloud.transport import Range, Transport

_LOGGER = logging.getLogger(__name__)
_MEGA = 1_000_000
_PIECE_BYTES = 1 << 16
PATIENCE = RetryPolicy(attempts=6, longest_wait_s=60.0)
"""Limits on retries for the files of a scene."""


class Traffic:
    """Requests for the files of one scene."""

    def __init__(self, retry: RetryPolicy | None = None) -> None:
        self.retry = retry or PATIENCE
        self.moved_bytes, self.requests = 0, 0
        self.kept_bytes = 0
        """Bytes stored in complete blocks: they need not be fetched again, so they count as progress."""
        self._told_bytes = 0
        self.most_bytes: int | None = None
        """Most bytes that may be fetched; None: no limit."""
        self.watch: Callable[[int], None] | None = None
        """Function that is called with the number of fetched bytes."""
        self.notes: list[str] = []
        """Sentences for the user."""
        self._web: Transport | None = None
        self._s3: Transport | None = None

    def get(self, address: Address, wanted: Range | None, version: str | None) -> Answer:
        """Send one request, as `Transport.get`."""
        self.requests += 1
        if address.is_s3:
            from refinedet.cloud.s3 import S3Transport

            self._s3 = self._s3 or S3Transport(self.retry.timeout_s)
            return self._s3.get(address, wanted, version)
        from refinedet.cloud.transport import WebTransport  # imported here, because most scenes are files

        self._web = self._web or WebTransport(self.retry.timeout_s)
        return self._web.get(address, wanted, version)

    def small(self, address: Address, most: int) -> bytes:
        """Fetch all of a small file; at most one byte more than `most`.

        Raises:
            FileError, InputError: as `patiently` and `need`.
        """
        found = b""

        def attempt() -> bool:
            nonlocal found
            answer, pieces = self.get(address, None, None), bytearray()
            try:
                while len(pieces) <= most and (piece := answer.read(min(_PIECE_BYTES, most + 1 - len(pieces)))):
                    self.need(address, len(piece))
                    self.moved(len(piece))
                    pieces += piece
            except answer.problems as error:
                if isinstance(error, RefineDetError):
                    raise
                raise broken(error) from error
            finally:
                answer.close()
            if answer.total is not None and len(pieces) < min(answer.total, most + 1):
                raise PassingError("the connection broke off")
            found = bytes(pieces)
            return True

        self.patiently(address, attempt)
        return found

    def tell(self, note: str) -> None:
        """Add a sentence for the user, once."""
        if note not in self.notes:
            self.notes.append(note)

    def moved(self, count: int) -> None:
        """Count fetched bytes."""
        self.moved_bytes += count
        if self.watch is not None and self.moved_bytes >= self._told_bytes + _MEGA:
            self._told_bytes = self.moved_bytes
            self.watch(self.moved_bytes)

    def need(self, address: Address, count: int) -> None:
        """Check that `count` more bytes may be fetched.

        Raises:
            InputError: the limit would be exceeded.
        """
        if self.most_bytes is not None and self.moved_bytes + count > self.most_bytes:
            raise InputError(
                f"expected to move at most {self.most_bytes / _MEGA:,.6g} MB for one scene, found that "
                f"{address} needs more; raise `max_download_mb`"
            )

    def patiently(self, address: Address, attempt: Callable[[], bool]) -> None:
        """Try until `attempt` returns true; wait longer after each failure in a row without a new byte.

        Raises:
            FileError: it fails too often, or the server asks to wait too long; or any error of `attempt` that is final.
        """
        failures = 0
        while True:
            before = self.kept_bytes
            try:
                if attempt():
                    return
                problem = PassingError("the connection broke off")
            except PassingError as error:
                problem = error
            failures = 1 if self.kept_bytes > before else failures + 1
            if failures >= self.retry.attempts:
                raise FileError(
                    f"expected to read {address}, but {problem} ({failures} times in a row); check the network, and "
                    "run the same again: it goes on from what is here"
                ) from TimeoutError(errno.ETIMEDOUT, str(problem))  # an archive retries it later
            wait_s = self.retry.wait_s(failures, problem.wait_s)
            if wait_s > self.retry.longest_wait_s:
                raise FileError(
                    f"expected to read {address}, but {problem} and asks to be left alone for {wait_s:.0f} s; run the "
                    "same again after that: it goes on from what is here"
                ) from TimeoutError(errno.ETIMEDOUT, str(problem))
            _LOGGER.warning("%s: %s; trying again in %.0f s", address, problem, wait_s)
            time.sleep(wait_s)
