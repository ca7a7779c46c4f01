"""Run of a command with progress in the log, which the user can cancel. Knows nothing of QGIS but the log's methods."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO, Protocol

from refinedet_qgis.command import CommandError, environment, percent_of, plain, sentence_of

_POLL_S = 0.2
_PATIENCE_S = 20.0
"""Time in which an interrupted command ends by itself; it keeps finished windows meanwhile."""
_NO_WINDOW = 0x08000000
"""Flag of Windows: the command opens no console."""


class Log(Protocol):
    """Methods of `QgsProcessingFeedback` that are used here."""

    def isCanceled(self) -> bool:
        """Return True once the user cancelled."""

    def setProgress(self, progress: float) -> None:
        """Show progress in percent."""

    def pushInfo(self, info: str) -> None:
        """Show a line."""

    def pushCommandInfo(self, info: str) -> None:
        """Show a command line."""


def run_command(line: Sequence[str], log: Log) -> str:
    """Run a command line and return what it prints on stdout; what it prints on stderr goes to the log.

    Raises:
        CommandError: it cannot be started, it fails without a word on stdout, or the user cancelled.
    """
    log.pushCommandInfo(subprocess.list2cmdline(line))
    try:
        process = subprocess.Popen(
            list(line),
            bufsize=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(os.environ),
            start_new_session=True,
            creationflags=_NO_WINDOW if sys.platform == "win32" else 0,
        )
    except OSError as error:
        raise CommandError(f"expected to start {line[0]}, but that failed ({error.strerror})") from error
    with process:
        output, last = _followed(process, log)
    if process.returncode and not output.strip():
        raise CommandError(sentence_of(last) or f"{line[0]} failed with code {process.returncode}")
    return output


def _followed(process: subprocess.Popen[bytes], log: Log) -> tuple[str, str]:
    """Text on stdout and last line on stderr of a command that runs."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    assert process.stderr is not None  # noqa: S101 - it is a pipe
    told: queue.Queue[str] = queue.Queue()
    printed: list[bytes] = []
    threads = [
        threading.Thread(target=_pass_on, args=(process.stderr, told), daemon=True),
        threading.Thread(target=lambda out: printed.append(out.read()), args=(process.stdout,), daemon=True),
    ]
    for thread in threads:
        thread.start()
    last = ""
    while threads[0].is_alive() or not told.empty():
        if log.isCanceled():
            _stop(process)
            raise CommandError("cancelled; the same again goes on from the last finished windows")
        last = _tell(told, log) or last
    for thread in threads:
        thread.join()
    return b"".join(printed).decode("utf-8", "replace"), last


def _pass_on(stream: IO[bytes], told: queue.Queue[str]) -> None:
    """Pass lines on as they come; progress ends with a carriage return, not with a new line."""
    rest = b""
    while block := os.read(stream.fileno(), 4096):
        *lines, rest = (rest + block).replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            told.put(line.decode("utf-8", "replace"))
        # a bar that is drawn over itself has no end of line until the next one
        if percent_of(plain(rest.decode("utf-8", "replace"))) is not None:
            told.put(rest.decode("utf-8", "replace"))
    told.put(rest.decode("utf-8", "replace"))


def _tell(told: queue.Queue[str], log: Log) -> str:
    """Show the next line, and return it unless it is progress or empty."""
    try:
        line = plain(told.get(timeout=_POLL_S))
    except queue.Empty:
        return ""
    percent = percent_of(line)
    if percent is not None:
        log.setProgress(percent)
        return ""
    if line:
        log.pushInfo(line)
    return line


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Interrupt a command and what it started, so that it keeps what is finished; end it if it does not listen."""
    if sys.platform == "win32":
        process.terminate()
    else:
        os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
