"""The tutorials run from top to bottom, and the first page's commands do what it says."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import app

DOCS = Path(__file__).resolve().parents[2] / "docs"
NOTEBOOKS = sorted((DOCS / "tutorials").glob("*.ipynb"))
LARGEST_OUTPUT = 100_000
SMALLER = {"2048": "320", "60": "3"}


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(DOCS.parent))
    book = nbformat.read(path, 4)
    NotebookClient(book, timeout=280, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert [cell for cell in book.cells if cell.cell_type == "code" and cell.execution_count is None] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_small_outputs_and_no_folder_of_a_machine(path: Path) -> None:
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert cells
    for cell in cells:
        stored = json.dumps(cell["outputs"])
        assert len(stored) <= LARGEST_OUTPUT
        assert not re.search(r"(/tmp|/home|/work|/Users)/", stored)
        assert not [output for output in cell["outputs"] if output["output_type"] == "error"]


def test_the_commands_of_the_first_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = (DOCS / "start" / "first-scene.md").read_text(encoding="utf-8")
    lines = "".join(re.findall(r"```console\n(.*?)```", page, re.DOTALL)).splitlines()
    assert len(lines) == 3
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "refinedet"
        done = CliRunner().invoke(app, [SMALLER.get(word, word) for word in words])
        assert done.exit_code == 0, done.output
    named = re.findall(r"^\| `(scene\.\w+)`(?:, `(scene\.\w+)`)?", page, re.MULTILINE)
    named += [("scene.run.json", "")]
    assert all((tmp_path / "scene_ships" / name).is_file() for pair in named for name in pair if name)
