"""Refusal of a request: one sentence with its HTTP status."""

from __future__ import annotations

from collections.abc import Mapping

from refinedet.errors import DiskError, RefineDetError

UNUSABLE, FULL_DISK, BUG = 422, 507, 500


class Refusal(RefineDetError):  # noqa: N818 - the request is refused, which is no fault of the server
    """Request that the server refuses."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status, self.headers = status, dict(headers or {})


def status_of(error: RefineDetError) -> int:
    """Status for an error: its own, 507 for a full disk, else 422."""
    if isinstance(error, Refusal):
        return error.status
    return FULL_DISK if isinstance(error, DiskError) else UNUSABLE
