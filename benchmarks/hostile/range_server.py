"""Web server on loopback that serves files by range, counts the bytes it sends, and shows faults on request."""

from __future__ import annotations

import contextlib
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Way = Callable[["Request"], None]
"""Function that answers a request for a file."""


@dataclass
class Served:
    """File that is served."""

    content: bytes
    etag: str | None


class Request(BaseHTTPRequestHandler):
    """One request, and the means to answer it well or badly."""

    protocol_version = "HTTP/1.1"
    server: RangeServer

    def do_GET(self) -> None:
        """Answer by the server's function; the client may have gone."""
        self.server.asked += 1
        self.name = urlsplit(self.path).path
        if self.name not in self.server.files:
            self.say(404)
            return
        self.file = self.server.files[self.name]
        with contextlib.suppress(OSError):
            self.server.way(self)

    def wanted(self) -> tuple[int, int] | None:
        """First byte of the requested range, and the byte after its last one."""
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        return None if match is None else (int(match[1]), min(int(match[2]) + 1, len(self.file.content)))

    def give(
        self, *, cut: int | None = None, total: int | None = None, ranges: bool = True, pause: Callable[[], Any] = int
    ) -> None:
        """Send the requested bytes, with the faults of the arguments.

        `cut` ends the connection after so many bytes, `total` replaces the stated length, `pause` is called
        before each kilobyte.
        """
        condition = self.headers.get("If-Match")
        if condition not in (None, self.file.etag):
            self.say(412)
            return
        wanted = self.wanted() if ranges else None
        start, stop = wanted or (0, len(self.file.content))
        if start >= len(self.file.content):
            self.say(416)
            return
        total = len(self.file.content) if total is None else total
        told = {"Content-Length": str(stop - start)} | ({"ETag": self.file.etag} if self.file.etag else {})
        if wanted:
            told["Content-Range"] = f"bytes {start}-{stop - 1}/{total}"
        self.say(206 if wanted else 200, told)
        body = self.file.content[start:stop][:cut]
        for at in range(0, len(body), 1 << 10):
            pause()
            piece = body[at : at + (1 << 10)]
            self.wfile.write(piece)
            self.server.sent[self.name] += len(piece)
        if len(body) < stop - start:
            self.close_connection = True

    def say(self, status: int, headers: dict[str, str] | None = None) -> None:
        """Send a status and headers, and no body unless a length is among them."""
        self.send_response(status)
        for name, value in ({"Content-Length": "0"} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


class RangeServer(ThreadingHTTPServer):
    """Server of `files` by their paths."""

    daemon_threads = True

    def __init__(self) -> None:
        self.files: dict[str, Served] = {}
        self.sent: Counter[str] = Counter()
        """Bytes that were sent of each file."""
        self.asked = 0
        self.way: Way = Request.give
        super().__init__(("127.0.0.1", 0), Request)

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, name: str, content: bytes, *, etag: bool = True) -> str:
        """Serve a file; returns its address."""
        self.files[name] = Served(content, f'"{sha256(content).hexdigest()[:16]}"' if etag else None)
        return f"{self.url}{name}"

    def handle_error(self, *_: Any) -> None:
        """Print nothing, because connections break on purpose."""


@contextlib.contextmanager
def serving() -> Iterator[RangeServer]:
    """Server that runs until the end of the `with` block."""
    with RangeServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
