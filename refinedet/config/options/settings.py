"""All settings of a detection in one value, made from options by name."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

from refinedet.config.options.ais import AisSettings
from refinedet.config.options.detect import DetectorSettings, SceneSettings, WindowSettings
from refinedet.config.options.land import LandSettings
from refinedet.config.options.option import options
from refinedet.config.options.output import OutputSettings
from refinedet.errors import InputError


@dataclass(frozen=True, slots=True)
class DetectSettings:
    """All settings of a detection; each option of its groups has a name of its own."""

    scene: SceneSettings = field(default_factory=SceneSettings)
    land: LandSettings = field(default_factory=LandSettings)
    windows: WindowSettings = field(default_factory=WindowSettings)
    detector: DetectorSettings = field(default_factory=DetectorSettings)
    output: OutputSettings = field(default_factory=OutputSettings)
    ais: AisSettings = field(default_factory=AisSettings)

    @classmethod
    def of(cls, **named: Any) -> Self:
        """Settings from options by name, such as `gsd_m=10` or `land_mask="drop"`; text becomes paths where due.

        Raises:
            InputError: a name is no option, a value is none that it can have, or two do not go together.
        """
        groups = {group.name: group.default_factory for group in fields(cls)}
        taken: dict[str, dict[str, Any]] = {name: {} for name in groups}
        homes = {one.name: (name, one, about) for name, made in groups.items() for one, about in options(made)}
        for name, value in named.items():
            if name not in homes:
                close = difflib.get_close_matches(name, homes, 1)
                hint = f"; did you mean {close[0]}?" if close else f"; expected some of {', '.join(sorted(homes))}"
                raise InputError(f"found an unknown setting {name!r}{hint}")
            group, one, about = homes[name]
            taken[group][name] = _value(value, one.type, about.parse)
        return cls(**{name: made(**taken[name]) for name, made in groups.items()})  # type: ignore[operator]

    def absolute(self) -> Self:
        """Make all paths absolute, for workers that may run in another folder."""
        made = {
            group.name: replace(
                own := getattr(self, group.name),
                **{one.name: _absolute(getattr(own, one.name)) for one, _ in options(own)},
            )
            for group in fields(self)
        }
        return type(self)(**made)


def _absolute(value: Any) -> Any:
    """Value with its paths made absolute; other values stay as they are."""
    if isinstance(value, tuple):
        return tuple(_absolute(one) for one in value)
    return value.absolute() if isinstance(value, Path) else value


def _value(value: Any, kind: Any, parse: Any) -> Any:
    if isinstance(value, str) and parse is not None:
        return parse(value)
    if isinstance(value, str | Path) and str(kind).startswith("Path"):
        return Path(value).expanduser()
    if str(kind).startswith("tuple") and isinstance(value, str | Path | list | tuple):
        several = (value,) if isinstance(value, str | Path) else tuple(value)
        return tuple(Path(one).expanduser() for one in several) if "Path" in str(kind) else several
    return value
