"""A file of lines: whole lines alone, forced to the disk now and then, and nothing left of an empty one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from refinedet.errors import FileError
from refinedet.system import line_log
from refinedet.system.line_log import open_line_log


def test_lines_are_forced_to_the_disk_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forced: list[float] = []
    clock = [100.0]
    monkeypatch.setattr(line_log.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(line_log.os, "fsync", lambda _: forced.append(clock[0]))
    with open_line_log(tmp_path / "a", "lines", "wait") as log:
        for at in (100.2, 101.1, 101.5):
            clock[0] = at
            log.add(b"line\n")
        clock[0] = 102.2
    assert forced == [101.1, 102.2]
    forced.clear()
    with open_line_log(tmp_path / "b", "lines", "wait") as log:
        log.add(b"line\n")
    assert forced == [], "in no time"


def test_a_line_that_fails_leaves_those_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, write = tmp_path / "log", os.write

    def half(descriptor: int, content: bytes) -> int:
        if content.startswith(b"!"):
            raise OSError(28, os.strerror(28))
        return write(descriptor, content[:3])

    with open_line_log(path, "lines", "wait") as log:
        log.add(b"first\n")
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", half)
            with pytest.raises(OSError, match="No space left"):
                log.add(b"abc!\n")
        assert path.read_bytes() == b"first\n"
        log.add(b"second\n")
        with log.reading() as stream:
            assert stream.read() == b"first\nsecond\n"


def test_an_empty_file_is_removed_with_the_folder_that_was_made_for_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "log"
    with open_line_log(path, "lines", "wait"):
        assert path.exists()
    assert not path.parent.exists()
    path.parent.mkdir()
    with open_line_log(path, "lines", "wait") as log:
        log.add(b"line\n")
        log.cut(0)
    assert list(path.parent.iterdir()) == []


def test_a_file_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(FileError, match=r"^expected to write lines to .*log, but that failed .*a file is in the way"),
        open_line_log(tmp_path / "file" / "log", "lines", "wait"),
    ):
        pass
    with (
        open_line_log(tmp_path / "log", "lines", "wait"),
        pytest.raises(FileError, match=r"expected to be the only run that writes .*; wait for it, or name another"),
        open_line_log(tmp_path / "log", "lines", "name another"),
    ):
        pass
