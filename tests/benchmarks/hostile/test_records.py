"""Every hostile record of a run comes out as expected, and the check of that can fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.slow

_ROOT = Path(__file__).resolve().parents[3]
_SCRIPT = _ROOT / "benchmarks" / "hostile" / "records.py"


@pytest.fixture(scope="module")
def printed() -> str:
    """Output of the script on all cases."""
    done = subprocess.run(
        [sys.executable, _SCRIPT],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    return done.stdout


def test_all_come_out_as_expected(printed: str) -> None:
    assert "WRONG" not in printed
    assert printed.rstrip().endswith("all came out as expected")
    assert len(re.findall(r"^.{44} (restored|refused) ", printed, re.MULTILINE)) > 60


@pytest.mark.parametrize(
    ("title", "says"),
    [
        ("revision: --upload-pack=PROGRAM", "which is not 40 to 64 hex digits"),
        ("prefix: absolute", "of no file within the project"),
        ("prefix: a link out of the tree", "the run leads it elsewhere"),
        ("file: .GIT/hooks/post-checkout", "of no file within the project"),
        ("patch: ../outside/planted", "invalid path"),
        ("patch: a file below its own link", "beyond a symbolic link"),
        ("patch: 300 MB of zeros", "expected a patch of at most"),
        ("patch: a link within out", "found the link way"),
        ("dvc.yaml: another working folder", "a working folder of its own"),
        ("dvc.lock: an output outside", "of no file within the project"),
    ],
)
def test_each_for_its_own_reason(printed: str, title: str, says: str) -> None:
    (line,) = (line for line in printed.splitlines() if line.startswith(f"{title} "))
    assert says in line


def test_a_file_written_outside_is_seen(
    beside_the_scripts: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert beside_the_scripts == _SCRIPT.parent
    for name in ("GIT_CEILING_DIRECTORIES", "MLFLOW_TRACKING_URI", "MLFLOW_DISABLE_TELEMETRY", "DVC_NO_ANALYTICS"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # put back at the end
    monkeypatch.chdir(tmp_path)
    records = import_module("records")
    world = records.World(tmp_path)

    def careless(run_id: str, place: Path) -> SimpleNamespace:
        place.mkdir()
        (world.outside / run_id).touch()
        return SimpleNamespace(checks=[], notes=[])

    monkeypatch.setattr(records, "restore", careless)
    assert not world.try_case("a good run", "restored", lambda _: None)
    assert "WRITTEN: outside/" in capsys.readouterr().out
