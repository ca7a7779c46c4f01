"""Places `cli` and `pipeline` inside `refinedet` in a wheel; all else is in pyproject.toml.

The repository has three packages at its top level, and sources import `cli.x` and `pipeline.x`. Installed under these
names they would shadow other people's packages. So a wheel carries them as `refinedet._cli` and `refinedet._pipeline`,
with their import statements changed and not a character more. An editable install keeps the folders as they are.
"""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.egg_info import egg_info

TOP = "refinedet"
MOVED = {"cli": "_cli", "pipeline": "_pipeline"}
"""Folder -> its name inside TOP."""

_FROM = re.compile(rb"from\s+(\w+)")


def moved_imports(source: bytes, name: str) -> bytes:
    """Return the source of a module with the import statements of moved packages changed; `name` is for messages."""
    lines = source.splitlines(keepends=True)
    starts = [sum(map(len, lines[:number])) for number in range(len(lines))]
    places = []
    for node in ast.walk(ast.parse(source, name)):
        if isinstance(node, ast.ImportFrom):
            start = starts[node.lineno - 1] + node.col_offset
            found = _FROM.match(source, start)
            places += [found.span(1)] if found else []  # none: a relative import, which moves as it is
        elif isinstance(node, ast.Import):
            for alias in node.names:
                start = starts[alias.lineno - 1] + alias.col_offset
                package = alias.name.partition(".")[0]
                places.append((start, start + len(package)))
                if package in MOVED and alias.asname is None:
                    raise SyntaxError(
                        f"{name}:{alias.lineno}: expected `from {package} import`, found `import {alias.name}`"
                    )
    for start, end in sorted(places, reverse=True):
        package = source[start:end].decode()
        if package in MOVED:
            source = source[:start] + f"{TOP}.{MOVED[package]}".encode() + source[end:]
    return source


class BuildPy(build_py):
    """Copies the packages, then moves two of them."""

    def run(self) -> None:
        """Build; an editable install has nothing to move."""
        built = Path(self.build_lib)
        for inner in MOVED.values():  # of an earlier build in the same folder
            shutil.rmtree(built / TOP / inner, ignore_errors=True)
        super().run()
        for package, inner in MOVED.items():
            if self.editable_mode or not (built / package).is_dir():
                continue
            for path in sorted((built / package).rglob("*.py")):
                path.write_bytes(moved_imports(path.read_bytes(), str(path)))
            (built / package).replace(built / TOP / inner)


class EggInfo(egg_info):
    """Writes the metadata; of the top-level packages, it names the one that is left."""

    def run(self) -> None:
        """Write the metadata."""
        super().run()
        Path(self.egg_info, "top_level.txt").write_text(f"{TOP}\n", encoding="utf-8")


setup(cmdclass={"build_py": BuildPy, "egg_info": EggInfo})
