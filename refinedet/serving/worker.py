"""Process that keeps a detector and finds the ships of one scene at a time: `python -m refinedet.serving.worker`.

It exchanges lines of JSON with the server. It first receives `{"settings": ...}` and replies `{"ready": true}`. Then it
receives `{"job": ...}` and, while a job runs, `{"cancel": true}`. It sends `{"windows": [done, total]}` during a job,
and at the end `{"found": ...}`, `{"cancelled": true}` or `{"error": ..., "status": ...}`. It ends when its input ends.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any

from refinedet.errors import RefineDetError
from refinedet.serving.options import settings_of
from refinedet.serving.refusal import BUG, status_of
from refinedet.workarounds.scipy_docstrings import import_ndimage
from refinedet.workarounds.unused_imports import read_boto3_when_used

if TYPE_CHECKING:
    from refinedet.detection.detector import Detector

_LOGGER = logging.getLogger(__name__)


class _Cancelled(Exception):  # noqa: N818 - it is no error
    """Raised between two batches of windows once a job is cancelled."""


class _Wire:
    """Lines of JSON to and from the server. A thread reads them, so that a job can be cancelled."""

    def __init__(self, source: IO[str], sink: IO[str]) -> None:
        self._source, self._sink = source, sink
        self.jobs: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self.cancelled = threading.Event()

    def say(self, **message: Any) -> None:
        """Send one message."""
        self._sink.write(json.dumps(message) + "\n")
        self._sink.flush()

    def listen(self) -> None:
        """Receive messages until the input ends; then end the process at once. A cancel is of the job before it."""
        for line in self._source:
            message = json.loads(line)
            if "cancel" in message:
                self.cancelled.set()
            else:
                self.cancelled.clear()  # before the job is at hand, or a cancel right behind it would be lost
                self.jobs.put(message["job"])
        os._exit(0)


def main() -> None:
    """Load the detector of the first line, then process jobs."""
    wire = _Wire(sys.stdin, os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8"))
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # no library may write to the stream of messages
    read_boto3_when_used()
    base = settings_of(json.loads(sys.stdin.readline())["settings"])
    try:
        detector = _ready(base)
    except Exception as error:  # noqa: BLE001 - the server tells it
        wire.say(**_error_message(error))
        return
    threading.Thread(target=wire.listen, daemon=True).start()
    wire.say(ready=True)
    _process_jobs(detector, wire)


def _process_jobs(detector: Detector, wire: _Wire) -> None:
    """Find the ships of one scene after the other, until the process ends."""
    while True:
        job = wire.jobs.get()
        try:
            answer: dict[str, Any] = {"found": _find(detector, job, wire)}
        except _Cancelled:
            answer = {"cancelled": True}
        except Exception as error:  # noqa: BLE001 - a scene that fails must not end the process
            answer = _error_message(error, hidden=(f"{Path(job['scene']).parent}{os.sep}", f"{job['folder']}{os.sep}"))
        wire.say(**answer, memory=resident_bytes())


def _ready(base: Any) -> Detector:
    """Load the detector, compile its usual sizes and import what the first scene needs."""
    from refinedet.detection.detector import Detector
    from refinedet.detection.finder import load_rest

    detector = Detector.of(base.detector)
    import_ndimage()  # before anything imports it
    detector.search(base.windows)
    load_rest({"quicklook": Path(), "map": Path()})
    import refinedet.scene.detect  # noqa: F401 - to be there

    return detector


def _find(detector: Detector, job: dict[str, Any], wire: _Wire) -> dict[str, Any]:
    """Find the ships of one scene, and write its files."""
    from refinedet.detection.finder import ShipFinder

    def progress(done: int, total: int) -> None:
        if wire.cancelled.is_set():
            raise _Cancelled
        wire.say(windows=[done, total])

    files = {name: Path(path) for name, path in job["files"].items()}
    run = ShipFinder(detector, settings_of(job["settings"])).find(Path(job["scene"]), files, progress)
    return {"ships": run.ships, "notes": list(run.notes), "seconds": round(run.seconds, 3)}


def _error_message(error: Exception, hidden: tuple[str, ...] = ()) -> dict[str, Any]:
    """Message of an error, without the folders of the server."""
    if isinstance(error, RefineDetError):
        text = str(error)
        for folder in hidden:
            text = text.replace(folder, "")
        return {"error": " ".join(text.split()), "status": status_of(error)}
    _LOGGER.error("a job failed", exc_info=error)
    return {"error": f"a bug in refinedet: {type(error).__name__}; the server's log has more", "status": BUG}


def resident_bytes() -> int:
    """Bytes of memory of this process if the system reports them; else 0."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


if __name__ == "__main__":
    main()
