"""The command line as a whole: usage, errors, help."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.testing import Result

from refinedet.config import PRESETS
from refinedet.config.options.detect import MultiscalePreset
from refinedet.config.options.output import Format
from refinedet.errors import InputError
from refinedet.scene import detect
from refinedet.scene.output import result_paths

CHECKOUT = Path(__file__).resolve().parents[2]
Run = Callable[..., Result]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["detect"], id="no scene"),
        pytest.param(["detect", "a.tif", "--score-min", "2"], id="a score above 1"),
        pytest.param(["detect", "a.tif", "--format", "xml"], id="an unknown format"),
        pytest.param(["fly"], id="an unknown command"),
    ],
)
def test_wrong_usage_exits_with_2(run: Run, arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        pytest.param(KeyboardInterrupt(), 130, "refinedet: interrupted", id="Ctrl-C"),
        pytest.param(ZeroDivisionError("oh"), 70, "refinedet: a bug in refinedet: ZeroDivisionError: oh", id="a bug"),
        pytest.param(
            sqlite3.OperationalError("database or disk is full"),
            1,
            "refinedet: expected room on the disk for what is written, found it full; free some",
            id="a full disk",
        ),
        pytest.param(InputError("expected x,\nfound y"), 1, "refinedet: expected x, found y", id="an expected error"),
    ],
)
def test_errors_are_one_sentence_and_a_code(  # noqa: PLR0917 - fixtures and cases
    run: Run,
    weights: Path,
    scene: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    sentence: str,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(detect, "detect_scene", fail)
    ran = run("detect", scene, "--weights", weights)
    assert ran.exit_code == code, ran.stderr
    assert ran.stderr.startswith(sentence)
    assert len(ran.stderr.strip().splitlines()) == 1
    if code != 130:
        assert run("detect", scene, "--weights", weights, "--debug").exception is error


def test_names_of_formats_and_passes_are_those_of_the_library() -> None:
    assert set(result_paths.SUFFIXES) == set(get_args(Format))
    assert set(PRESETS) == set(get_args(MultiscalePreset))


def test_help_imports_nothing_heavy() -> None:
    heavy = ("torch", "rasterio", "mlflow", "numpy", "scipy", "shapely", "dvc", "matplotlib")
    code = (
        "import sys, runpy; sys.argv = ['refinedet', '--help']\n"
        "try: runpy.run_module('cli.app', run_name='__main__')\n"
        f"finally: print([m for m in {heavy} if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=CHECKOUT)
    assert ran.stdout.strip().splitlines()[-1] == "[]"
    assert "detect" in ran.stdout


def test_version_and_module_entry() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "cli.app", "--version"],
        capture_output=True,
        text=True,
        check=True,
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
    )
    assert ran.stdout.startswith("refinedet ")


def test_help_sorts_the_commands_by_subject(run: Run) -> None:
    lines = run("--help").stdout.splitlines()
    titles = [line.strip("╭─╮ ") for line in lines if line.startswith("╭")]
    assert titles == ["Options", "Scenes and ships", "Detectors and data sets", "Runs of the pipeline"]
    words = [line.strip("│ ").split(" ")[0] for line in lines]
    assert words.index("detect") < words.index("train") < words.index("restore")
