"""What is printed comes out as it is, and a scene is told once of what it lacks."""

from __future__ import annotations

import ast
import errno
import io
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import typer
from rich.console import Console
from rich.table import Table
from typer.testing import Result

from cli import console
from cli.commands.scenes import detect as detecting
from refinedet import raster
from tests.cli.conftest import sentences

Run = Callable[..., Result]
NAMES = ("harbour[red].tif", "north [bold]sea[/bold].tif", "[/].tif", "a:ship:b.tif", "[link=x]y.tif")
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("which", [console.out, console.err], ids=["out", "err"])
def test_names_are_printed_as_they_are(which: Console, name: str) -> None:
    table = Table(box=None)
    table.add_column(name)
    table.add_row(name)
    with which.capture() as captured:
        which.print(name)
        which.print(table)
    assert captured.get().split() == name.split() * 3


@pytest.mark.parametrize("name", NAMES)
def test_progress_bars_have_the_name_as_it_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    terminal = Console(file=stream, force_terminal=True, width=100, markup=False, emoji=False)
    monkeypatch.setattr(detecting, "err", terminal)
    with detecting.progress_bar() as progress:
        progress.add_task(name, total=3, of="windows")
    assert name in stream.getvalue()


def test_no_other_console_or_progress_of_the_command_line_reads_markup() -> None:
    """A `Console`, and a `TextColumn` with a name in it, say `markup=False`; text with markup is made nowhere."""
    loose = []
    for path in sorted((ROOT / "cli").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            made = ast.unparse(node.func).rsplit(".", 1)[-1]
            plain = any(word.arg == "markup" and ast.unparse(word.value) == "False" for word in node.keywords)
            named = made == "TextColumn" and "{" in ast.unparse(node)
            if made in {"from_markup", "SpinnerColumn"} or ((made == "Console" or named) and not plain):
                loose.append(f"{path.relative_to(ROOT)}:{node.lineno} {made}")
    assert loose == []


def test_the_summary_names_scenes_in_brackets(
    run: Run, tmp_path: Path, weights: Path, scene: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in ("_width", "_height"):
        monkeypatch.setattr(console.out, size, 120)  # so that no name is folded
    for name in ("harbour[red].tif", "sea[bold]:ship:.tif"):
        ran = run("detect", scene.rename(tmp_path / name), "--weights", weights)
        assert ran.exit_code == 0, ran.output
        assert name in "".join(ran.stdout.split("\n"))
        (tmp_path / name).rename(scene)


@pytest.mark.parametrize("land", [(), ("--land-mask", "off")])
def test_a_missing_position_is_told_once_with_all_that_it_means(
    run: Run, weights: Path, scene: Path, land: tuple[str, ...]
) -> None:
    nowhere = np.full((220, 300), 100, np.uint16)
    raster.write_scene(scene, nowhere, transform=(10.0, 0, 5e5, 0, -10.0, 5.3e6))
    ran = run("detect", scene, "--weights", weights, *land)
    assert ran.exit_code == 0, ran.output
    said = " ".join(" ".join(sentences(ran)).split())
    assert said == (
        "refinedet: the scene has no position, since its coordinates lack a reference system: boxes are in pixels, "
        "places and lengths on the ground are unknown, and land, exclusions and platforms are not used; "
        "state the reference system with --crs"
    )


@pytest.mark.parametrize(
    "error", [OSError(errno.ENAMETOOLONG, "File name too long"), RuntimeError("Symlink loop from a")]
)
def test_a_path_that_the_system_cannot_use_is_no_bug(
    error: Exception, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "show_log", lambda **_: None)  # it would silence the logs of other tests
    with pytest.raises(typer.Exit) as stopped, console.one_sentence_errors(debug=False):
        raise error
    assert stopped.value.exit_code == console.EXIT_ERROR
    assert "found one that is too long or a link to itself" in capsys.readouterr().err


@pytest.mark.parametrize(("progress", "start"), [(False, "refinedet: "), (True, "12:34:56 WARNING ")])
def test_a_warning_is_one_line_of_a_log_file(
    progress: bool, start: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(console, "err", Console(file=stream, width=40, soft_wrap=True, markup=False, emoji=False))
    for name in ("refinedet", "pipeline"):
        logger = logging.getLogger(name)
        request.addfinalizer(partial(setattr, logger, "handlers", logger.handlers))
        request.addfinalizer(partial(logger.setLevel, logger.level))
    monkeypatch.setattr("logging.Formatter.formatTime", lambda *_: "12:34:56")
    console.show_log(debug=False, progress=progress)
    logging.getLogger("refinedet.x").warning("a folder %s [red] that is longer than a line of 40 columns", "/data/" * 9)
    assert stream.getvalue() == f"{start}a folder {'/data/' * 9} [red] that is longer than a line of 40 columns\n"
