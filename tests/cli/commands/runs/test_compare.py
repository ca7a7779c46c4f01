"""refinedet compare, as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

from pipeline.report.numbers import Numbers
from refinedet.files import write_json

Run = Callable[..., Result]


def reported(folder: Path, ap: float) -> Path:
    """A folder with the numbers of a report."""
    write_json(folder / "numbers.json", Numbers({"test": {"AP": ap, "chips": 3}}, {}, [], {}, []).to_dict())
    return folder


def test_compare_says_the_gist_and_where_the_page_is(run: Run, tmp_path: Path) -> None:
    a, b = reported(tmp_path / "a", 61.25), reported(tmp_path / "b", 63.5)
    ran = run("compare", f"one={a}", f"two={b}")
    assert ran.exit_code == 0, ran.output
    assert "61.25" in ran.stdout
    assert "63.50" in ran.stdout
    assert "comparison.html" in ran.stdout
    assert (tmp_path / "comparison.html").read_text().startswith("<!DOCTYPE html>")
    again = run("compare", f"one={a}", f"two={b}")
    assert again.exit_code == 1
    assert "--overwrite" in again.stderr


def test_compare_tells_programs(run: Run, tmp_path: Path) -> None:
    a, b = reported(tmp_path / "a", 1.0), reported(tmp_path / "b", 2.0)
    ran = run("compare", a, b, "--out", tmp_path / "c.html", "--json")
    found = json.loads(ran.stdout)
    assert found["test"][str(b)]["AP"] == 2
    assert found["differences"] == {}


def test_compare_refuses_in_one_sentence(run: Run, tmp_path: Path) -> None:
    ran = run("compare", reported(tmp_path / "a", 1.0), tmp_path)
    assert ran.exit_code == 1
    assert "expected the results of an evaluation" in ran.stderr
    assert run("compare", tmp_path / "a").exit_code == 1
