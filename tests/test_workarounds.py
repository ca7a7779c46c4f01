"""Every workaround says what it is for, in one form."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = [
    path
    for package in ("refinedet", "pipeline")
    for path in sorted((ROOT / package / "workarounds").rglob("*.py"))
    if path.name != "__init__.py"
]
FIELDS = ["Problem", "Upstream", "Versions", "Remove"]


def test_there_are_some() -> None:
    assert len(FILES) > 10


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_docstring_has_the_form(path: Path) -> None:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert text.splitlines()[1] == ""
    fields = re.findall(r"^(\w+): (.+(?:\n    .+)*)", text, re.MULTILINE)
    assert [name for name, _ in fields] == FIELDS
    said = dict(fields)
    assert "https://" in said["Upstream"] or "no report was found" in said["Upstream"]
    assert re.search(r"\d", said["Versions"])
    assert said["Remove"].startswith("when ")


def test_nobody_else_changes_what_belongs_to_others() -> None:
    """Filters of warnings, hooks, modules of other packages: each has a file of its own, or stands with its policy."""
    policy = {"refinedet/raster/gdal.py"}  # what GDAL may do, filters included, is one table there
    marks = ("simplefilter(", "filterwarnings(", "sys.excepthook", "sys.modules[", "._private", "gc.freeze")
    found = {
        path.relative_to(ROOT).as_posix()
        for package in ("refinedet", "pipeline", "cli")
        for path in (ROOT / package).rglob("*.py")
        if "workarounds" not in path.parts and any(mark in path.read_text(encoding="utf-8") for mark in marks)
    }
    assert found - {"pipeline/stage.py"} == policy  # which looks its caller up in sys.modules
