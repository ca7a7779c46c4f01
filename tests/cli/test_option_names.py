"""The library names settings, the command line names flags."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import Result

from cli.app import app
from cli.option_names import in_flags, use_flags_of

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def detect() -> None:
    """The flags of `detect`."""
    use_flags_of(get_command(app).commands["detect"].params)  # type: ignore[attr-defined]  # a group


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("raise `max_pixels` if it is right", "raise --max-pixels if it is right"),
        ("name another `out`, or set `overwrite`", "name another --out, or set --overwrite"),
        ('use `runtime="torch"` or `device="cpu"`', "use --runtime torch or --device cpu"),
        ("use `runtime='torch'`, `scale=2`", "use --runtime torch, --scale 2"),
        ("set `overwrite=True`, or `map=False`", "set --overwrite, or --no-map"),
        ("expected `scenes`, found none", "expected SCENE, found none"),
    ],
)
def test_a_setting_of_the_command_is_told_as_its_flag(told: str, shown: str) -> None:
    assert in_flags(told) == shown


@pytest.mark.parametrize(
    "told",
    [
        pytest.param("run `dvc repro` again", id="a command"),
        pytest.param("expected `epochs` above 0", id="a setting of another command"),
        pytest.param("expected out in the file, found overwrite", id="no backquotes"),
        pytest.param("expected [out] and [/red] at a`b", id="brackets and a lone backquote"),
        pytest.param("expected `Out` or `out.tif`", id="no name of a setting"),
    ],
)
def test_all_other_words_stay(told: str) -> None:
    assert in_flags(told) == told


def test_flags_are_those_of_the_command_that_runs(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_text("precious")
    assert "set --overwrite\n" in run("simulate", "a.tif").stderr
    run("info", "missing.safetensors")
    assert in_flags("set `overwrite` and `weights`") == "set `overwrite` and WEIGHTS"


def test_errors_and_notes_and_warnings_are_told_in_flags_with_brackets_kept(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    import logging

    from cli import console
    from refinedet.errors import InputError

    def fail(*_: object, **__: object) -> None:
        console.say("[note] of :ship: and `score_min`")
        logging.getLogger("refinedet.somewhere").warning("[bold]%s[/bold] of `iou_min`", "warned")
        raise InputError("expected `pred` of [a], found `centre_m=3` [/b]")

    monkeypatch.setattr("refinedet.evaluation.score.score_files", fail)
    ran = run("score", "a", "b")
    assert ran.exit_code == 1
    assert [line.strip() for line in ran.stderr.splitlines()] == [
        "refinedet: [note] of :ship: and --score-min",
        "refinedet: [bold]warned[/bold] of --iou-min",
        "refinedet: expected PRED of [a], found --centre-m 3 [/b]",
    ]


def test_every_option_of_every_command_has_a_flag_of_its_own() -> None:
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]  # a group
        use_flags_of(command.params)
        for param in command.params:
            told = in_flags(f"`{param.name}`")
            assert told != f"`{param.name}`", f"{name} {param.name}"
            assert told in param.opts or param.param_type_name == "argument", f"{name} {param.name}"
