"""Command lines of the plugin for QGIS, and what it reads of their output; without QGIS."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.main import get_command

from cli.app import app
from refinedet_qgis.command import (
    CommandError,
    detect_command,
    detected,
    environment,
    find_command,
    match_command,
    matched,
    percent_of,
    plain,
    sentence_of,
)


def parsed(line: list[str]) -> dict[str, object]:
    """Values of the options that the command line understands of a line; a wrong one raises."""
    command = get_command(app).commands[line[1]]  # type: ignore[attr-defined]  # a group
    context = command.make_context(line[1], line[2:])
    return dict(context.params)


def test_the_command_understands_each_option() -> None:
    line = detect_command(
        "refinedet",
        "a b.tif",
        "out",
        weights="w.safetensors",
        score_min=0.4,
        pol="vv+vh",
        overwrite=True,
        extra="--land-mask drop --time '2022-10-02 20:51'",
    )
    told = parsed(line)
    assert told["scenes"] == ["a b.tif"]
    names = ("out", "format", "quicklook", "map", "json", "weights", "score_min", "pol", "overwrite")
    values = {name.removeprefix("output_").removeprefix("detector_"): value for name, value in told.items()}
    assert {str(values[name]) for name in names if name in values} >= {"0.4", "True", "False"}
    assert line[-4:] == ["--land-mask", "drop", "--time", "2022-10-02 20:51"]
    assert "--weights" not in detect_command("refinedet", "a.tif", "out")
    assert parsed(match_command("refinedet", "a.gpkg", ["1.csv", "2.csv"], "out", overwrite=True))["ais"] == [
        Path("1.csv"),
        Path("2.csv"),
    ]


def test_an_open_quote_is_one_sentence() -> None:
    with pytest.raises(CommandError, match="expected further options as on a command line"):
        detect_command("refinedet", "a.tif", "out", extra="--land 'a")


def test_the_command_is_that_of_the_setting_or_of_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "refinedet"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match="expected the command refinedet in PATH, found none; install it"):
        find_command("")
    with pytest.raises(CommandError, match=r"expected the command refinedet at .*nowhere, found none; correct it"):
        find_command(str(tmp_path / "nowhere"))
    assert find_command(str(program)) == str(program)
    monkeypatch.setenv("PATH", str(program.parent))
    assert find_command("") == str(program)


def test_another_python_gets_nothing_of_that_of_qgis() -> None:
    given = {"PYTHONHOME": "/qgis", "PYTHONPATH": "/qgis", "PROJ_LIB": "/qgis", "HOME": "/me"}
    made = environment(given)
    assert made["HOME"] == "/me"
    assert "/qgis" not in made.values()


@pytest.mark.parametrize(
    ("line", "percent"),
    [
        ("scene.tif ━━━━━━━━━━━━━━━━━━━━ 5/20 windows 0:00:12", 25),
        ("archive ━━━ 3/3 scenes 0:00:00", 100),
        ("scene.tif ━━━━━━ 0/? windows -:--:--", 0),
        ("scene.tif ━━━━━━ 0/0 windows -:--:--", 0),
        ("refinedet: 3/4 of the pixels are missing", None),
        ("scene.tif ━━━━━━ 5/20 win", None),
    ],
)
def test_progress_is_read_of_the_bar(line: str, percent: float | None) -> None:
    assert percent_of(line) == percent


def test_codes_of_a_terminal_are_taken_away() -> None:
    assert plain("\x1b[2K\x1b[1Ascene \x1b[38;5;197m━━\x1b[0m 5/20 windows\x1b[?25h ") == "scene ━━ 5/20 windows"
    assert sentence_of("refinedet: expected a file") == "expected a file"


def test_a_summary_becomes_layers_with_the_ships_first() -> None:
    scene = {"error": None, "ships": 3, "notes": ["a note"], "files": ["o/a.ais.gpkg", "o/a.gpkg", "o/a.run.json"]}
    outcome = detected(json.dumps({"scenes": [scene], "ships": 3}))
    assert (outcome.layers, outcome.ships, outcome.notes) == (("o/a.gpkg", "o/a.ais.gpkg"), 3, ("a note",))
    match = {"detections": {"matched": 2, "dark": 1}, "files": ["o/a.matched.gpkg", "o/a.ais.gpkg"]}
    outcome = matched(json.dumps({"matches": [match]}))
    assert (outcome.layers, outcome.ships) == (("o/a.matched.gpkg", "o/a.ais.gpkg"), 3)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (json.dumps({"scenes": [{"error": "expected a raster", "files": []}]}), "expected a raster"),
        (json.dumps({"scenes": [{"error": None, "files": ["a.csv"]}]}), "expected a GeoPackage among the results"),
        (json.dumps({"scenes": []}), "expected one result"),
        (json.dumps([1]), "expected a summary"),
        ("no json", "expected a summary of the results, found 'no json'"),
    ],
)
def test_other_summaries_are_one_sentence(output: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        detected(output)
