"""Content that a server gives, and what it was asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from refinedet.system.retrying import RetryPolicy

CONTENT = bytes(range(256)) * 400

FEW_RETRIES = RetryPolicy(attempts=3, timeout_s=5, backoff_s=0)


def parts(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.glob("*") if path != target)


def ranges(server: Any) -> list[str | None]:
    return [headers.get("Range") for headers in server.asked]
