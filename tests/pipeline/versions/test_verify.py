"""verify.py: the module that it runs is one of the restored project. Whole runs: test_restore_runs.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.versions.verify import _module
from refinedet.errors import FileError


def project(folder: Path, command: str, *modules: str) -> Path:
    """A restored project whose stage `evaluate` has this command."""
    (folder / "dvc.yaml").write_text(f"stages: {{evaluate: {{cmd: {command!r}}}}}\n")
    for module in modules:
        (folder / module).parent.mkdir(parents=True, exist_ok=True)
        (folder / module).touch()
    return folder


@pytest.mark.parametrize("module", ["pipeline.stages.evaluate", "pipeline.evaluate"])
def test_the_module_is_where_the_revision_has_it(tmp_path: Path, module: str) -> None:
    made = project(tmp_path, f"python -m {module}", f"{module.replace('.', '/')}.py")
    assert _module(made) == module


@pytest.mark.parametrize(
    "command",
    [
        "touch planted",
        "python -m os",
        "python -m pipeline.evaluate; touch planted",
        "python -m pipeline...evaluate",
        "python -m pipeline.gone",
        "python -c 'import os'",
    ],
)
def test_another_command_is_refused(tmp_path: Path, command: str) -> None:
    made = project(tmp_path, command, "pipeline/evaluate.py")
    with pytest.raises(FileError, match="to run a module of the restored project"):
        _module(made)


def test_no_such_stage_is_told(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text("stages: {train: {cmd: t}}\n")
    with pytest.raises(FileError, match="no such stage"):
        _module(tmp_path)
