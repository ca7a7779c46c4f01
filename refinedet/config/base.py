"""Settings that validate themselves: strict construction from plain dictionaries, one sentence for a bad value."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any, Self

from refinedet.errors import InputError


class Settings:
    """Strict construction from, and export to, plain dictionaries (params.yaml, checkpoint metadata)."""

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Build from a mapping; an unknown key is an error, a missing one takes the default.

        Raises:
            InputError: a key is not a setting of this class, or a value is out of range.
        """
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]  # every child is a dataclass
        unknown = sorted(set(values) - known)
        if unknown:
            raise InputError(f"unknown setting {unknown} for {cls.__name__}; expected some of {sorted(known)}")
        return cls(**{key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionary, tuples as lists, ready for JSON or YAML."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}  # type: ignore[call-overload]  # ditto


def check(condition: bool, name: str, expected: str, found: object) -> None:
    """Raise one sentence that names the setting unless `condition` holds."""
    if not condition:
        raise InputError(f"setting '{name}': expected {expected}, found {found!r}")
