"""Values in the attributes of a store, which may be missing, of another type, or replaced by placeholders. Pure.

Stores of newer satellites hold "MISSING", 0 or the XPath of a value instead of the value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_LARGEST = 1e15


def look_up(attributes: Any, *keys: str) -> Any:
    """Value at a path of keys in nested attributes; None if there is none."""
    found = attributes
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def table(attributes: Any, *keys: str) -> Mapping[str, Any]:
    """Table at a path of keys; empty if there is none."""
    found = look_up(attributes, *keys)
    return found if isinstance(found, Mapping) else {}


def tables(attributes: Any, *keys: str) -> list[Mapping[str, Any]]:
    """Tables in the list at a path of keys; a table without a list becomes a list of one."""
    found = look_up(attributes, *keys)
    listed = found if isinstance(found, list) else [found]
    return [one for one in listed if isinstance(one, Mapping)]


def text(attributes: Any, *keys: str) -> str:
    """Text at a path of keys; empty if there is none."""
    found = look_up(attributes, *keys)
    return found if isinstance(found, str) else ""


def number(attributes: Any, *keys: str) -> float | None:
    """Number at a path of keys, also if written as text; None if there is none."""
    found = look_up(attributes, *keys)
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        value = float(found)
    except (ValueError, OverflowError):
        return None
    return value if abs(value) < _LARGEST else None


def positive(attributes: Any, *keys: str) -> float | None:
    """Number above 0 at a path of keys; None if there is none."""
    value = number(attributes, *keys)
    return value if value is not None and value > 0 and math.isfinite(value) else None


def time(attributes: Any, *keys: str) -> datetime | None:
    """Time in UTC, without a zone, at a path of keys; None if there is none."""
    try:
        found = datetime.fromisoformat(text(attributes, *keys))
    except ValueError:
        return None
    return found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)
