"""Run of a command by the plugin for QGIS: its log, its failure and its cancellation; without QGIS."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from refinedet_qgis.command import CommandError
from refinedet_qgis.running import run_command


class Log:
    """Log that keeps what it is told, and is cancelled once it was told a word."""

    def __init__(self, cancel_at: str = "") -> None:
        self.lines: list[str] = []
        self.progress: list[float] = []
        self.commands: list[str] = []
        self._cancel_at = cancel_at

    def isCanceled(self) -> bool:  # noqa: D102, N802 - QGIS's name
        return bool(self._cancel_at) and self._cancel_at in self.lines

    def setProgress(self, progress: float) -> None:  # noqa: D102, N802 - QGIS's name
        self.progress.append(progress)

    def pushInfo(self, info: str) -> None:  # noqa: D102, N802 - QGIS's name
        self.lines.append(info)

    def pushCommandInfo(self, info: str) -> None:  # noqa: D102, N802 - QGIS's name
        self.commands.append(info)


def program(folder: Path, text: str) -> list[str]:
    path = folder / "program.py"
    path.write_text(f"import os, signal, sys, time\n{text}\n", encoding="utf-8")
    return [sys.executable, str(path)]


def test_progress_and_words_go_to_the_log_and_the_output_comes_back(tmp_path: Path) -> None:
    text = """
for done in ("0/?", "1/4", "2/4"):
    sys.stderr.write(f"\\r\\x1b[2Kscene.tif \\u2501 {done} windows 0:00:01"); sys.stderr.flush(); time.sleep(0.05)
sys.stderr.write("\\r\\x1b[2K\\x1b[33mrefinedet: a note\\x1b[0m\\n")
print("x" * 200_000)
"""
    log = Log()
    output = run_command(program(tmp_path, text), log)
    assert output.strip() == "x" * 200_000
    assert sorted(set(log.progress)) == [0, 25, 50]
    assert log.lines == ["refinedet: a note"]
    assert "program.py" in log.commands[0]


def test_a_failure_is_the_last_sentence(tmp_path: Path) -> None:
    text = 'sys.stderr.write("first\\nrefinedet: expected a file, found none\\n"); sys.exit(1)'
    with pytest.raises(CommandError, match=r"^expected a file, found none$"):
        run_command(program(tmp_path, text), Log())
    with pytest.raises(CommandError, match="failed with code 3"):
        run_command(program(tmp_path, "sys.exit(3)"), Log())


def test_a_failure_with_a_summary_is_for_the_summary_to_tell(tmp_path: Path) -> None:
    assert run_command(program(tmp_path, 'print("{}"); sys.exit(1)'), Log()).strip() == "{}"


def test_no_such_command_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"expected to start .*nowhere, but that failed"):
        run_command([str(tmp_path / "nowhere")], Log())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no interrupt for other processes")
def test_cancelled_it_is_interrupted_so_that_it_keeps_what_is_finished(tmp_path: Path) -> None:
    text = f"""
def stop(*_):
    open({str(tmp_path / "kept")!r}, "w").close(); sys.exit(130)
signal.signal(signal.SIGINT, stop)
sys.stderr.write("ready\\n"); sys.stderr.flush()
time.sleep(60)
"""
    start = time.monotonic()
    with pytest.raises(CommandError, match="cancelled"):
        run_command(program(tmp_path, text), Log(cancel_at="ready"))
    assert (tmp_path / "kept").exists()
    assert time.monotonic() - start < 30
