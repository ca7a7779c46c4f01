"""Options: fields of frozen settings that carry their help text and their effect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import Field, dataclass, field, fields
from enum import StrEnum
from functools import cache
from typing import Any, get_args, get_type_hints

_KEY = "option"


class Effect(StrEnum):
    """Effect of an option on the results of a run."""

    SHIPS = "ships"
    """Other ships, or other attributes of them: part of the identity of a run."""
    FILES = "files"
    """Other files about the same ships."""
    NONE = "none"
    """Neither: time, memory, or what happens to older results."""


@dataclass(frozen=True, slots=True)
class Option:
    """Description of one option, for command lines and for the identity of a run."""

    help: str
    effect: Effect
    flag: str | None = None
    """Name on a command line; None: the field's own, with dashes."""
    metavar: str | None = None
    default_text: str | None = None
    """The default in words, where the value alone does not explain it."""
    parse: Callable[[str], Any] | None = None
    """Function that makes the value from text."""


def option(default: Any, help: str, effect: Effect = Effect.SHIPS, **more: Any) -> Any:
    """Declare a field of a settings class as an option; `more` are further fields of `Option`."""
    return field(default=default, metadata={_KEY: Option(help, effect, **more)})


def overwrite_option() -> Any:
    """Declare the option to replace existing results, which many commands have."""
    return option(False, "Replace existing results.", Effect.NONE, flag="--overwrite")


def options(group: Any) -> Iterator[tuple[Field[Any], Option]]:
    """Fields of a settings class, or of an instance, that are options, in their order."""
    for one in fields(group):
        if _KEY in one.metadata:
            yield one, one.metadata[_KEY]


def with_effect(group: Any, effect: Effect) -> dict[str, Any]:
    """Names and values of the options of `group` that have this effect."""
    return {one.name: getattr(group, one.name) for one, about in options(group) if about.effect is effect}


@cache
def types_of(group: type) -> dict[str, Any]:
    """Resolved type of each field of a settings class, without its range."""
    return get_type_hints(group)


def range_of(group: type, name: str) -> tuple[float | None, float | None]:
    """Least and greatest value of a field, as its annotation declares them; None: no limit."""
    kind = get_type_hints(group, include_extras=True)[name]
    limits = [
        limit
        for part in (kind, *get_args(kind))
        for about in getattr(part, "__metadata__", ())
        for limit in getattr(about, "metadata", ())
    ]
    least = next((limit.ge for limit in limits if hasattr(limit, "ge")), None)
    return least, next((limit.le for limit in limits if hasattr(limit, "le")), None)
