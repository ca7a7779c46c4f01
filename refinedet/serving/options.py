"""Options of a request: those of `detect` for one scene, checked by the same settings as on the command line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter

from refinedet.config.options.option import Option, options, types_of
from refinedet.config.options.settings import DetectSettings
from refinedet.errors import InputError

VIEWS = ("quicklook", "map")
"""Options of the files besides the ships; a response with GeoJSON only has none of these files."""
_OF_THE_SERVER = {
    "scene": {"gcps", "max_pixels", "max_download_mb"},
    "land": {"land", "exclude", "exclude_m", "platforms", "platforms_m", "fixed", "fixed_m"},
    "windows": set[str](),
}
"""Options of each group that concern the server and its files; a request may set the others."""
_OF_ONE_SCENE = ("gcps", "time")
"""Options that fit a single scene, and so cannot be set for a server."""
_SHOWN = 60
"""Number of characters of a name that a message shows."""
_WORDS = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}


def check_for_server(settings: DetectSettings) -> None:
    """Check the options with which a server starts.

    Raises:
        InputError: an option fits a single scene only, or a scene at an address.
    """
    for name in _OF_ONE_SCENE:
        if getattr(settings.scene, name) is not None:
            raise InputError(f"expected no `{name}` for a server, which looks at many scenes; name it in a request")
    if settings.scene.max_download_mb is not None:
        raise InputError("expected no `max_download_mb` for a server, which fetches nothing; leave it out")


def request_options(*, views: bool) -> dict[str, tuple[str, Option]]:
    """Options that a request may have: name -> group of the settings, and description; with `views`, VIEWS too."""
    of_results = {"outline", *(VIEWS if views else ())}
    return {
        one.name: (group.name, about)
        for group in fields(DetectSettings)
        for one, about in options(group.default_factory)
        if one.name in of_results or (group.name in _OF_THE_SERVER and one.name not in _OF_THE_SERVER[group.name])
    }


def request_settings(base: DetectSettings, told: Iterable[tuple[str, str]], *, views: bool) -> DetectSettings:
    """Settings of one request.

    Args:
        base: settings of the server; they are the defaults of a request.
        told: name and text of each option.
        views: True if the request may ask for the picture and the map; else it gets neither.

    Raises:
        InputError: an option is unknown, given twice, out of range, or does not go with the others.
    """
    known, taken = request_options(views=views), dict[str, dict[str, Any]]()
    for name, text in told:
        if name not in known:
            raise _unknown(name, known)
        group, about = known[name]
        if name in taken.setdefault(group, {}):
            raise InputError(f"expected `{name}` once, found it twice")
        settings_class: type = type(getattr(base, group))
        kind = types_of(settings_class)[name]
        taken[group][name] = about.parse(text) if about.parse is not None else _value(text, kind)
    output = {"format": ("geojson",)} | ({} if views else dict.fromkeys(VIEWS, False)) | taken.pop("output", {})
    changed = {group: replace(getattr(base, group), **values) for group, values in taken.items()}
    return replace(base, output=replace(base.output, **output), **changed)


def parameters(*, views: bool) -> list[dict[str, Any]]:
    """Descriptions of the options for OpenAPI."""
    groups = {group.name: group.default_factory for group in fields(DetectSettings)}
    return [
        {"name": name, "in": "query", "description": about.help, "schema": _schema(groups[group], name, about)}
        for name, (group, about) in request_options(views=views).items()
    ]


def plain(settings: DetectSettings) -> dict[str, Any]:
    """Settings as JSON values, for another process."""
    return {group.name: getattr(settings, group.name).to_dict() for group in fields(settings)}


def settings_of(values: Mapping[str, Any]) -> DetectSettings:
    """Settings from the values of `plain`."""
    made: dict[str, Any] = {
        group.name: group.default_factory.from_dict(values[group.name])  # type: ignore[union-attr]
        for group in fields(DetectSettings)
    }
    return DetectSettings(**made)


def _unknown(name: str, known: Iterable[str]) -> InputError:
    of_server = {one.name for group in fields(DetectSettings) for one, _ in options(group.default_factory)}
    if name in of_server - set(known):
        return InputError(f"expected options of this request, found `{name}`, which it cannot have; leave it out")
    close = difflib.get_close_matches(name[:_SHOWN], known, 1)
    hint = f"did you mean {close[0]}?" if close else f"expected some of {', '.join(sorted(known))}"
    return InputError(f"found an unknown option {name[:_SHOWN]!r}; {hint}")


def _value(text: str, kind: Any) -> Any:
    """Value of a query's text for a setting of this type; invalid text stays text, and the setting refuses it."""
    kinds = {kind, *get_args(kind)}
    if bool in kinds:
        return _WORDS.get(text.lower(), text)
    for number in (int, float):
        if number in kinds and str not in kinds:
            try:
                return number(text)
            except ValueError:
                continue
    return text


def _schema(group: Any, name: str, about: Option) -> dict[str, Any]:
    """JSON schema of an option; an option that is parsed from text has the type string."""
    if about.parse is not None:
        return {"type": "string", "examples": [about.metavar or ""]}
    return TypeAdapter(get_type_hints(group, include_extras=True)[name]).json_schema()
