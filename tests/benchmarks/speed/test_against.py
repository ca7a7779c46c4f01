"""Two revisions in turns: each with its own code, rows without data or with an error say so, ratios are old to new."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

COMMAND = """
import json, pathlib, sys
def main():
    words = sys.argv[1:]
    assert words[0] == "detect" and "--overwrite" in words
    if "bad" in words[1]:
        print("error: no such scene", file=sys.stderr)
        return 1
    out = pathlib.Path(words[words.index("--out") + 1])
    out.mkdir(parents=True, exist_ok=True)
    record = {"counts": {"ships": SHIPS}, "time": {"seconds": 1, "describe": SHIPS / 10}}
    (out / "scene.run.json").write_text(json.dumps(record))
"""


@pytest.fixture
def against(beside_the_scripts: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The script in a repository of its own: two commits of a command that finds 4 ships, then 2."""
    assert beside_the_scripts.is_dir()
    module = import_module("against")
    root = tmp_path / "repository"
    root.mkdir()
    (root / "pyproject.toml").write_text('[project.scripts]\nrefinedet = "finder:main"\n')
    for ships in (4, 2):
        (root / "finder.py").write_text(COMMAND.replace("SHIPS", str(ships)))
        for words in (["init", "-q"], ["add", "."], ["-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "c"]):
            subprocess.run(["git", *words], cwd=root, check=True)
    (root / "finder.py").write_text(COMMAND.replace("SHIPS", "1"))
    monkeypatch.setattr(module, "ROOT", root)
    rows = {
        "good": module.Row("fine", lambda folder, **_: [folder / "scene.tif"], ("--score-min", "0.1"), part="describe"),
        "bad": module.Row("wrong", lambda folder, **_: [folder / "bad.tif"]),
        "gone": module.Row("no data", lambda *_, **__: "no archive here"),
    }
    monkeypatch.setattr(module, "ROWS", rows)
    return module


def run(against: Any, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["against.py", *words])
    return int(against.main())


def worktrees(root: Path) -> list[str]:
    told = subprocess.run(["git", "worktree", "list"], cwd=root, capture_output=True, text=True, check=True)
    return told.stdout.splitlines()


def test_each_revision_runs_its_own_code_and_nothing_is_left(
    against: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(against, monkeypatch, "HEAD~1", "--quick", "--rows", "good,gone") == 0
    rows = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows] == ["row", "good", "good, describe alone", "gone"]
    assert rows[1][-2:] == ["4", "1"], "the new one is the working tree, not its commit"
    assert rows[2][1:4] == ["0.40", "0.10", "4.00"]
    assert rows[3][1].rstrip("| ") == "left out: no archive here"
    assert len(worktrees(against.ROOT)) == 1


def test_a_call_that_fails_costs_its_row_alone(
    against: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(against, monkeypatch, "HEAD", "--rounds", "1", "--rows", "bad", "good") == 1
    told = capsys.readouterr().out
    assert "| bad | failed: old ended with 1: error: no such scene |" in told
    assert "| good | " in told


def test_a_run_that_is_ended_leaves_nothing(against: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(*_: object, **__: object) -> list[Path]:
        assert len(worktrees(against.ROOT)) == 2
        os.kill(os.getpid(), signal.SIGTERM)
        return []

    monkeypatch.setitem(against.ROWS, "ended", against.Row("ended", end))
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit):
            run(against, monkeypatch, "HEAD", "--rows", "ended")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert len(worktrees(against.ROOT)) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(("nonsense",), "expected a git revision to compare with, found 'nonsense'"), (("HEAD", "--rows", "x"), "2")],
)
def test_what_is_not_there_is_one_sentence(
    against: Any, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(SystemExit, match=sentence):
        run(against, monkeypatch, *words)


@pytest.fixture
def rows(beside_the_scripts: Path) -> Any:
    """Rows of the script."""
    assert beside_the_scripts.is_dir()
    return import_module("against_rows").ROWS


def test_the_rows_are_those_that_were_asked_for(rows: Any, tmp_path: Path) -> None:
    assert list(rows) == ["demo", "product", "sparse", "chips", "chips-low", "ships", "archive"]
    assert all((tmp_path / name).mkdir() is None for name in ("demo", "archive"))
    (scene,) = rows["demo"].make(tmp_path / "demo", quick=True)
    assert scene.is_file()
    assert len(rows["archive"].make(tmp_path / "archive", quick=True)) == 2


def test_rows_without_their_data_say_what_they_miss(rows: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFINEDET_DATA", str(tmp_path))
    monkeypatch.delenv("REFINEDET_MIRROR", raising=False)
    for name, word in (("chips", "SSDD"), ("product", "metadata"), ("sparse", "metadata")):
        assert word in rows[name].make(tmp_path, quick=True)
