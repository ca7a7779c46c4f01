"""Files are whole or absent, and equal content has equal hashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinedet.errors import FileError, InputError
from refinedet.files import atomic_folder, atomic_path, read_json, sha256_tree, write_json, write_text


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
