"""Patience with servers: failures that may pass by themselves, the wait before the next attempt, and the end of it."""

from __future__ import annotations

import logging
import ssl
import time
import urllib.error
from dataclasses import dataclass

from refinedet.downloads.http import PASSING, retry_after_s
from refinedet.errors import FileError

_LOG = logging.getLogger(__name__)
_WORDS = 200


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Limits on retries: when to wait, and when to give up."""

    attempts: int = 5
    """Failures in a row, without one new byte, that end the download."""
    timeout_s: float = 30.0
    """Longest silence of the server."""
    backoff_s: float = 1.0
    """Wait after the first failure; it doubles with each further one."""
    longest_wait_s: float = 300.0
    """Longest wait; a server that asks for more (Retry-After) ends the download."""
    slow_bytes_s: float = 100.0
    """Least bytes a second; a server that sends less for `slow_s` on end counts as one that broke off."""
    slow_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Problem:
    """Failure that may pass by itself."""

    what: str
    wait_s: float | None = None
    """Seconds that the server asks to wait; None if it does not say."""


def problem_of(url: str, error: Exception, refused: str) -> Problem:
    """Failure of the network or of a server as one that may pass.

    Args:
        url: address for the message.
        error: error of urllib or http.client.
        refused: advice where the server refuses.

    Raises:
        FileError: it does not pass: the server refuses, or cannot be trusted.
    """
    if isinstance(error, urllib.error.HTTPError):
        answer = f"the server answered {error.code} {plain(error.reason)}"
        if error.code not in PASSING:
            raise FileError(f"expected a file at {url}, but {answer}; {refused}") from error
        return Problem(answer, retry_after_s(error.headers))
    reason = getattr(error, "reason", "") or error
    if isinstance(reason, ssl.SSLCertVerificationError):
        raise FileError(
            f"expected to trust {url}, but {reason.verify_message}; name the certificates of your network in "
            "SSL_CERT_FILE, or check the clock"
        ) from error
    return Problem(plain(reason) or type(error).__name__)


def pause(url: str, problem: Problem, failures: int, retry: RetryPolicy) -> None:
    """Wait before the next attempt, longer after each of the `failures` in a row.

    Raises:
        FileError: the server asks for a longer wait than is kept.
    """
    wait_s = min(retry.backoff_s * 2 ** (failures - 1), retry.longest_wait_s)
    if problem.wait_s is not None:
        wait_s = max(wait_s, problem.wait_s)
    if wait_s > retry.longest_wait_s:
        raise FileError(
            f"expected to download {url}, but {problem.what} and asks to be left alone for {wait_s:.0f} s; start "
            "again after that, and it goes on where it stopped"
        )
    _LOG.warning("%s: %s; trying again in %.0f s", url, problem.what, wait_s)
    time.sleep(wait_s)


def plain(words: object) -> str:
    """Words of a server or of Python as one short line without control characters."""
    text = " ".join(str(words).split())[:_WORDS]
    return "".join(letter if letter.isprintable() else "?" for letter in text)
