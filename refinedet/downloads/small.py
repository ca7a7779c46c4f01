"""Small responses of a server, such as JSON, read into memory with the retries of a download."""

from __future__ import annotations

import contextlib
import http.client
import time
import urllib.error
from dataclasses import dataclass, field

from refinedet.downloads.http import ask
from refinedet.downloads.retrying import pause, problem_of
from refinedet.errors import FileError
from refinedet.system.retrying import RetryPolicy, plain_words

MOST_BYTES = 64 << 20
"""Most bytes of a response that are read."""

_BLOCK_BYTES = 1 << 18
_LONGEST_S = 300.0
_TOLD_BYTES = 2000
"""Bytes of a refusal that are searched for its reason."""


@dataclass(frozen=True, slots=True)
class Request:
    """Request for a small response."""

    url: str
    body: bytes | None = None
    """JSON to send by POST; None: a GET."""
    headers: dict[str, str] = field(default_factory=dict)
    refused: str = "check the address"
    """Advice if the server refuses."""


def read_small(request: Request, retry: RetryPolicy | None = None) -> bytes:
    """Read a response; redirects to another host are not followed.

    Raises:
        FileError: the server refuses, cannot be reached, keeps breaking off, or sends more than MOST_BYTES.
    """
    retry = retry or RetryPolicy()
    headers = request.headers | ({} if request.body is None else {"Content-Type": "application/json"})
    shown = request.url.partition("?")[0]
    failures = 0
    while True:
        try:
            with ask(request.url, headers, retry.timeout_s, own_host=True, body=request.body) as response:
                content = _content(response)
            break
        except (http.client.HTTPException, OSError) as error:
            problem = problem_of(shown, error, _reason(error) + request.refused)
            failures += 1
            if failures >= retry.attempts:
                raise FileError(
                    f"expected an answer from {shown}, but {problem.what} ({failures} times); check the network, or "
                    "try again later"
                ) from error
            pause(shown, problem, failures, retry)
    if len(content) > MOST_BYTES:
        raise FileError(f"expected at most {MOST_BYTES >> 20} MB from {shown}, found more; ask for less")
    return content


def _content(response: http.client.HTTPResponse) -> bytes:
    """Read up to MOST_BYTES + 1 bytes; a response that breaks off or takes too long is a network error."""
    content, end = bytearray(), time.monotonic() + _LONGEST_S
    while len(content) <= MOST_BYTES and (block := response.read1(_BLOCK_BYTES)):
        content += block
        if time.monotonic() > end:
            raise TimeoutError("the server is too slow")
    length = response.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and len(content) < min(int(length), MOST_BYTES):
        raise http.client.IncompleteRead(bytes(content))
    return bytes(content)


def _reason(error: Exception) -> str:
    """Reason of a refusal in the server's words; empty if it states none."""
    if not isinstance(error, urllib.error.HTTPError):
        return ""
    with contextlib.suppress(OSError, http.client.HTTPException):
        told = plain_words(error.read(_TOLD_BYTES).decode(errors="replace"))
        return f"it says {told}: " if told and "<" not in told else ""
    return ""
