"""A web server on loopback that misbehaves as a test wants it to."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Misbehaviour:
    """Behaviour of the server; tests change it between and during downloads."""

    content: bytes = b""
    etag: str | None = '"v1"'
    last_modified: str | None = None
    takes_ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    """Bytes after which the next answers break off; when the list is empty, answers are whole."""
    statuses: list[int] = field(default_factory=list)
    """Statuses of the next answers, before any content."""
    location: str | None = None
    """Where those of `statuses` that redirect lead."""
    retry_after: str | None = None
    """Header of the answers that `statuses` names."""
    overlooks_if_range: bool = False
    """True if ranges are of whatever the content is now."""
    sends_length: bool = True
    trickle_s: float = 0.0
    """Wait after each byte of the next answer but for the last 100; then it is over."""
    asked: list[dict[str, str]] = field(default_factory=list)
    """Headers of the requests, in order."""
    paths: list[str] = field(default_factory=list)
    """Requests so far, in order."""
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    behaviour: Misbehaviour

    def do_GET(self) -> None:
        behaviour = self.behaviour
        behaviour.asked.append(dict(self.headers))
        behaviour.paths.append(self.path)
        if behaviour.statuses:
            self.send_response(behaviour.statuses.pop(0))
            if behaviour.retry_after is not None:
                self.send_header("Retry-After", behaviour.retry_after)
            if behaviour.location is not None:
                self.send_header("Location", behaviour.location)
            self.end_headers()
            return
        start = self._start()
        if start is not None and start >= len(behaviour.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(behaviour.content)}")
            self.end_headers()
            return
        body = behaviour.content[start or 0 :]
        self.send_response(200 if start is None else 206)
        if start is not None:
            total = len(behaviour.content)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        for name, value in (("ETag", behaviour.etag), ("Last-Modified", behaviour.last_modified)):
            if value is not None:
                self.send_header(name, value)
        if behaviour.sends_length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if behaviour.trickle_s:
            self._trickle(body)
        self.wfile.write(body[: behaviour.cuts.pop(0)] if behaviour.cuts else body)

    def _trickle(self, body: bytes) -> None:
        wait_s, self.behaviour.trickle_s = self.behaviour.trickle_s, 0.0
        with contextlib.suppress(OSError):  # the other end has had enough
            for byte in body[:-100]:
                self.wfile.write(bytes([byte]))
                time.sleep(wait_s)

    def _start(self) -> int | None:
        asked, condition = self.headers.get("Range"), self.headers.get("If-Range")
        valid = condition in (self.behaviour.etag, self.behaviour.last_modified) or self.behaviour.overlooks_if_range
        if not asked or not self.behaviour.takes_ranges or not valid:
            return None
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Server that says nothing of clients that hang up: a thread may notice one only during the next test."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print the error, unless it is a broken connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve on loopback at a free port; gives the address."""
    with Server(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@contextlib.contextmanager
def misbehaving() -> Iterator[Misbehaviour]:
    """Serve `content` at every address, after the server's fashion."""
    behaviour = Misbehaviour()
    with serving(type("Handler", (_Handler,), {"behaviour": behaviour})) as behaviour.url:
        yield behaviour
