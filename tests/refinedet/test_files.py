"""Files are whole or absent, and equal content has equal hashes."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from refinedet.errors import DiskError, FileError, InputError
from refinedet.files import atomic_folder, atomic_path, is_disk_full, read_json, sha256_tree, write_json, write_text


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt"]


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
