"""Settings classes become options of a command, spelled once."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from cli.app import app
from cli.settings_options import with_settings
from refinedet.config.base import Count, Settings, check, validated
from refinedet.config.options.option import option


@validated(frozen=True, slots=True)
class Size(Settings):
    """Some options."""

    width_px: Count = option(3, "Width of it.")
    kind: Literal["a", "b"] | None = option(None, "Kind of it.", default_text="none of them")
    many: tuple[Literal["x", "y"], ...] | None = option(None, "Several.")
    folder: Path | None = option(None, "Folder.", flag="--out")
    files: tuple[Path, ...] | None = option(None, "Files.")
    words: tuple[str, ...] | None = option(None, "Words.")
    dark: bool = option(default=False, help="Dark.", flag="--dark")
    ends: tuple[float, ...] = option((0.0,), "Ends.", parse=lambda text: tuple(map(float, text.split(":"))))

    def __post_init__(self) -> None:
        check(self.width_px != 13, "width_px", "luck", self.width_px)


def call(*words: str) -> tuple[int, str, list[object]]:
    taken: list[object] = []
    app = typer.Typer()

    @app.command()
    @with_settings
    def work(*, name: str = "n", size: Size, debug: bool = False) -> None:
        """Work."""
        del debug
        taken.extend([name, size])

    ran = CliRunner().invoke(app, list(words))
    return ran.exit_code, ran.output, taken


def test_fields_become_options_and_options_fields() -> None:
    words = "--width-px 5 --kind b --many x --many y --files a --files b --words c=d --out f --dark --ends 1:2 --name m"
    code, said, taken = call(*words.split())
    assert (code, said) == (0, "")
    assert taken == [
        "m",
        Size(5, "b", ("x", "y"), Path("f"), (Path("a"), Path("b")), ("c=d",), dark=True, ends=(1.0, 2.0)),
    ]
    assert call()[2] == ["n", Size()]


def test_wrong_words_are_usage_errors_and_bad_values_one_sentence() -> None:
    assert call("--width-px", "0")[0] == 2
    assert call("--kind", "c")[0] == 2
    assert call("--many", "z")[0] == 2
    code, said, taken = call("--width-px", "13")
    assert (code, taken) == (1, [])
    assert "expected luck, found 13" in said


def test_help_is_that_of_the_field() -> None:
    said = call("--help")[1]
    words = "".join(letter for letter in said if letter.isalnum())  # whatever the width of the table
    for part in ("Widthofit", "noneofthem", "out", "dark", "Several"):
        assert part in words


@pytest.mark.parametrize("command", sorted(get_command(app).commands))  # type: ignore[attr-defined]  # a group
def test_names_of_options_are_whole_on_a_terminal_of_80_columns(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = CliRunner().invoke(app, [command, "--help"])
    assert (shown.exit_code, "…" in shown.output) == (0, False)


def test_options_of_a_class_come_before_those_of_the_class_it_extends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    shown = CliRunner().invoke(app, ["detect", "--help"]).output
    assert shown.index("--ais ") < shown.index("--platform-heading")


def test_the_help_has_a_heading_for_each_group_and_wraps_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    shown = CliRunner().invoke(app, ["detect", "--help"]).output
    titles = ("Scene: pixels", "Land and known objects", "AIS", "Many scenes")
    assert [title for title in titles if title not in shown] == []
    assert "[OPTIONS] [SCENE]... " in shown
    assert "2147483647" not in shown
    assert "a map <stem>.html and the run record <stem>.run.json" in shown
