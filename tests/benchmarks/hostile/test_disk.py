"""A full disk comes out as expected in every stage, and the check of that can fail."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

_ROOT = Path(__file__).resolve().parents[3]
_SCRIPT = _ROOT / "benchmarks" / "hostile" / "disk.py"
_GOOD = "12:00:00 ERROR expected room on the disk for outputs/tile, found it full; free some, then run the same again\n"


@pytest.fixture
def script(beside_the_scripts: Path) -> ModuleType:
    """The script as a module."""
    assert beside_the_scripts == _SCRIPT.parent
    return import_module("disk")


@pytest.mark.parametrize(
    ("status", "log", "problems"),
    [
        pytest.param(0, "", 0, id="whole"),
        pytest.param(1, _GOOD, 0, id="one sentence"),
        pytest.param(70, _GOOD, 1, id="another status"),
        pytest.param(1, _GOOD * 2, 1, id="two sentences"),
        pytest.param(1, "Traceback (most recent call last):\nOSError\n", 1, id="a traceback"),
        pytest.param(1, "12:00:00 ERROR expected a ship, found a lighthouse\n", 1, id="about something else"),
    ],
)
def test_the_end_of_a_stage_is_judged(script: ModuleType, status: int, log: str, problems: int) -> None:
    assert len(script.Came(status, log).problems()) == problems


def test_a_large_disk_is_never_filled(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for total, content in ((1 << 40, None), (1 << 20, "mine.txt")):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, total=total: SimpleNamespace(total=total))
        if content:
            (tmp_path / content).write_text("")
        with pytest.raises(SystemExit, match="expected an empty folder on a disk of at most"):
            script._small_disk(tmp_path).__enter__()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_stage_ends_well_and_goes_on() -> None:
    unshare = shutil.which("unshare")
    alone = [unshare, "-rm"] if unshare else ["false"]  # a name space of its own: mounts vanish with it
    if subprocess.run([*alone, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False, capture_output=True).returncode:
        pytest.skip("no tmpfs can be mounted here")
    environment = os.environ | {"PYTHONPATH": str(_ROOT)}
    done = subprocess.run(
        [*alone, sys.executable, _SCRIPT], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    assert len(re.findall(r"^(\w+), \d+ +refused ", done.stdout, re.MULTILINE)) > 14
