"""An unfinished download beside its target: the bytes so far, and what the server said they are part of."""

from __future__ import annotations

from pathlib import Path

from refinedet.errors import InputError
from refinedet.files import move_file, read_json, write_json


class Part:
    """`<target>.part` and `<target>.part.json`; both are gone once the file is whole."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".part")
        self._origin = target.with_name(target.name + ".part.json")
        self.before = 0
        """Bytes that were here before the latest attempt."""

    def size(self) -> int:
        """Bytes already here."""
        return self.path.stat().st_size if self.path.exists() else 0

    def validator(self, url: str) -> str | None:
        """What must still hold at the server for the bytes here to be of use; None if they are of no use."""
        if not self.size() or not self._origin.exists():
            return None
        try:
            origin = read_json(self._origin)
        except InputError:
            return None
        known = isinstance(origin, dict) and origin.get("url") == url
        return str(origin["validator"]) if known and origin.get("validator") else None

    def set_origin(self, url: str, validator: str | None) -> None:
        """Remember what the bytes that follow are part of."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._origin, {"url": url, "validator": validator})

    def discard(self) -> None:
        """Forget everything."""
        self.path.unlink(missing_ok=True)
        self._origin.unlink(missing_ok=True)

    def finish(self) -> None:
        """The bytes become the target."""
        move_file(self.path, self.target)
        self._origin.unlink(missing_ok=True)
