"""Locks between processes: one writer at a time, or one after the other."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from refinedet.errors import FileError
from refinedet.system import locks
from refinedet.system.locks import lock_alone, open_log, reading_log, waiting_lock

_CHILD = """
import sys
from pathlib import Path
from refinedet.system.locks import waiting_lock
with waiting_lock(Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
    Path(sys.argv[2]).write_text("first")
"""


def test_a_second_writer_is_refused_until_the_first_has_closed(tmp_path: Path) -> None:
    path = tmp_path / "new" / "log"
    first = open_log(path)
    lock_alone(path, first, "wait")
    second = open_log(path)
    with pytest.raises(FileError, match=r"expected to be the only run that writes .*log, .* or wait"):
        lock_alone(path, second, "wait")
    os.write(first, b"a line\n")
    with reading_log(first) as stream:
        assert stream.read() == b"a line\n"
    os.write(first, b"another\n")
    os.close(first)
    lock_alone(path, second, "wait")
    os.close(second)
    assert path.read_bytes() == b"a line\nanother\n"


def test_a_file_system_without_locks_is_used_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> bool:
        raise OSError(38, os.strerror(38))

    monkeypatch.setattr(locks, "lock_descriptor", none)
    descriptor = open_log(tmp_path / "log")
    lock_alone(tmp_path / "log", descriptor, "wait")
    os.close(descriptor)


def test_another_process_waits_and_the_log_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    command = [sys.executable, "-c", _CHILD, str(tmp_path / "folder" / "lock"), str(tmp_path / "told")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "mine\n"
        caplog.set_level(logging.INFO, "refinedet.system.locks")

        class Ends(logging.Handler):
            """Ends the child as soon as the log says that this process waits."""

            def emit(self, record: logging.LogRecord) -> None:
                assert record.getMessage() == "waiting for it"
                assert not (tmp_path / "told").exists()
                assert child.stdin is not None
                child.stdin.close()

        handler = Ends()
        locks._LOGGER.addHandler(handler)
        try:
            with waiting_lock(tmp_path / "folder" / "lock", "waiting for it"):
                assert (tmp_path / "told").read_text() == "first"
        finally:
            locks._LOGGER.removeHandler(handler)
        assert [record.getMessage() for record in caplog.records] == ["waiting for it"]
