"""Files of the code for the tests of its rules: names, syntax trees, imports."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PACKAGES = ("refinedet", "pipeline", "cli")

FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

NAMES = {path: path.relative_to(ROOT).as_posix() for path in FILES}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def module_file(name: str) -> Path | None:
    """File of a module of ours, or None for other people's."""
    base = ROOT / name.replace(".", "/")
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


@cache
def imported(path: Path, *, type_checking: bool = False) -> frozenset[str]:
    """Full names of the modules a file imports, inside functions too."""
    found: set[str] = set()
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING" and not type_checking:
            skipped |= {child for statement in node.body for child in ast.walk(statement)}
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write the full name instead of dots"
            assert node.module is not None  # only dots alone have none
            found |= {
                f"{node.module}.{a.name}" if module_file(f"{node.module}.{a.name}") else node.module for a in node.names
            }
    return frozenset(found)
