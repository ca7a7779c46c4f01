"""Options: fields of frozen settings that carry their help text, their range, and whether they change a result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import StrEnum
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from refinedet.errors import InputError

_KEY = "option"


class Effect(StrEnum):
    """The effect of an option on what a run leaves."""

    SHIPS = "ships"
    """Other ships, or other attributes of them: part of the identity of a run."""
    FILES = "files"
    """Other files about the same ships."""
    NONE = "none"
    """Neither: time, memory, or what happens to older results."""


@dataclass(frozen=True, slots=True)
class Option:
    """Description of one option, for checks and for command lines."""

    help: str
    effect: Effect
    flag: str | None = None
    """Name on a command line; None: the field's own, with dashes."""
    metavar: str | None = None
    default_text: str | None = None
    """The default in words, where the value alone does not say it."""
    least: float | None = None
    most: float | None = None
    parse: Callable[[str], Any] | None = None
    """Makes the value from text."""


def option(default: Any, help: str, effect: Effect = Effect.SHIPS, **more: Any) -> Any:
    """Declare a field of a settings class as an option; `more` are further fields of `Option`."""
    return field(default=default, metadata={_KEY: Option(help, effect, **more)})


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
    """Resolved type of each field of a settings class."""
    return get_type_hints(group)


def check_options(group: Any) -> None:
    """Check the values of all options of an instance against their types and ranges.

    Raises:
        InputError: a value is of another type, none of the choices, or out of range.
    """
    kind: type = type(group)
    types = types_of(kind)
    for one, about in options(group):
        value = getattr(group, one.name)
        if value is None and one.default is None:
            continue
        expected = _expected(types[one.name], about, value)
        if expected is not None:
            raise InputError(f"expected `{one.name}` to be {expected}, found {value!r}")


def _expected(kind: Any, about: Option, value: Any) -> str | None:
    """The words for what was expected, where `value` is something else."""
    variants = [part for part in get_args(kind) or (kind,) if part is not type(None)]
    if get_origin(kind) is Literal:
        variants = [kind]
    if isinstance(value, tuple) and variants and get_origin(variants[0]) is tuple:
        return next((wrong for item in value if (wrong := _expected(get_args(variants[0])[0], about, item))), None)
    choices = [choice for part in variants if get_origin(part) is Literal for choice in get_args(part)]
    if choices:
        return None if value in choices else f"one of {', '.join(map(str, choices))}"
    plain = tuple(part for part in (get_origin(part) or part for part in variants) if isinstance(part, type))
    if float in plain:
        plain += (int,)
    if not isinstance(value, plain) or (isinstance(value, bool) and bool not in plain):
        return f"of type {' or '.join(part.__name__ for part in plain)}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = about.least, about.most
        if not ((low is None or value >= low) and (high is None or value <= high)):  # NaN is in no range
            ends = (("at least", low), ("at most", high))
            return " and ".join(f"{words} {end:g}" for words, end in ends if end is not None)
    return None


def default_of(one: Field[Any]) -> Any:
    """Default of a field.

    Raises:
        TypeError: it has none.
    """
    if one.default is not MISSING:
        return one.default
    if one.default_factory is not MISSING:
        return one.default_factory()
    raise TypeError(f"{one.name} has no default")
