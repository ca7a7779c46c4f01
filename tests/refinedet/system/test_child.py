"""A child has our import path and no input, and its last words are kept."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from refinedet.system.child import last_words, run_module


def test_a_module_runs_with_the_callers_import_path_and_without_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import sys\nprint(sys.argv[1], repr(sys.stdin.read()))\nsys.stderr.write('first\\nlast\\n')\nsys.exit(3)\n"
    (tmp_path / "of_the_caller.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    done = run_module("of_the_caller", "word")
    assert (done.returncode, done.stdout.split()) == (3, [b"word", b"''"])
    assert last_words(done.stderr) == "last"


def test_one_that_cannot_start_or_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    with pytest.raises(OSError, match="none"):
        run_module("any")
    assert last_words(None) == last_words(b" \n") == ""
