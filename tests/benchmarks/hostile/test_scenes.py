"""Hostile files do no harm: all made by hand, and some damaged at random, each in a watched process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[3]
_SCRIPT = _ROOT / "benchmarks" / "hostile" / "scenes.py"


@pytest.fixture(scope="module")
def printed() -> str:
    """Output of the script on all files."""
    done = subprocess.run(
        [sys.executable, _SCRIPT, "--mutants", "66", "--seed", "7"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_no_hostile_file_does_harm(printed: str) -> None:
    assert "HARM" not in printed
    pattern = r"^(.+?): (\d+) files: (\d+) read fine, (\d+) refused with one sentence, "
    counts = re.findall(pattern, printed, re.MULTILINE)
    assert [title for title, *_ in counts] == ["made by hand", "mutants (60 TIFF, 6 PNG and JPEG)"]
    for _, files, fine, refused in counts:
        assert int(files) == int(fine) + int(refused)


def test_the_watch_sees_reads_elsewhere_through_links_and_every_write(tmp_path: Path, beside_the_scripts: Path) -> None:
    assert beside_the_scripts == _SCRIPT.parent
    inside, secret = tmp_path / "files" / "0", tmp_path / "files" / "outside" / "secret.txt"
    inside.mkdir(parents=True)
    secret.parent.mkdir()
    (inside / "link.tif").symlink_to(secret)
    log = tmp_path / "trace.txt"
    log.write_text(
        f'1 openat(AT_FDCWD, "{inside}/scene.tif", O_RDONLY|O_CLOEXEC) = 3\n'
        f'1 openat(AT_FDCWD, "{secret}", O_RDONLY) = -1 ENOENT (No such file or directory)\n'
        f'1 openat(AT_FDCWD, "{secret}", O_RDONLY|O_CLOEXEC) = 4\n'
        f'1 openat(AT_FDCWD, "{inside}/link.tif", O_RDONLY) = 4\n'
        f'1 openat(AT_FDCWD, "{inside}/new.xml", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 5\n'
        f'1 unlink("{inside}/scene.tif") = 0\n'
    )
    run = import_module("scenes")._Run(tmp_path / "files", None)
    run._log = log
    assert [line.split()[0] for line in run._touched()] == ["read", "read", "wrote", "changed"]
    assert list(run._touched()) == []


@pytest.mark.parametrize(
    ("title", "says"),
    [
        ("MRF that writes, named .tif", "another kind"),
        ("VRT that reads /etc/passwd, named .tiff", "a VRT file"),
        ("SAFE, measurement ../../..", "inside the product"),
        ("SAFE, VRT as measurement", "a VRT file"),
        ("SAFE, measurement is a link out of it", "inside the product"),
        ("SAFE, manifest is a link out of it", "inside the product"),
        ("SAFE, XML bomb", "no safe XML"),
        ("zip, pixels behind 512 MB of zeros", "packed at most"),
        ("zip, measurement named ../../..", "inside the product"),
        ("TIFF claiming 10^6 x 10^6", "at most 4,000,000,000 pixels"),
        ("TIFF, one strip of 4 GB, packed", "at most 256 MB"),
        ("TIFF, 140,000 items of metadata", "at most 256 kB"),
        ("a pipe", "a device or a pipe"),
    ],
)
def test_what_is_refused_is_refused_for_its_own_reason(printed: str, title: str, says: str) -> None:
    line = next(line for line in printed.splitlines() if line.strip().startswith(f"{title} "))
    assert re.search(r"\srefused\s", line)
    assert says in line


def test_side_files_and_metadata_do_not_keep_a_scene_from_being_read(printed: str) -> None:
    for title in ("TIFF, side files are links elsewhere", "TIFF, side files are VRTs", "TIFF, 80,000 control points"):
        line = next(line for line in printed.splitlines() if line.strip().startswith(title))
        assert line.split()[-1] == "read"
