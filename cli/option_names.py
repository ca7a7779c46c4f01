"""Messages of the library in the terms of the command line: settings become the flags of the running command."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from typer.core import TyperArgument, TyperOption

_SETTING = re.compile(r"`([a-z_][a-z0-9_]*)(?:=([^`]*))?`")
"""Setting in a message of the library: `gsd_m`, or with a value in Python's spelling, `runtime="torch"`."""
_FLAGS: dict[str, tuple[str, str]] = {}
"""Name of a setting of the running command -> its flag, and its negative flag (empty if there is none)."""


def use_flags_of(parameters: Iterable[object]) -> None:
    """Store the flags of the command that runs.

    Messages name an option by its parameter or by its flag in Python's spelling: `out_folder` and `out` are --out. They
    name an argument by its parameter, and the user sees its metavar.
    """
    _FLAGS.clear()
    _FLAGS.update(_flags(parameters))


def in_flags(text: str, flags: Mapping[str, tuple[str, str]] = _FLAGS) -> str:
    """Replace each setting of the running command in backquotes by its flag; other words in backquotes stay.

    >>> in_flags('set `overwrite`, or `map=False`', {"overwrite": ("--overwrite", ""), "map": ("--map", "--no-map")})
    'set --overwrite, or --no-map'
    """

    def flag(found: re.Match[str]) -> str:
        name, value = found[1], found[2]
        if name not in flags:
            return found[0]
        yes, no = flags[name]
        if value in {None, "True"}:
            return yes
        return no if value == "False" and no else f"{yes} {value.strip(chr(34) + chr(39))}"

    return _SETTING.sub(flag, text)


def _flags(parameters: Iterable[object]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for one in parameters:
        if isinstance(one, TyperOption):
            yes = max(one.opts, key=len)
            flags = (yes, max(one.secondary_opts, key=len, default=""))
            found |= {name: flags for name in (one.name, yes.lstrip("-").replace("-", "_")) if name}
        elif isinstance(one, TyperArgument) and one.name:
            found[one.name] = (one.metavar or one.name.upper(), "")
    return found
