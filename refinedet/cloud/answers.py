"""Response to one request for bytes, for all protocols, and the failures of a request."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from refinedet.cloud.address import Address
from refinedet.errors import FileError
from refinedet.system.retrying import PASSING, plain_words, retry_after_s

PARTIAL = 206
"""HTTP status of a response with a range."""
_CHANGED, _BEYOND = 412, 416
_DENIED, _ABSENT = (401, 403), (404, 410)
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class PassingError(Exception):
    """A request failed with an error that may be temporary."""

    def __init__(self, what: str, wait_s: float | None = None) -> None:
        super().__init__(what)
        self.wait_s = wait_s
        """Seconds that the server asks to wait; None if it states none."""


class AbsentError(FileError):
    """There is no object at an address."""


class ChangedError(FileError):
    """The object at an address changed while it was read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Bytes of an object from a server, and its facts on the object."""

    start: int
    """First byte."""
    total: int | None
    """Bytes of the whole object; None if the server does not state them."""
    version: str | None
    """ETag, else the time of the last change; None if the server states neither."""
    read: Callable[[int], bytes]
    """Function that reads up to a number of bytes, none at the end; it raises the errors of the transport."""
    close: Callable[[], None]
    problems: tuple[type[Exception], ...]
    """Errors of `read` that mean a broken connection."""
    partial: bool = False
    """True for a range of the object, false for the whole object."""


def answer_of(
    status: int,
    headers: Mapping[str, str],
    read: Callable[[int], bytes],
    close: Callable[[], None],
    problems: tuple[type[Exception], ...],
) -> Answer:
    """Make the answer of a successful response.

    Raises:
        PassingError: the server does not state the range that it sends.
    """
    version = headers.get("ETag") or headers.get("Last-Modified")
    if status == PARTIAL:
        match = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
        if match is None:
            raise PassingError("the server does not say which bytes it sends")
        return Answer(int(match[1]), int(match[3]), version, read, close, problems, partial=True)
    length = headers.get("Content-Length", "").strip()
    total = int(length) if re.fullmatch(r"[0-9]{1,18}", length) else None
    return Answer(0, total, version, read, close, problems)


def refuse(address: Address, status: int, headers: Mapping[str, str]) -> FileError | PassingError:
    """Error for a response without the bytes."""
    try:
        words = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        words = str(status)
    if status in PASSING:
        return PassingError(f"the server answered {words}", retry_after_s(headers))
    if status in (_CHANGED, _BEYOND):
        return changed(address)
    told = f"expected a file at {address}, but the server answered {words}"
    if status in _DENIED and address.is_s3:
        return FileError(
            f"{told}; check the credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID), and set AWS_REQUEST_PAYER=requester if "
            "the bucket's readers pay and you will"
        )
    if status in _DENIED:
        return FileError(f"{told}; check the address: it may have to be signed, or its signature may have run out")
    return (AbsentError if status in _ABSENT else FileError)(f"{told}; check the address")


def changed(address: Address) -> ChangedError:
    """Error for an object that changed while it was read."""
    return ChangedError(
        f"expected {address} to stay as it was when it was opened, found another version or length; "
        "run the same again with `restart` to begin anew with what is there now"
    )


def broken(error: Exception) -> PassingError:
    """Error for a broken connection, with the words of its deepest cause."""
    return PassingError(plain_words(getattr(error, "reason", "") or error) or type(error).__name__)
