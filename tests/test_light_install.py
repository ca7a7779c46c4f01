"""The light install: detection, simulation and scores without torch, and without what only POSIX systems have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from refinedet.extras import EXTRA_OF
from refinedet.weights import shipped_weights

EXTRAS = (*EXTRA_OF, "sklearn")
"""Packages that no command of the light install imports; sklearn is MLflow's."""
POSIX = ("fcntl", "resource", "pwd", "grp", "termios")

WITHOUT = """
import importlib.util, json, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in sys.argv[1].split(","):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Refuse())
for name in sys.argv[1].split(","):
    sys.modules.pop(name, None)
from typer.testing import CliRunner
from cli.app import app
for words in json.loads(sys.argv[2]):
    done = CliRunner().invoke(app, words)
    print(json.dumps([done.exit_code, done.output]))
"""


def run_without(modules: tuple[str, ...], *commands: list[str], cwd: Path) -> list[tuple[int, str]]:
    """Exit codes and output of commands in one process that cannot import `modules`."""
    root = Path(__file__).resolve().parent.parent
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONWARNINGS": "ignore", "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, ",".join(modules), json.dumps(commands)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    return [(code, text) for code, text in map(json.loads, done.stdout.splitlines())]


def test_ships_are_found_without_any_extra_and_without_posix_modules(tmp_path: Path) -> None:
    told = run_without(
        (*EXTRAS, *POSIX),
        ["simulate", "s.tif", "--width-px", "512", "--height-px", "512", "--ships", "4"],
        ["detect", "s.tif", "--out", "ships"],
        ["detect", "s.tif", "--out", "ships", "--skip-existing"],
        ["score", "ships/s.geojson", "s.truth.geojson"],
        ["info"],
        cwd=tmp_path,
    )
    assert [code for code, _ in told] == [0] * 5, told
    assert len(json.loads((tmp_path / "ships" / "s.geojson").read_bytes())["features"]) >= 2
    assert {path.name for path in (tmp_path / "ships").iterdir()} >= {"s.csv", "s.png", "s.html", "s.run.json"}
    record = json.loads((tmp_path / "ships" / "s.run.json").read_bytes())
    assert record["settings"]["runtime"] == "openvino"
    assert "F1" in told[3][1]


NEEDS = [
    (["train", "my.json"], "mlflow", "workflow"),
    (["export", "--format", "onnx"], "torch", "train"),
    (["runs"], "mlflow", "workflow"),
    (["serve"], "fastapi", "serve"),
    (["compare", "a", "b"], "dvc", "workflow"),
    (["sync"], "mlflow", "workflow"),
    (["verify", "a"], "dvc", "workflow"),
    (["restore", "a", "b"], "dvc", "workflow"),
    (["detect", "s.tif", "--runtime", "torch"], "torch", "train"),
    (["detect", "s.tif", "--runtime", "onnx"], "onnxruntime", "onnx"),
    (["detect", "s.tif", "--weights", "own.safetensors"], "torch", "train"),
    (["detect", "s.tif", "--format", "gpkg"], "pyogrio", "gpkg"),
]
"""Commands, the package that each lacks, and its extra."""


@pytest.mark.parametrize(
    ("command", "package", "extra"),
    NEEDS,
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_command_that_needs_an_extra_says_which(
    command: list[str], package: str, extra: str, refusals: dict[str, tuple[int, str]]
) -> None:
    code, text = refusals[" ".join(command)]
    assert code == 1, text
    assert f"refinedet: expected {package} " in text
    assert f"pip install 'refinedet[{extra}]'" in text
    assert text.count("\n") == 1, "one sentence"


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """Answers of the commands above, all from one process."""
    folder = tmp_path_factory.mktemp("light")
    (folder / "s.tif").write_bytes(b"")
    own = bytearray(shipped_weights().read_bytes())
    own[-1] ^= 1
    (folder / "own.safetensors").write_bytes(own)
    commands = [command for command, _, _ in NEEDS]
    told = run_without(EXTRAS, *commands, cwd=folder)
    return {" ".join(command): answer for command, answer in zip(commands, told, strict=True)}
