"""Files that a run goes on from: a lock for one writer at a time, and the differences from an earlier run."""

from __future__ import annotations

import errno
import fcntl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from refinedet.errors import FileError

_SHOWN_CHARACTERS = 16
"""Most characters of a value in a message."""


def lock_alone(path: Path, descriptor: int, otherwise: str) -> None:
    """Lock an open file for this process until it is closed; a file system without locks is accepted.

    Raises:
        FileError: another run writes it; the sentence ends with `otherwise`, the other thing to do.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise FileError(
                f"expected to be the only run that writes {path}, found another one at work; wait for it, "
                f"or {otherwise}"
            ) from None


def differences(before: Mapping[str, Any], now: Mapping[str, Any], *, gone: bool = False) -> list[str]:
    """Names in `now` whose value was another one before, with both values; dots join the names of nested mappings.

    With `gone`, names that are only in `before` are differences, too.
    """
    then, wanted = _flat(before), _flat(now)
    names = {*then, *wanted} if gone else set(wanted)
    return [
        f"{name} was {_short(then.get(name))}, is {_short(wanted.get(name))}"
        for name in sorted(names)
        if then.get(name) != wanted.get(name)
    ]


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, item in value.items():
        flat |= _flat(item, f"{prefix}{key}.") if isinstance(item, Mapping) else {f"{prefix}{key}": item}
    return flat


def _short(value: Any) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
