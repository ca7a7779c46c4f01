"""Download of one file from the web, with resume: its bytes stay in a `.part` file until it is complete."""

from __future__ import annotations

import http.client
import logging
import time
import urllib.error
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from io import FileIO
from pathlib import Path

from refinedet.downloads.disk import need_room
from refinedet.downloads.http import PARTIAL, RANGE_REFUSED, SCHEMES, Extent, ask, extent
from refinedet.downloads.partial import Part
from refinedet.downloads.retrying import Problem, pause, problem_of
from refinedet.errors import DiskError, FileError, InputError
from refinedet.files import cannot_write
from refinedet.system.retrying import RetryPolicy

_LOG = logging.getLogger(__name__)
_BLOCK_BYTES = 1 << 18
_LOG_EVERY_S = 5.0
_MEGA = 1e6


Sign = Callable[[str], tuple[str, dict[str, str]]]
"""Function that returns the signed address and the headers of the request."""


@dataclass(frozen=True, slots=True)
class Access:
    """Access to one file: the signature of its address, the allowed hosts, and the check of its bytes."""

    signed: Sign | None = None
    """Signature, made at each attempt and neither logged nor stored; None: the address is used unsigned."""
    own_host: bool = False
    """True: redirects to another host are not followed."""
    check: Callable[[Path, Message], None] | None = None
    """Check of the complete file, with the headers of the last response; it raises FileError to discard the file."""
    unreachable: str = ""
    """Further advice if the server cannot be reached."""
    refused: str = "check the address"
    """Advice if the server refuses."""


def fetch(url: str, target: Path, retry: RetryPolicy | None = None, access: Access | None = None) -> None:
    """Download `url` to `target`; an earlier, interrupted download of the same content is continued.

    Raises:
        FileError: the server refuses, cannot be reached, or keeps breaking off, or the bytes are wrong.
        DiskError: the disk is full or cannot be written.
        InputError: the address is not http(s).
    """
    if (access is None or access.signed is None) and urllib.parse.urlsplit(url).scheme not in SCHEMES:
        raise InputError(f"expected an http(s) address to download from, found {url!r}")
    retry, access = retry or RetryPolicy(), access or Access()
    part = Part(target)
    failures = 0
    while (problem := _try(url, part, retry, access)) is not None:
        moved_on = part.size() > part.before and part.validator(url) is not None
        failures = 1 if moved_on else failures + 1
        if failures >= retry.attempts:
            raise FileError(
                f"expected to download {url}, but {problem.what} ({failures} times); "
                + ", or ".join(filter(None, ["check the network", access.unreachable]))
            )
        pause(url, problem, failures, retry)
    if access.check is not None:
        try:
            access.check(part.path, part.headers)
        except FileError:
            part.discard()
            raise
    part.finish()


def _try(url: str, part: Part, retry: RetryPolicy, access: Access) -> Problem | None:
    """Try once; returns None if the file is complete, else the temporary failure."""
    part.before = part.size()
    try:
        return None if _attempt(url, part, retry, access) else Problem("the connection broke off")
    except FileError:
        raise
    except (http.client.HTTPException, OSError) as error:  # of the network; a disk error is a FileError
        return problem_of(url, error, access.refused)


def _attempt(url: str, part: Part, retry: RetryPolicy, access: Access) -> bool:
    """Make one request; true if the file is complete."""
    validator = part.validator(url)
    have = part.size() if validator else 0
    wanted = {"Range": f"bytes={have}-", "If-Range": validator} if validator else {}
    try:
        asked, own = (url, {}) if access.signed is None else access.signed(url)
        response = ask(asked, own | wanted, retry.timeout_s, own_host=access.own_host)
    except urllib.error.HTTPError as error:
        if error.code == RANGE_REFUSED:  # no bytes are left, or the file has become shorter
            if have and error.headers.get("Content-Range") == f"bytes */{have}":
                part.headers = error.headers
                return True
            part.discard()
            return False
        raise
    with response:
        part.headers = response.headers
        answer = extent(response.status, response.headers)
        partial = response.status == PARTIAL
        # a server that ignores If-Range sends the rest of another file
        changed = partial and bool(have) and answer.validator not in (None, validator)
        if changed or answer.start != (have if partial else 0):
            part.discard()
            return False
        return _store(url, response, part, answer, retry)


def _store(url: str, response: http.client.HTTPResponse, part: Part, answer: Extent, retry: RetryPolicy) -> bool:
    """Write the body of a response to the part file; true if the file is complete then."""
    folder, name = part.path.parent, part.target.name
    need_room(folder, (answer.total or 0) - answer.start, name)
    clock = _Clock(name, answer, retry)
    with _writing(part, url, answer) as stream:
        while block := response.read1(_BLOCK_BYTES):  # returns the bytes at hand: a whole block may take for ever
            if answer.total is None:  # the response may never end
                need_room(folder, len(block), name)
            _put(stream, block, part)
            if not clock.tick(stream.tell()):
                return False
    return answer.total is None or part.size() == answer.total


def _writing(part: Part, url: str, answer: Extent) -> FileIO:
    """Open the part file, unbuffered: bytes count only once they are written, and closing must not fail."""
    try:
        part.set_origin(url, answer.validator)
        return part.path.open("ab" if answer.start else "wb", buffering=0)
    except OSError as error:
        raise _disk(part, error) from error


def _put(stream: FileIO, block: bytes, part: Part) -> None:
    left = memoryview(block)
    try:
        while left:  # a disk that fills up writes part of a block and refuses the rest
            left = left[stream.write(left) :]
    except OSError as error:
        raise _disk(part, error) from error


def _disk(part: Part, error: OSError) -> FileError:
    return cannot_write(part.path, error, part.path, DiskError)


class _Clock:
    """Monitor that logs the progress of a download every few seconds, and detects one that is too slow."""

    def __init__(self, name: str, answer: Extent, retry: RetryPolicy) -> None:
        self._name, self._start, self._total, self._retry = name, answer.start, answer.total, retry
        self._begun = self._logged = self._looked = time.monotonic()
        self._then = answer.start
        if answer.start:
            _LOG.info("%s: going on at %.1f MB", name, answer.start / _MEGA)

    def tick(self, have: int) -> bool:
        """Record that `have` bytes have arrived; false if the server is too slow."""
        now = time.monotonic()
        if now - self._logged >= _LOG_EVERY_S or have == self._total:
            self._logged = now
            self._log(have, now)
        if now - self._looked >= self._retry.slow_s:
            if have - self._then < self._retry.slow_bytes_s * (now - self._looked):
                return have == self._total
            self._looked, self._then = now, have
        return True

    def _log(self, have: int, now: float) -> None:
        rate = (have - self._start) / max(now - self._begun, 1e-3)
        if self._total is None:
            _LOG.info("%s: %.1f MB, %.1f MB/s", self._name, have / _MEGA, rate / _MEGA)
            return
        left_s = (self._total - have) / max(rate, 1.0)
        done = (have / _MEGA, self._total / _MEGA, 100 * have / max(self._total, 1), rate / _MEGA, left_s)
        _LOG.info("%s: %.1f of %.1f MB (%.0f %%), %.1f MB/s, %.0f s left", self._name, *done)
