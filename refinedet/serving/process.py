"""Control of the worker process: start it, give it one job at a time, ask it to stop, or kill it.

The worker is a process, not a thread. A scene that hangs or crashes a reader ends the worker and not the server, a job
can be ended at any moment, its memory returns to the system, and the server answers while the worker computes.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from refinedet.errors import FileError, InputError, RefineDetError
from refinedet.serving.refusal import BUG, Refusal

Windows = Callable[[int, int], None]
"""Function that is called with the numbers of finished windows and of all windows."""

COMMAND = (sys.executable, "-m", "refinedet.serving.worker")
_GRACE_S = 3.0
"""Seconds in which a job should end after it was asked to stop."""
_LINE_BYTES = 1 << 22
_MOST_BYTES = 1_500_000_000
"""Bytes of memory from which a worker is replaced after its job. A full Sentinel-1 product takes half of it."""
_TIMED_OUT = 504


class Cancelled(Exception):  # noqa: N818 - it is no error
    """The job was asked to stop, and has stopped."""


class Worker:
    """Process that keeps a detector loaded.

    Args:
        settings: settings of the detector and of scenes, as JSON values.
        command: program that runs in the process.
    """

    def __init__(self, settings: Mapping[str, Any], command: Sequence[str] = COMMAND) -> None:
        self._settings, self._command = settings, command
        self._process: Process | None = None
        self._swollen = False

    @property
    def pid(self) -> int | None:
        """Id of the process; None if no process runs."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start the process, and wait until its detector is ready.

        Raises:
            InputError: the detector cannot be loaded.
            FileError: the process cannot be started.
        """
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(folder for folder in sys.path if folder)}
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=PIPE,
                env=environment,
                limit=_LINE_BYTES,
                start_new_session=True,  # Ctrl-C goes to the server only, which shuts this process down
            )
        except OSError as error:
            raise FileError(f"expected to start a process that detects, but that failed ({error.strerror})") from error
        await self._send({"settings": self._settings})
        answer = await self._answer()
        if "ready" not in answer:
            await self.end()
            raise InputError(answer.get("error", "expected a process that detects, but it ended while it started"))

    async def run(
        self, job: Mapping[str, Any], windows: Windows, *, stop: asyncio.Event, limit_s: float
    ) -> Mapping[str, Any]:
        """Run one job; the process is started if there is none.

        Returns:
            ships, notes and seconds.

        Raises:
            Cancelled: `stop` was set.
            RefineDetError: the scene cannot be used, took too long, or crashed the process.
        """
        if self._process is None:
            await self.start()
        await self._send({"job": job})
        working = asyncio.create_task(self._result(windows))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({working, stopping}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            if working.done() and not stop.is_set():
                return self._checked(working.result())
            await self._interrupt(working)
            if stop.is_set():
                raise Cancelled
            raise Refusal(
                _TIMED_OUT, f"expected a scene that takes at most {limit_s:g} s (`job_s`), found a slower one"
            )
        finally:
            stopping.cancel()
            working.cancel()
            if self._swollen:
                await self.end()

    async def end(self) -> None:
        """Kill the process, if there is one."""
        process, self._process, self._swollen = self._process, None, False
        if process is None:
            return
        if process.stdout is not None and process.stdout.at_eof():  # it ends on its own
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _GRACE_S)
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _interrupt(self, working: asyncio.Task[Mapping[str, Any]]) -> None:
        """Ask the process to stop its job, and kill it if it does not."""
        if not working.done():
            await self._send({"cancel": True})
            await asyncio.wait({working}, timeout=_GRACE_S)
        if not working.done() or not working.result():
            await self.end()

    async def _result(self, windows: Windows) -> Mapping[str, Any]:
        """Last message on a job; empty if the process has ended."""
        while True:
            message = await self._answer()
            if "windows" not in message:
                self._swollen = message.get("memory", 0) > _MOST_BYTES
                return message
            windows(*message["windows"])

    def _checked(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        if "found" in message:
            found: Mapping[str, Any] = message["found"]
            return found
        if not message:
            self._swollen = True  # it has ended; `end` cleans up
            raise Refusal(BUG, "expected ships, but the process that detects has ended; another one takes its place")
        raise _error(message)

    async def _send(self, message: Mapping[str, Any]) -> None:
        process = self._process
        if process is not None and process.stdin is not None:
            with suppress(ConnectionError):  # it has ended, which its reply will show
                process.stdin.write((json.dumps(message) + "\n").encode())
                await process.stdin.drain()

    async def _answer(self) -> Mapping[str, Any]:
        """Next message; empty if the process has ended or sends anything else."""
        process = self._process
        if process is None or process.stdout is None:
            return {}
        try:
            message = json.loads(await process.stdout.readline())
        except ValueError:  # no JSON, or a line without an end
            return {}
        return message if isinstance(message, dict) else {}


def _error(message: Mapping[str, Any]) -> RefineDetError:
    return Refusal(int(message.get("status", BUG)), str(message.get("error", "a job failed")))
