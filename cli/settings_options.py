"""Settings classes of the library as options of a command: each option is declared once, at its field."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import Field, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from cli.console import one_sentence_errors
from refinedet.config.base import LARGEST
from refinedet.config.options.option import Option, options, range_of, types_of

_PANELS = {
    "ServeSettings": "Server",
    "DetectorSettings": "Weights and runtime",
    "SceneSettings": "Scene: pixels, position, time",
    "LabelSettings": "Labels over scenes",
    "LandSettings": "Land and known objects",
    "WindowSettings": "Windows and scores",
    "OutputSettings": "Results",
    "AisSettings": "AIS",
    "ViewSettings": "Time and viewing geometry",
    "ArchiveSettings": "Many scenes",
}
"""Headings in the help of a command with several settings classes, by class; other options have the usual one."""


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn a function whose parameters may be settings classes into a command.

    Each field of such a class that is an option becomes an option of the command; the function is called with instances
    of the classes. Other parameters stay as they are.
    """
    hints = get_type_hints(command, include_extras=True)
    own = inspect.signature(command).parameters
    groups = {name: hints[name] for name in own if is_dataclass(hints[name])}
    parameters = []
    for name, parameter in own.items():
        if name in groups:
            panel = _PANELS.get(groups[name].__name__) if len(groups) > 1 else None
            parameters += [_parameter(groups[name], one, about, panel) for one, about in _own_first(groups[name])]
        else:
            parameters.append(parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY))

    @functools.wraps(command)
    def run(**given: Any) -> Any:
        with one_sentence_errors(debug=bool(given.get("debug"))):
            made = {
                name: group(**{one.name: _value(given.pop(one.name), one, about) for one, about in options(group)})
                for name, group in groups.items()
            }
        return command(**made, **given)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect, and so by Typer
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del run.__wrapped__  # otherwise Typer would use the signature of the function
    return run


def _own_first(group: type) -> list[tuple[Field[Any], Option]]:
    """Options of a settings class, those of the classes that it extends last: --ais before the view of the radar."""
    own = inspect.get_annotations(group)
    return sorted(options(group), key=lambda found: found[0].name not in own)


def _parameter(group: type, one: Field[Any], about: Option, panel: str | None) -> inspect.Parameter:
    """Parameter from which Typer makes the option, under the heading `panel` of the help."""
    default, kind = one.default, types_of(group)[one.name]
    flag = about.flag or f"--{one.name.replace('_', '-')}"
    shown: Any = about.default_text if about.default_text is not None else True
    settings: dict[str, Any] = {
        "help": about.help,
        "metavar": about.metavar,
        "show_default": shown,
        "rich_help_panel": panel,
        "case_sensitive": False,
    }
    if about.parse is not None:
        kind, default = str | None, None
    if kind in (int, float, int | None, float | None):
        least, most = range_of(group, one.name)
        settings |= {"min": least, "max": None if most == LARGEST else most}  # the class refuses larger ones
    return inspect.Parameter(
        one.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[_for_typer(kind), typer.Option(flag, **settings)],
    )


def _for_typer(kind: Any) -> Any:
    """Type in a form that Typer supports: a list for a tuple, text for a union of text and number."""
    parts = get_args(kind)
    if str in parts and int in parts:
        return str | None
    if parts and get_origin(parts[0]) is tuple:
        (inner, *_) = get_args(parts[0])
        if inner in (str, Path):
            return list[str] | None if inner is str else list[Path] | None
        names = get_args(get_args(parts[0])[0])
        return list[StrEnum("Choice", {name: name for name in names})] | None  # type: ignore[misc]  # made at run time
    return kind


def _value(value: Any, one: Field[Any], about: Option) -> Any:
    """Value of a field from the value that Typer returns."""
    if value is None:
        return one.default
    if isinstance(value, list):
        return tuple(_item(item) for item in value) or one.default
    if about.parse is not None:
        return about.parse(value)
    return value.expanduser() if isinstance(value, Path) else value


def _item(value: Any) -> Any:
    """One of several values, from the value that Typer returns."""
    if isinstance(value, StrEnum):
        return value.value
    return value.expanduser() if isinstance(value, Path) else value
