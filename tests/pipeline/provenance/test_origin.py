"""provenance.py: hashes equal DVC's, tags tell the truth about git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from dvc_data.hashfile.build import build
from dvc_data.hashfile.db import HashFileDB
from dvc_objects.fs import LocalFileSystem

from pipeline.provenance import origin as provenance
from pipeline.provenance.origin import code_tags, data_md5, machine_tags, uncommitted_changes
from refinedet.files import md5_file


def dvc_hash(path: Path, cache: Path) -> str:
    filesystem = LocalFileSystem()
    _, _, built = build(HashFileDB(filesystem, str(cache)), str(path), filesystem, "md5", dry_run=True)
    assert built.hash_info.value
    return str(built.hash_info.value)


def test_data_md5_is_what_dvc_records(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for name in ("b.json", "a/2.png", "a.png", "a/b/é.txt", "Z", "empty"):
        file = data / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("" if name == "empty" else name)
    assert data_md5(data) == dvc_hash(data, tmp_path / "cache")
    assert data_md5(data / "b.json") == dvc_hash(data / "b.json", tmp_path / "cache")
    before = data_md5(data)
    (data / "module.pyc").write_bytes(b"left behind by Python; .dvcignore names it")
    assert data_md5(data) == before
    (data / "Z").write_text("other")
    assert data_md5(data) != before


def test_code_tags_tell_revision_and_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert code_tags() == {"git_revision": "unknown"}
    assert uncommitted_changes() == b""
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false")
    (tmp_path / "a.txt").write_text("one\n")
    for command in (("init", "-q"), ("add", "a.txt"), (*identity, "commit", "-q", "-m", "m")):
        subprocess.run(["git", *command], check=True, cwd=tmp_path)
    clean = code_tags()
    assert (len(clean["git_revision"]), clean["git_dirty"]) == (40, "false")
    (tmp_path / "a.txt").write_text("two\n")
    assert code_tags() == {**clean, "git_dirty": "true"}
    assert b"-one\n+two" in uncommitted_changes()


def test_machine_tags_are_short_words() -> None:
    tags = machine_tags()
    assert {"hardware.cpu", "hardware.cores", "hardware.gpu", "torch"} <= set(tags)
    assert all(value and "\n" not in value and len(value) < 200 for value in tags.values())


def test_each_file_is_read_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(provenance, "md5_file", lambda path: read.append(path.name) or md5_file(path))
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (1e9, 1e9))
    first = data_md5(tmp_path)
    assert data_md5(tmp_path) == first
    assert sorted(read) == ["a", "b"]
    (tmp_path / "b").write_text("c")  # the same size
    second = data_md5(tmp_path)
    assert second != first
    (tmp_path / "b").write_text("d")  # just written: it is never taken from memory
    assert data_md5(tmp_path) not in (first, second)
    assert read[2:] == ["b", "b"]
