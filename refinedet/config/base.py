"""Settings that validate themselves: the classes declare types and ranges, and pydantic checks the values.

Every construction is checked: from plain values (params.yaml, checkpoints), by name in a program, and by `replace`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic_core import ErrorDetails, PydanticCustomError

from refinedet.errors import InputError

if TYPE_CHECKING:
    from dataclasses import dataclass as validated
else:

    def validated(**options: bool) -> Callable[[type], type]:
        """Make a dataclass whose values are checked when one is made; its options are those of `dataclasses.dataclass`.

        Values are never converted, except whole numbers where a float is expected. NaN and infinity are refused.
        """
        return pydantic_dataclass(config=_STRICT, **options)


__all__ = ["LARGEST", "Count", "Positive", "Settings", "Share", "Whole", "check", "made_of", "validated"]

_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, defer_build=True)
S = TypeVar("S")
LARGEST = 2**31 - 1
"""Largest whole number of any setting."""
_VARIANTS = {"str", "int", "float", "bool"}
"""Steps of pydantic's path that name one of the types that a setting can have, and not a setting."""
_SHOWN = 100
"""Number of characters of a value that a message shows."""

Count = Annotated[int, Field(ge=1, le=LARGEST)]
"""Whole number of at least 1."""
Whole = Annotated[int, Field(ge=0, le=LARGEST)]
"""Whole number of at least 0."""
Share = Annotated[float, Field(ge=0, le=1)]
"""Number within [0, 1]."""
Positive = Annotated[float, Field(gt=0)]
"""Number above 0."""


class _Validated(type):
    """Metaclass of the settings: it raises InputError where pydantic raises an error of its own."""

    def __call__(cls, *args: Any, **values: Any) -> Any:
        try:
            return super().__call__(*args, **values)
        except ValidationError as error:
            raise InputError(_sentence(error, cls)) from None


class Settings(metaclass=_Validated):
    """Construction from, and export to, plain values."""

    @classmethod
    def from_dict(cls, values: Any, source: str = "") -> Self:
        """Build from a mapping as JSON or YAML holds it; a missing key takes the default.

        Args:
            values: the mapping; lists stand for tuples, mappings for settings within.
            source: the file that holds the values, for messages.

        Raises:
            InputError: a key is unknown, or a value has the wrong type or is out of range.
        """
        return made_of(cls, values, source)

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionary, tuples as lists, ready for JSON or YAML."""
        plain: dict[str, Any] = _adapter(type(self)).dump_python(self, mode="json")
        return plain


def made_of(cls: type[S], values: Any, source: str) -> S:
    """Build `cls` from a mapping, for a class whose own `from_dict` does more."""
    try:
        plain = json.dumps(values, default=str)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"expected plain values{_of(source)}, found something else ({error})") from error
    kind: Any = cls
    try:
        made: S = _adapter(kind).validate_json(plain)
    except ValidationError as error:
        raise InputError(_sentence(error, cls, source)) from None
    return made


def check(condition: bool, name: str, expected: str, found: object) -> None:
    """Check a rule of several settings in `__post_init__`; if `condition` is false, the error names the setting."""
    if not condition:
        raise PydanticCustomError("rule", "{expected}", {"name": name, "expected": expected, "found": found})


@cache
def _adapter(cls: Any) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


def _sentence(error: ValidationError, cls: Any, source: str = "") -> str:
    """The first error as one sentence that names the setting by its dotted path."""
    first = error.errors(include_url=False)[0]
    path = [step for step in first["loc"] if isinstance(step, int) or (step.isidentifier() and step not in _VARIANTS)]
    context = first.get("ctx", {})
    if first["type"] == "unexpected_keyword_argument":
        known = sorted(field.name for field in fields(_class_at(cls, path[:-1])))
        near = get_close_matches(str(path[-1]), known, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        return f"unknown setting `{_dotted(path)}`{_of(source)}{hint}; expected some of {known}"
    if path and isinstance(path[0], int):  # given by position
        path[:1] = [field.name for field in fields(cls)][path[0] : path[0] + 1]
    found = "none" if first["type"] == "missing" else repr(first["input"])
    if first["type"] == "rule":
        path.append(context["name"])
        found = repr(context["found"])
    name = f"setting `{_dotted(path)}`{_of(source)}: " if path else f"{source}: " if source else ""
    return f"{name}expected {_expected(first)}, found {found if len(found) <= _SHOWN else f'{found[:_SHOWN]}...'}"


def _class_at(cls: Any, path: Iterable[int | str]) -> Any:
    """The class of the settings that lie at a path within settings of `cls`."""
    steps = iter(path)
    for step in steps:
        hint = get_type_hints(cls)[str(step)]
        if get_origin(hint) in (tuple, dict):
            next(steps, None)
        cls = next(kind for kind in (hint, *get_args(hint)) if is_dataclass(kind))
    return cls


def _expected(error: ErrorDetails) -> str:
    words, context = _WORDS.get(error["type"]), error.get("ctx", {})
    if words is None:
        return str(error["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")
    numbers = {name: f"{value:g}" for name, value in context.items() if isinstance(value, float)}
    return words.format(**{**context, **numbers})


_WORDS = {
    "bool_type": "true or false",
    "dataclass_exact_type": "settings of class {class_name}",
    "dataclass_type": "a mapping of names to values",
    "dict_type": "a mapping of names to values",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "a number of more than {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "int_type": "a whole number",
    "less_than": "a number of less than {lt}",
    "less_than_equal": "a number of at most {le}",
    "list_type": "a list",
    "literal_error": "one of {expected}",
    "missing": "a value",
    "multiple_of": "a multiple of {multiple_of}",
    "string_too_short": "text",
    "string_type": "text",
    "too_short": "a list of at least {min_length}",
    "tuple_type": "a list",
}
"""Type of an error of pydantic -> words for what was expected."""


def _dotted(path: Iterable[int | str]) -> str:
    return ".".join(map(str, path))


def _of(source: str) -> str:
    return f" in {source}" if source else ""
