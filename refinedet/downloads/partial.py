"""Unfinished download beside its target: the bytes so far, and their origin as stated by the server."""

from __future__ import annotations

from email.message import Message
from pathlib import Path

from refinedet.errors import InputError
from refinedet.files import move_file, read_json, write_json


class Part:
    """Files `<target>.part` and `<target>.part.json`; both are removed once the download is complete."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".part")
        self._origin = target.with_name(target.name + ".part.json")
        self.before = 0
        """Number of bytes before the latest attempt."""
        self.headers = Message()
        """Headers of the latest response."""

    def size(self) -> int:
        """Number of bytes so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    def validator(self, url: str) -> str | None:
        """Validator (ETag or date) of the bytes so far, for a request that resumes; None if they cannot be used."""
        if not self.size() or not self._origin.exists():
            return None
        try:
            origin = read_json(self._origin)
        except InputError:
            return None
        known = isinstance(origin, dict) and origin.get("url") == url
        return str(origin["validator"]) if known and origin.get("validator") else None

    def set_origin(self, url: str, validator: str | None) -> None:
        """Record the address and version of the following bytes."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._origin, {"url": url, "validator": validator})

    def discard(self) -> None:
        """Delete the bytes and their origin."""
        self.path.unlink(missing_ok=True)
        self._origin.unlink(missing_ok=True)

    def finish(self) -> None:
        """Move the bytes to the target."""
        move_file(self.path, self.target)
        self._origin.unlink(missing_ok=True)
