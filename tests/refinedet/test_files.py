"""Files are whole or absent, and equal content has equal hashes."""

from __future__ import annotations

import errno
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from refinedet import files
from refinedet.errors import DiskError, FileError, InputError
from refinedet.files import (
    atomic_folder,
    atomic_path,
    cannot_write,
    is_disk_full,
    is_safe_path,
    read_json,
    sha256_tree,
    visible_files,
    write_json,
    write_text,
)


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt"]


def test_a_killed_process_leaves_nothing_that_a_pattern_of_the_folder_matches(tmp_path: Path) -> None:
    code = "import os, sys; from refinedet import files\nwith files.atomic_path(sys.argv[1]): os.kill(os.getpid(), 9)"
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.parquet")], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert list(tmp_path.glob("*.parquet")) == []


def test_a_name_of_255_bytes_can_be_written(tmp_path: Path) -> None:
    write_text(tmp_path / f"{'n' * 251}.txt", "whole")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["whole"]


def test_a_failed_folder_leaves_the_old_folder(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("1")
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "out") as folder:
        (folder / "b").write_text("2")
        raise RuntimeError
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["a"]
    with atomic_folder(tmp_path / "out") as folder:
        (folder / "b").write_text("2")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["b"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]


_KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from refinedet import files

way, path = sys.argv[1], Path(sys.argv[2])
die = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
if way == "after the exchange":
    shutil.rmtree = die
elif way == "between two renames":
    files._exchanged = lambda *_: False
    replace = Path.replace
    Path.replace = lambda one, other: die() if other == path else replace(one, other)
else:
    files._exchanged = lambda *_: False
    shutil.rmtree = die
with files.atomic_folder(path) as folder:
    (folder / "new").touch()
"""


@pytest.mark.parametrize(
    ("way", "left"),
    [("after the exchange", "new"), ("between two renames", None), ("before the old one goes", "new")],
)
def test_a_process_killed_while_folders_change_places_loses_neither(tmp_path: Path, way: str, left: str | None) -> None:
    path = tmp_path / "out"
    with atomic_folder(path) as folder:
        (folder / "old").touch()
    killed = subprocess.run([sys.executable, "-c", _KILLED, way, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert ([file.name for file in path.iterdir()] if path.exists() else None) == (None if left is None else [left])
    with pytest.raises(RuntimeError), atomic_folder(path):
        raise RuntimeError
    assert [file.name for file in path.iterdir()] == [left or "old"], "the next call puts it back, though it fails"
    with atomic_folder(path) as folder:
        (folder / "newer").touch()
    assert [file.name for file in path.iterdir()] == ["newer"]
    assert not (tmp_path / ".out.before").exists()


def test_folders_change_places_without_an_exchange_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_exchanged", lambda *_: False)
    for name in ("one", "two"):
        with atomic_folder(tmp_path / "out") as folder:
            (folder / name).touch()
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["two"]
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_a_file_in_the_place_of_a_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(FileError, match="found a file or link"), atomic_folder(tmp_path / "out"):
        pytest.fail("not reached")
    assert (tmp_path / "out").read_text() == "mine"
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.EACCES, "check who may write there"),
        (errno.EROFS, "nothing can be written on that disk"),
        (errno.ENAMETOOLONG, "take a shorter name"),
        (errno.EISDIR, "a folder is in the way"),
        (errno.ENOTDIR, "a file is in the way"),
        (errno.EPIPE, "check that place"),
    ],
)
def test_only_a_full_disk_is_said_to_be_full(tmp_path: Path, number: int, advice: str) -> None:
    told = cannot_write(tmp_path / "a", OSError(number, "the reason"), tmp_path / "a")
    assert f"that failed (the reason); {advice}" in str(told)
    assert not isinstance(told, DiskError)
    full = cannot_write(tmp_path / "a", OSError(errno.ENOSPC, "No space left on device"), tmp_path / "a")
    assert isinstance(full, DiskError)
    assert "found it full" in str(full)


@pytest.mark.parametrize("name", ["/a", "a/../../b", "..", "C:a", "a\\b", "a\nb", "n" * 256, "d/" * 600])
def test_names_that_lead_out_of_their_folder_are_told(name: str) -> None:
    assert not is_safe_path(name)
    assert is_safe_path("a/b.c")


def no_room(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(OSError(errno.ENOSPC, "No space left on device"), id="Python"),
        pytest.param(OSError(errno.EDQUOT, "Disk quota exceeded"), id="a quota"),
        pytest.param(RuntimeError("I/O error: No space left on device (os error 28)"), id="safetensors"),
        pytest.param(sqlite3.OperationalError("database or disk is full"), id="SQLite"),
    ],
)
def test_a_full_disk_is_one_sentence_and_leaves_the_old_file(error: Exception, tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with (
        pytest.raises(DiskError, match=r"room on the disk for .*/a\.txt, found it full; free some"),
        atomic_path(target),
    ):
        raise error
    assert target.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt"]


@pytest.mark.parametrize("free", [0, 1 << 30])
def test_a_write_that_fails_without_a_reason_has_it_where_nothing_is_left(
    free: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    with pytest.raises(RuntimeError if free else DiskError), atomic_path(tmp_path / "a.pt"):
        raise RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed")
    assert not is_disk_full(ZeroDivisionError("a bug of ours"), tmp_path)
    assert not is_disk_full(InputError("expected a disk, found that the disk is full of ships"), tmp_path)


def test_a_full_disk_names_files_of_a_folder_by_where_they_will_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "write_text", no_room)
    with (
        pytest.raises(DiskError, match=rf"for {tmp_path}/out/metrics\.json, "),
        atomic_folder(tmp_path / "out") as folder,
    ):
        write_json(folder / "metrics.json", {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", [atomic_path, atomic_folder])
def test_a_disk_without_room_for_the_first_byte_is_told_of_too(
    what: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "mkdir", no_room)
    with pytest.raises(DiskError, match="found it full"), what(tmp_path / "a"):  # type: ignore[attr-defined]
        pass


def test_written_files_have_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    write_text(tmp_path / "atomic", "")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_json_is_stable_and_strict(tmp_path: Path) -> None:
    for name, value in (("a", {"x": 1, "y": [2]}), ("b", {"y": [2], "x": 1})):
        write_json(tmp_path / name, value)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert read_json(tmp_path / "a") == {"x": 1, "y": [2]}
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "c", float("nan"))
    assert not (tmp_path / "c").exists()


def test_unreadable_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"nothing\.json"):
        read_json(tmp_path / "nothing.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(InputError, match=r"bad\.json"):
        read_json(tmp_path / "bad.json")


def test_a_tree_hash_knows_names_and_content_but_not_byte_code(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub" / "a").write_text("1")
    assert sha256_tree(tmp_path / "one") == sha256_tree(tmp_path / "two")
    (tmp_path / "two" / "a.pyc").write_text("x")
    assert sha256_tree(tmp_path / "one") == sha256_tree(tmp_path / "two")
    (tmp_path / "two" / "sub" / "a").rename(tmp_path / "two" / "sub" / "b")
    assert sha256_tree(tmp_path / "one") != sha256_tree(tmp_path / "two")


def test_hidden_files_and_those_in_hidden_folders_are_not_visible(tmp_path: Path) -> None:
    folder = tmp_path / ".results"  # a hidden folder above does not count
    for name in ("b/2.parquet", "a/1.parquet", "a/.1.parquet", ".part-x/1.parquet", "a/.part-y/1.parquet", "a/1.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    (folder / "a" / "folder.parquet").mkdir()
    for pattern in ("*/*.parquet", "**/*.parquet"):
        found = [path.relative_to(folder).as_posix() for path in visible_files(folder, pattern)]
        assert found == ["a/1.parquet", "b/2.parquet"], pattern
