"""Servers on free ports of this machine, programs that ask them, and a worker of a few lines."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from refinedet.config.options.serve import ServeSettings
from refinedet.config.options.settings import DetectSettings
from refinedet.serving.process import COMMAND
from refinedet.serving.server import Running, serve

STUB = """
import json, os, queue, sys, threading, time
from pathlib import Path

jobs, cancelled = queue.Queue(), threading.Event()
def listen():
    for line in sys.stdin:
        message = json.loads(line)
        cancelled.set() if "cancel" in message else jobs.put(message["job"])
    os._exit(0)
def say(**message):
    print(json.dumps(message), flush=True)
sys.stdin.readline()
threading.Thread(target=listen, daemon=True).start()
say(ready=True)
while True:
    job = jobs.get()
    cancelled.clear()
    scene = Path(job["scene"])
    way = scene.read_text() if scene.is_file() else ""
    if way == "crash":
        os._exit(9)
    if way == "deaf":
        time.sleep(60)
    if way == "refuse":
        say(error="expected a scene, found none", status=422)
        continue
    if way == "swell":
        pass
    done = 0
    while way == "slow" and not cancelled.is_set():
        say(windows=[done, 1000])
        done += 1
        time.sleep(0.02)
    if cancelled.is_set():
        say(cancelled=True)
        continue
    for path in job["files"].values():
        Path(path).write_text(f"{scene.name} {way} {os.getpid()}")
    say(windows=[1, 1])
    say(found={"ships": len(way), "notes": ["a note"], "seconds": 0.01}, memory=10**10 if way == "swell" else 0)
"""


@dataclass
class Reply:
    """One answer of the server."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Client:
    """A program that asks the server."""

    running: Running

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Reply:
        """Send one request."""
        connection = http.client.HTTPConnection(urlsplit(self.running.address).netloc, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, names, answer.read())
        finally:
            connection.close()

    def send(self, path: str, scene: bytes, name: str = "scene.tif") -> Reply:
        """Upload a scene."""
        body, kind = form(scene, name)
        return self.ask("POST", path, body, {"Content-Type": kind})

    def wait(self, job: str, states: tuple[str, ...] = ("done", "failed", "cancelled")) -> Any:
        """Wait until a job is in one of these states."""
        deadline = time.monotonic() + 60
        while (found := self.ask("GET", f"/jobs/{job}").json)["state"] not in states:
            assert time.monotonic() < deadline, found
            time.sleep(0.02)
        return found


def form(scene: bytes, name: str = "scene.tif", part: str = "scene") -> tuple[bytes, str]:
    """Body and content type of a form with one file."""
    head = f'--line\r\nContent-Disposition: form-data; name="{part}"; filename="{name}"\r\n\r\n'.encode()
    return head + scene + b"\r\n--line--\r\n", "multipart/form-data; boundary=line"


@contextmanager
def served(settings: DetectSettings, limits: ServeSettings, command: tuple[str, ...] = COMMAND) -> Iterator[Client]:
    """Serve in another thread."""
    ready, found, errors = threading.Event(), list[Running](), list[BaseException]()

    def started(running: Running) -> None:
        found.append(running)
        ready.set()

    def run() -> None:
        try:
            serve(settings, limits, started, command=command)
        except BaseException as error:  # noqa: BLE001 - the test tells it
            errors.append(error)
        ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(120)
        assert not errors, errors
        yield Client(found[0])
    finally:
        if found:
            found[0].stop()
        thread.join(60)
    assert not thread.is_alive()
    assert not errors, errors


Serve = Callable[..., AbstractContextManager[Client]]
"""Function that serves with limits by their names."""
