"""The page of the benchmarks appears whole or not at all, and its table names scripts that there are."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def report(beside_the_scripts: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script, with two made-up ones in its table and no scene to simulate."""
    assert beside_the_scripts.is_dir()
    module = import_module("report")
    monkeypatch.setattr(module, "stand_in", lambda folder, **_: folder / "simulated.tif")
    return module


def entries(report: Any, folder: Path, second: str) -> tuple[Any, ...]:
    (folder / "first.py").write_text("import sys\nprint('| a |\\n|---|\\n|', *sys.argv[1:], '|')\n")
    (folder / "second.py").write_text(second)
    return tuple(
        report.Entry(name, str(folder / f"{name}.py"), ("--long",), (report.SCENE, report.OUT), f"What {name} shows.")
        for name in ("first", "second")
    )


def run(report: Any, monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["report.py", *words])
    report.main()


def test_the_page_says_what_was_run_where_and_what_came_out(
    report: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(report, "ENTRIES", entries(report, tmp_path, "print('fine')"))
    page = tmp_path / "out" / "page.md"
    run(report, monkeypatch, "--out", str(page))
    text = page.read_text()
    assert text.startswith("# Benchmarks\n")
    assert "| [first](#first) | benchmarks/speed/first.py | What first shows. |" in text
    assert "```console\npython benchmarks/speed/first.py --long\n```\n\n| a |\n|---|\n| --long |\n" in text
    assert "\n\nfine\n" in text
    assert "simulated.tif stands in" in text
    assert "- shipped weights " in text
    assert f"Python {sys.version.split()[0]}" in text
    assert "smoke run" not in text


def test_a_smoke_run_says_that_it_is_one(report: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(report, "ENTRIES", entries(report, tmp_path, "print('fine')"))
    page = tmp_path / "page.md"
    run(report, monkeypatch, "--quick", "--out", str(page))
    assert "its figures mean nothing" in page.read_text()
    assert "python benchmarks/speed/first.py simulated.tif found" in page.read_text(), (
        "commands without this machine's folders"
    )


def test_a_script_that_fails_leaves_the_old_page(report: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failing = "import sys\nprint('half a table')\nsys.exit('expected two cores, found one')"
    monkeypatch.setattr(report, "ENTRIES", entries(report, tmp_path, failing))
    page = tmp_path / "page.md"
    page.write_text("old")
    with pytest.raises(
        SystemExit, match=r"benchmarks/speed/second\.py .* exit code 1 \(expected two cores, found one\)"
    ) as left:
        run(report, monkeypatch, "--out", str(page))
    assert isinstance(left.value.code, str), "which Python prints, and exits with 1"
    assert page.read_text() == "old"
    assert not list(tmp_path.glob(".*"))


def test_the_table_names_scripts_and_options_that_there_are(report: Any) -> None:
    for entry in report.ENTRIES:
        text = (ROOT / "benchmarks" / "speed" / entry.script).read_text()
        options = {word for word in (*entry.full, *entry.quick) if word.startswith("--")}
        assert [option for option in options if f'"{option.replace("--no-", "--")}"' not in text] == []


def test_a_file_in_8_bits_is_handed_on_where_there_is_one(
    report: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words = ("--rounds", "5", report.INT8, report.SCENE)
    assert report.filled(words, "a.tif", "out", None) == ["--rounds", "5", "a.tif"]
    assert report.filled(words, "a.tif", "out", "x.xml") == ["--rounds", "5", "--int8", "x.xml", "a.tif"]
    with pytest.raises(SystemExit, match="found none"):
        run(report, monkeypatch, "--quick", "--int8", str(tmp_path / "none.xml"))
    taking = [entry for entry in report.ENTRIES if report.INT8 in entry.full]
    assert all('"--int8"' in (ROOT / "benchmarks" / "speed" / entry.script).read_text() for entry in taking)
    assert [entry.script for entry in taking] == ["runtimes.py"]


def test_anchors_are_those_of_github(report: Any) -> None:
    assert report.anchor("One scene, other ways") == "one-scene-other-ways"
