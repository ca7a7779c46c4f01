"""Jobs: waiting scenes, the scene in progress, and results that are kept for a while."""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from refinedet.config.options.serve import ServeSettings
from refinedet.config.options.settings import DetectSettings
from refinedet.errors import RefineDetError
from refinedet.serving.options import plain
from refinedet.serving.process import Cancelled, Worker
from refinedet.serving.refusal import BUG, Refusal, status_of

_LOGGER = logging.getLogger(__name__)

State = Literal["waiting", "running", "done", "failed", "cancelled"]
ENDED = ("done", "failed", "cancelled")
RESULTS = {"ships.geojson": "geojson", "record.json": "record", "picture.png": "quicklook", "map.html": "map"}
"""Result file of a job -> its name in `scene/output`."""
UPLOAD = "upload"
"""Name of the folder of an upload, within the folder of its job."""
_BUSY, _GONE, _CLOSING = 503, 404, 503
_LONGEST_WAIT_S = 60
_BUG = "a bug in refinedet: {}; the server's log has more"


@dataclass(eq=False)
class Job:
    """One scene and its outcome. Results are in `folder`, an upload in the folder `upload` within it."""

    id: str
    folder: Path
    scene: Path
    settings: DetectSettings
    state: State = "waiting"
    windows: tuple[int, int] = (0, 0)
    """Numbers of finished windows and of all windows; (0, 0) before the first."""
    ships: int | None = None
    notes: tuple[str, ...] = ()
    seconds: float | None = None
    error: str | None = None
    status: int = 200
    """HTTP status of the error."""
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ended(self) -> bool:
        """True once the job has ended."""
        return self.state in ENDED

    @property
    def files(self) -> dict[str, Path]:
        """Paths of the requested result files, by their names in the address."""
        output = self.settings.output
        absent = {"quicklook": output.quicklook is False, "map": output.map is False}
        return {name: self.folder / name for name, kind in RESULTS.items() if not absent.get(kind, False)}

    def tell(self, **changes: Any) -> None:
        """Apply changes, and wake the watchers."""
        for name, value in changes.items():
            setattr(self, name, value)
        told, self._changed = self._changed, asyncio.Event()
        told.set()

    @property
    def next_change(self) -> asyncio.Event:
        """Event that the next change sets. Take it before reading the state, so that no change is missed."""
        return self._changed

    def to_dict(self) -> dict[str, Any]:
        """State of the job, ready for JSON."""
        done, total = self.windows
        return {
            "id": self.id,
            "scene": self.scene.name,
            "state": self.state,
            "windows_done": done,
            "windows": total,
            "ships": self.ships,
            "notes": list(self.notes),
            "seconds": self.seconds,
            "error": self.error,
            "results": [f"/jobs/{self.id}/{name}" for name in self.files] if self.state == "done" else [],
        }


class Jobs:
    """All jobs of a server; one worker processes them one after the other, because the detector uses all cores.

    Args:
        worker: process that finds ships.
        limits: limits of the server.
        folder: folder for uploads and results.
    """

    def __init__(self, worker: Worker, limits: ServeSettings, folder: Path) -> None:
        self._worker, self._limits, self._folder = worker, limits, folder
        self._all: OrderedDict[str, Job] = OrderedDict()
        self._waiting: deque[Job] = deque()
        self._work = asyncio.Event()
        self._arriving = 0
        self._running: Job | None = None
        self._last_s = 1.0
        self._closed = False

    @contextmanager
    def place(self) -> Iterator[Path]:
        """Reserve a place in the queue while a scene arrives; yields an empty folder, which is removed on an error.

        Raises:
            Refusal: the queue is full, or the server is shutting down.
        """
        self._check_room()
        self._arriving += 1
        folder = self._folder / secrets.token_hex(16)
        folder.mkdir()
        try:
            yield folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            self._arriving -= 1

    def add(self, folder: Path, scene: Path, settings: DetectSettings, notes: tuple[str, ...] = ()) -> Job:
        """Put a scene into the queue; its folder comes from `place`."""
        job = Job(folder.name, folder, scene, settings, notes=notes)
        self._all[job.id] = job
        self._waiting.append(job)
        self._work.set()
        return job

    def get(self, identifier: str) -> Job:
        """Job by its identifier.

        Raises:
            Refusal: there is no such job.
        """
        job = self._all.get(identifier)
        if job is None:
            raise Refusal(_GONE, "expected the number of a job, found none that is known; results are kept for a while")
        return job

    def remove(self, job: Job) -> None:
        """Cancel a job that has not ended, or remove the results of one that has."""
        if job is self._running:
            job.stop.set()
        elif job in self._waiting:
            self._waiting.remove(job)
            self._end(job, state="cancelled")
        else:
            self._all.pop(job.id, None)
            shutil.rmtree(job.folder, ignore_errors=True)

    async def work(self) -> None:
        """Process scenes until the server ends."""
        while True:
            self._work.clear()
            if not self._waiting:
                await self._work.wait()
                continue
            job = self._running = self._waiting.popleft()
            job.tell(state="running")
            try:
                changes = await self._changes_by_running(job)
            finally:
                self._running = None
            self._end(job, **changes)
            if self._worker.pid is None and not self._closed:
                with suppress(RefineDetError):  # the next job reports it
                    await self._worker.start()

    async def close(self) -> None:
        """Cancel all jobs and end the worker."""
        self._closed = True
        for job in (*self._waiting, *([self._running] if self._running else [])):
            job.stop.set()
            self._end(job, state="cancelled")
        self._waiting.clear()
        await self._worker.end()

    def counts(self) -> dict[str, int]:
        """Number of jobs by state, for the health of the server."""
        return {
            "waiting": len(self._waiting) + self._arriving,
            "running": int(self._running is not None),
            "kept": sum(job.ended for job in self._all.values()),
        }

    async def _changes_by_running(self, job: Job) -> dict[str, Any]:
        """Run a job; returns the changes of its state."""
        task = {
            "scene": str(job.scene),
            "folder": str(job.folder),
            "files": {RESULTS[name]: str(path) for name, path in job.files.items()},
            "settings": plain(job.settings),
        }
        try:
            found = await self._worker.run(
                task, lambda done, total: job.tell(windows=(done, total)), stop=job.stop, limit_s=self._limits.job_s
            )
        except Cancelled:
            return {"state": "cancelled"}
        except RefineDetError as error:
            return {"state": "failed", "error": str(error), "status": status_of(error)}
        except Exception as error:  # the next scene must not suffer
            _LOGGER.exception("job %s failed", job.id)
            return {"state": "failed", "error": _BUG.format(type(error).__name__), "status": BUG}
        self._last_s = float(found["seconds"])
        notes = (*job.notes, *found["notes"])
        return {"state": "done", "ships": found["ships"], "notes": notes, "seconds": found["seconds"]}

    def _end(self, job: Job, **changes: Any) -> None:
        """Record the end of a job, and remove its upload and the oldest results."""
        if job.ended:
            return
        shutil.rmtree(job.folder / UPLOAD, ignore_errors=True)
        job.tell(**changes)
        if job.state != "done":
            shutil.rmtree(job.folder, ignore_errors=True)
        ended = [one for one in self._all.values() if one.ended]
        sizes = {one.id: _bytes_in(one.folder) for one in ended}
        while len(ended) > self._limits.keep or (len(ended) > 1 and sum(sizes.values()) > self._limits.keep_bytes):
            oldest = ended.pop(0)
            sizes.pop(oldest.id)
            self.remove(oldest)

    def _check_room(self) -> None:
        if self._closed:
            raise Refusal(_CLOSING, "expected a server that goes on, found one that ends; ask again later")
        if len(self._waiting) + self._arriving >= self._limits.queue + (self._running is None):
            wait_s = min(max(1, round(self._last_s * (1 + len(self._waiting)))), _LONGEST_WAIT_S)
            raise Refusal(
                _BUSY,
                f"expected room in the queue, found {self._limits.queue} scenes that wait (`queue`); ask again later",
                {"Retry-After": str(wait_s)},
            )


def _bytes_in(folder: Path) -> int:
    with suppress(OSError):
        return sum(one.stat().st_size for one in folder.iterdir() if one.is_file())
    return 0
