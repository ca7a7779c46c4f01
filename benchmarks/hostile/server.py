"""Web server on loopback with one fault at a time, and the list of its faults."""

from __future__ import annotations

import contextlib
import gzip
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from refinedet.system.retrying import RetryPolicy

WHOLE, REFUSED = "whole", "refused"
QUICK = RetryPolicy(attempts=3, timeout_s=1.0, backoff_s=0.01, longest_wait_s=30.0, slow_bytes_s=1000, slow_s=0.5)
_CHANGED = "Mon, 01 Jan 2024 00:00:00 GMT"


class Answer(BaseHTTPRequestHandler):
    """One request and the means to answer it well or badly."""

    protocol_version = "HTTP/1.0"
    server: Server

    def do_GET(self) -> None:
        """Answer as the case says; the client may have gone."""
        self.server.asked += 1
        self.number = self.server.asked
        self.content = self.server.content
        with contextlib.suppress(OSError):
            self.server.way(self)

    def give(
        self,
        body: bytes | None = None,
        *,
        etag: str | None = '"v1"',
        cut: int | None = None,
        length: int | str | None = -1,
        ranges: bool = True,
        if_range: bool = True,
        **headers: str,
    ) -> None:
        """Send the file correctly except for the arguments; `length` -1 is the right length, None is no length."""
        body = self.content if body is None else body
        start = self._start(etag, ranges=ranges, if_range=if_range)
        if start is not None and start >= len(body):
            self.say(416, {"Content-Range": f"bytes */{len(body)}"})
            return
        part = body[start or 0 :]
        told: dict[str, str] = {name.replace("_", "-"): value for name, value in headers.items()}
        if start is not None:
            told["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        if etag is not None:
            told["ETag"] = etag
        if length is not None:
            told["Content-Length"] = str(len(part) if length == -1 else length)
        self.say(200 if start is None else 206, told)
        self.wfile.write(part[:cut])

    def say(self, status: int, headers: dict[str, str] | None = None) -> None:
        """Send a status and headers."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def _start(self, etag: str | None, *, ranges: bool, if_range: bool) -> int | None:
        asked, condition = self.headers.get("Range"), self.headers.get("If-Range")
        if not asked or not ranges or (if_range and condition not in {etag, _CHANGED}):
            return None
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


Way = Callable[[Answer], None]


class Server(ThreadingHTTPServer):
    """Server of `content` at every address, with the fault of the current case."""

    daemon_threads = True
    content: bytes = b""
    asked: int = 0

    def __init__(self) -> None:
        self.way: Way = Answer.give
        super().__init__(("127.0.0.1", 0), Answer)

    def handle_error(self, *_: Any) -> None:
        """Print nothing, because connections break on purpose."""


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Server that runs until the end of the `with` block."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@dataclass(frozen=True)
class Case:
    """Fault of the server, and its expected outcome."""

    title: str
    expected: str
    way: Way
    says: str = ""
    """Part of the sentence of a refusal."""
    least_s: float = 0.0
    runs: int = 1
    """Number of starts of the download; the last one counts."""
    room_bytes: int | None = None
    """Free bytes on the disk of the download; None: as they are."""
    retry: RetryPolicy = field(default=QUICK)


def _first(bad: Way, then: Way = Answer.give, count: int = 1) -> Way:
    """Way that answers badly for the first `count` requests, then by `then`."""
    return lambda answer: (bad if answer.number <= count else then)(answer)


def _status(status: int, **headers: str) -> Way:
    return lambda answer: answer.say(status, {name.replace("_", "-"): value for name, value in headers.items()})


def _wrong(answer: Answer) -> bytes:
    """Bytes of the file with one byte changed; the length stays."""
    middle = len(answer.content) // 2
    return answer.content[:middle] + bytes([answer.content[middle] ^ 1]) + answer.content[middle + 1 :]


def _stall(answer: Answer) -> None:
    answer.give(cut=100_000)
    answer.wfile.flush()
    time.sleep(1.5)


def _trickle(answer: Answer) -> None:
    answer.say(200, {"ETag": '"v1"', "Content-Length": str(len(answer.content))})
    for byte in answer.content:
        answer.wfile.write(bytes([byte]))
        time.sleep(0.01)


def _chunked(answer: Answer) -> None:
    answer.protocol_version = "HTTP/1.1"
    answer.say(200, {"ETag": '"v1"', "Transfer-Encoding": "chunked", "Connection": "close"})
    answer.wfile.write(b"%x\r\n" % 50_000 + answer.content[:50_000] + b"\r\n")
    answer.wfile.write(b"%x\r\n" % 50_000 + answer.content[50_000:60_000])
    answer.close_connection = True


def _shifted(answer: Answer) -> None:
    total = len(answer.content)
    answer.say(206, {"ETag": '"v1"', "Content-Range": f"bytes 7-{total - 1}/{total}", "Content-Length": str(total - 7)})
    answer.wfile.write(answer.content[7:])


def _endless(answer: Answer) -> None:
    answer.say(200)
    while True:
        answer.wfile.write(bytes(1 << 16))


def _raw(data: bytes) -> Way:
    return lambda answer: answer.wfile.write(data) and None


def _to(address: str) -> Way:
    return lambda answer: answer.say(302, {"Location": address})


def _more(answer: Answer) -> None:
    answer.give()
    answer.wfile.write(b"and more")


def _gzipped(answer: Answer) -> None:
    answer.give(gzip.compress(answer.content, 1), Content_Encoding="gzip")


_DROP: Way = lambda answer: answer.give(cut=100_000)  # noqa: E731 - a way among ways
_OLD: Way = lambda answer: answer.give(_wrong(answer), cut=100_000)  # noqa: E731
_NEW: Way = lambda answer: answer.give(etag='"v2"')  # noqa: E731
_MIXED: Way = lambda answer: answer.give(etag='"v2"', if_range=False)  # noqa: E731
_LIAR: Way = lambda answer: answer.give(if_range=False)  # noqa: E731

CASES = (
    Case("behaves", WHOLE, Answer.give),
    Case("drops every 100 kB", WHOLE, _DROP),
    Case(
        "drops, and has dates instead of ETags", WHOLE, lambda a: a.give(etag=None, cut=100_000, Last_Modified=_CHANGED)
    ),
    Case("drops once, with nothing to tell versions by", WHOLE, _first(lambda a: a.give(etag=None, cut=100_000))),
    Case(
        "drops always, with nothing to tell versions by", REFUSED, lambda a: a.give(etag=None, cut=100_000), "3 times"
    ),
    Case("drops once, and ignores Range", WHOLE, _first(_DROP, lambda a: a.give(ranges=False))),
    Case("closes without a word, once", WHOLE, _first(lambda _: None)),
    Case("closes without a word, always", REFUSED, lambda _: None, "without response"),
    Case("stalls after 100 kB", WHOLE, _first(_stall), least_s=1.0),
    Case("stalls before the first byte", WHOLE, _first(lambda _: time.sleep(1.5)), least_s=1.0),
    Case("trickles 100 bytes a second", WHOLE, _first(_trickle), least_s=0.5),
    Case("says 1000 bytes more than it has", WHOLE, lambda a: a.give(length=len(a.content) + 1000)),
    Case("says half of its bytes", REFUSED, lambda a: a.give(length=len(a.content) // 2), "damaged, cut off"),
    Case("sends more than it says", WHOLE, _more),
    Case("says 10^15 bytes", REFUSED, lambda a: a.give(length=10**15), "of free disk"),
    Case("says -5 bytes", WHOLE, lambda a: a.give(length="-5")),
    Case("says a word for a length", WHOLE, lambda a: a.give(length="many")),
    Case("says no length", WHOLE, lambda a: a.give(length=None)),
    Case("says no length, and stops half-way", REFUSED, lambda a: a.give(length=None, cut=150_000), "damaged, cut off"),
    Case("says no length, and never ends", REFUSED, _endless, "of free disk", room_bytes=8 << 20),
    Case("is larger than the disk", REFUSED, Answer.give, "of free disk", room_bytes=10_000),
    Case("sends chunks, and drops in one", WHOLE, _first(_chunked)),
    Case("503 twice", WHOLE, _first(_status(503), count=2)),
    Case("503 with Retry-After: 1", WHOLE, _first(_status(503, Retry_After="1")), least_s=1.0),
    Case("503 with a Retry-After that is a date long past", WHOLE, _first(_status(503, Retry_After=_CHANGED))),
    Case("503 with Retry-After: 86400", REFUSED, _status(503, Retry_After="86400"), "left alone for 86400 s"),
    Case("503 for ever", REFUSED, _status(503), "503 Service Unavailable (3 times)"),
    Case("429 once", WHOLE, _first(_status(429))),
    Case("500 for ever", REFUSED, _status(500), "500 Internal Server Error (3 times)"),
    Case("404", REFUSED, _status(404), "404 Not Found; check the address"),
    Case("403", REFUSED, _status(403), "403 Forbidden; check the address"),
    Case("one byte wrong", REFUSED, lambda a: a.give(_wrong(a)), "expected"),
    Case("one byte wrong, right on the next run", WHOLE, _first(lambda a: a.give(_wrong(a))), runs=2),
    Case("changes between two attempts", WHOLE, _first(_OLD, _NEW)),
    Case("changes, and overlooks If-Range", WHOLE, _first(_OLD, _MIXED)),
    Case("changes between two runs", WHOLE, _first(_OLD, _first(lambda _: None, _NEW, count=3)), runs=2),
    Case("changes under the same ETag", WHOLE, _first(lambda a: a.give(_wrong(a)[::-1], cut=99_999), _LIAR), runs=2),
    Case("resumes in the wrong place, once", WHOLE, _first(_DROP, _first(_shifted, count=2))),
    Case("resumes in the wrong place, always", REFUSED, _first(_DROP, _shifted), "times"),
    Case("206 without a Content-Range", REFUSED, _status(206, Content_Length="0"), "times"),
    Case("416 for everything", REFUSED, _status(416), "times"),
    Case("redirects to the right place", WHOLE, _first(_to("/elsewhere.zip"))),
    Case("redirects in a circle", REFUSED, _to("/tiny.zip"), "302"),
    Case("redirects to a local file", REFUSED, _to("file:///etc/passwd"), "is not allowed"),
    Case("redirects to ftp", REFUSED, _to("ftp://127.0.0.1/x"), "not followed"),
    Case("shows a page to log in", REFUSED, lambda a: a.give(b"<html>Log in</html>"), "or something else"),
    Case("packs the archive once more", REFUSED, _gzipped, "or something else"),
    Case("speaks no HTTP", REFUSED, _raw(b"\x00\xffSSH-2.0\r\n\r\n"), "times"),
    Case("sends 10,000 headers", REFUSED, _raw(b"HTTP/1.0 200 OK\r\n" + b"A: b\r\n" * 10_000 + b"\r\n"), "times"),
    Case("sends a header of 1 MB", REFUSED, _raw(b"HTTP/1.0 200 OK\r\nA: " + b"b" * (1 << 20)), "times"),
)
