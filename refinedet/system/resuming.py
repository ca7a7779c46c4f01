"""Differences between a run and the earlier run that it resumes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SHOWN_CHARACTERS = 16
"""Most characters of a value in a message."""
_CODE = "software.code"
"""End of the name of the hash of this package's code."""


def differences(before: Mapping[str, Any], now: Mapping[str, Any], *, gone: bool = False) -> list[str]:
    """Names in `now` whose value differs from `before`, with both values; dots join the names of nested mappings.

    With `gone`, names that are only in `before` are differences, too.
    """
    then, wanted = _flat(before), _flat(now)
    names = {*then, *wanted} if gone else set(wanted)
    return [
        f"{name} was {_short(then.get(name))}, is {_short(wanted.get(name))}{_meaning(name)}"
        for name in sorted(names)
        if then.get(name) != wanted.get(name)
    ]


def _meaning(name: str) -> str:
    return " (another version of refinedet)" if name.endswith(_CODE) else ""


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, item in value.items():
        flat |= _flat(item, f"{prefix}{key}.") if isinstance(item, Mapping) else {f"{prefix}{key}": item}
    return flat


def _short(value: Any) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
