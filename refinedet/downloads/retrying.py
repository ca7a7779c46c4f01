"""Retries of downloads: temporary failures, the wait before the next attempt, and when to stop."""

from __future__ import annotations

import logging
import ssl
import time
import urllib.error
from dataclasses import dataclass

from refinedet.errors import FileError
from refinedet.system.retrying import PASSING, RetryPolicy, plain_words, retry_after_s

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """Temporary failure."""

    what: str
    wait_s: float | None = None
    """Seconds that the server asks to wait; None if it states none."""


def problem_of(url: str, error: Exception, refused: str) -> Problem:
    """Convert an error of the network or of a server to a temporary failure.

    Args:
        url: address for the message.
        error: error of urllib or http.client.
        refused: advice if the server refuses.

    Raises:
        FileError: the failure is permanent: the server refuses, or cannot be trusted.
    """
    if isinstance(error, urllib.error.HTTPError):
        answer = f"the server answered {error.code} {plain_words(error.reason)}"
        if error.code not in PASSING:
            raise FileError(f"expected a file at {url}, but {answer}; {refused}") from error
        return Problem(answer, retry_after_s(error.headers))
    reason = getattr(error, "reason", "") or error
    if isinstance(reason, ssl.SSLCertVerificationError):
        raise FileError(
            f"expected to trust {url}, but {reason.verify_message}; name the certificates of your network in "
            "SSL_CERT_FILE, or check the clock"
        ) from error
    return Problem(plain_words(reason) or type(error).__name__)


def pause(url: str, problem: Problem, failures: int, retry: RetryPolicy) -> None:
    """Wait before the next attempt, longer after each of the `failures` in a row.

    Raises:
        FileError: the server asks for a longer wait than `retry` allows.
    """
    wait_s = retry.wait_s(failures, problem.wait_s)
    if wait_s > retry.longest_wait_s:
        raise FileError(
            f"expected to download {url}, but {problem.what} and asks to be left alone for {wait_s:.0f} s; start "
            "again after that, and it goes on where it stopped"
        )
    _LOG.warning("%s: %s; trying again in %.0f s", url, problem.what, wait_s)
    time.sleep(wait_s)
