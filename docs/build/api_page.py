"""The page of the Python names: every public name of refinedet, in groups, for mkdocstrings."""

from __future__ import annotations

import refinedet

_INTRO = """# Python

Every public name of the package, as `refinedet.NAME`. Names are loaded when they are first used: `import
refinedet` is quick and needs no torch. Other modules are no promise: they may change in any version.

```python
import refinedet

run = refinedet.find_ships("scene.tif", overwrite=True)
print(run.ships, run.files["geojson"])
```
"""
_GROUPS = {
    "Functions": lambda name: name[0].islower(),
    "Errors": lambda name: name.endswith("Error") or name == "MissingExtra",
    "Settings": lambda name: name.endswith(("Settings", "Config", "Choice", "Layout")) or name == "Radiometry",
    "Detectors": lambda name: name.endswith(("Predictor", "Detector")),
    "Results": lambda _: True,
}
"""Groups of names; a name is in the first that takes it."""
_ORDER = ("Functions", "Detectors", "Results", "Settings", "Errors")


def text() -> str:
    """Markdown of the page."""
    group = {name: next(one for one, takes in _GROUPS.items() if takes(name)) for name in refinedet.__all__}
    parts = [_INTRO]
    for title in _ORDER:
        parts.append(f"## {title}\n")
        parts += [_entry(name) for name in refinedet.__all__ if group[name] == title]
    return "\n".join(parts)


def _entry(name: str) -> str:
    """Entry of a name; that of a scene's result also shows the fields, which its class inherits."""
    inherited = "    options:\n      inherited_members: true\n" if name == "SceneResult" else ""
    return f"::: {home(name)}.{name}\n{inherited}"


def home(name: str) -> str:
    """The module that defines a public name: mkdocstrings reads it there."""
    return str(refinedet._HOME[name])  # noqa: SLF001 - the package's own list
