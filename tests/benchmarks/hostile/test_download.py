"""Every hostile server and archive comes out as expected, and the check of that can fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

_ROOT = Path(__file__).resolve().parents[3]
_SCRIPT = _ROOT / "benchmarks" / "hostile" / "download.py"


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


@pytest.mark.slow
def test_all_come_out_as_expected(printed: str) -> None:
    assert "WRONG" not in printed
    assert printed.rstrip().endswith("all came out as expected")
    assert len(re.findall(r"^.{48} (whole|refused|unpacked) ", printed, re.MULTILINE)) > 80


@pytest.mark.parametrize(
    ("title", "says"),
    [
        ("drops every 100 kB", "whole, asked 4 times"),
        ("changes, and overlooks If-Range", "whole, asked 3 times"),
        ("says 10^15 bytes", "of free disk"),
        ("redirects to a local file", "is not allowed"),
        ("tar, symbolic link", "a link or device"),
        ("zip, 300 MB of zeros", "bytes of content, more than"),
        ("tar.gz, extended header of 4 GB", "a header of 4294967296 bytes"),
    ],
)
def test_each_for_its_own_reason(printed: str, title: str, says: str) -> None:
    (line,) = (line for line in printed.splitlines() if line.startswith(f"{title} "))
    assert says in line


def test_a_wrong_outcome_is_seen(
    beside_the_scripts: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert beside_the_scripts == _SCRIPT.parent
    download, good = import_module("download"), import_module("archives").ARCHIVES["a good zip"][1]
    monkeypatch.setattr(download, "ARCHIVES", {"a good zip": ("refused", good)})
    assert download._archives(tmp_path, "") == 1
    assert "WRONG" in capsys.readouterr().out
