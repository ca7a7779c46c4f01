"""Parameters of stage download, and what it wrote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.params import Params, parse_params

Zip = Callable[[Path, str], Path]


def params_of(name: str, **recipe: Any) -> Params:
    return parse_params({"recipe": name, "recipes": {name: {"dataset": name, **recipe}}})


def names(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
