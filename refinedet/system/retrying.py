"""Retries of requests to servers: which statuses are temporary, how long to wait, and when to give up."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime

PASSING = (408, 425, 429, 500, 502, 503, 504)
"""HTTP statuses after which a new request may succeed."""
_WORDS = 200


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Limits on retries: when to wait, and when to give up."""

    attempts: int = 5
    """Failures in a row, without a new byte, that end the download."""
    timeout_s: float = 30.0
    """Longest silence of the server."""
    backoff_s: float = 1.0
    """Wait after the first failure; it doubles with each further one."""
    longest_wait_s: float = 300.0
    """Longest wait; a server that asks for more (Retry-After) ends the download."""
    slow_bytes_s: float = 100.0
    """Least bytes per second; if a server sends less for `slow_s`, the connection counts as broken."""
    slow_s: float = 60.0

    def wait_s(self, failures: int, asked_s: float | None) -> float:
        """Seconds to wait after `failures` in a row, if the server asks for `asked_s`."""
        own_s: float = self.backoff_s * 2 ** (failures - 1)
        return max(min(own_s, self.longest_wait_s), asked_s or 0.0)


def retry_after_s(headers: Message | Mapping[str, str]) -> float | None:
    """Seconds from the header Retry-After, a number or a date; None if it cannot be read."""
    value = (headers.get("Retry-After") or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    try:
        until = parsedate_to_datetime(value).timestamp()
        date = headers.get("Date")
        now = parsedate_to_datetime(date).timestamp() if date else time.time()
    except (TypeError, ValueError, OverflowError):
        return None
    return max(0.0, until - now)


def plain_words(words: object) -> str:
    """Words of a server or of Python as one short line without control characters."""
    text = " ".join(str(words).split())[:_WORDS]
    return "".join(letter if letter.isprintable() else "?" for letter in text)
